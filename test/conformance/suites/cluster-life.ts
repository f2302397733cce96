import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { TransportMode } from '../../../src/sources/kas/transport-chooser.ts';
import type { BenchOptions } from '../../support/bench.ts';
import { eventually, pause } from '../../support/eventually.ts';
import type { RecordedView } from '../../support/recorded-view.ts';
import { scaledClock } from '../../support/scaled-clock.ts';
import type { Trial } from '../upstreams/trial.ts';
import type { Upstream } from '../upstreams/upstream.ts';

/** Whatever a restart takes, real servers included, in milliseconds. */
const BACK_MS = 30_000;

/** What happens to clusters by themselves, and what becomes of those who look: over one transport, on any upstream. */
export function clusterLife(transport: TransportMode, upstream: Upstream): void {
  let trial: Trial;
  let view: RecordedView;

  async function start(options: BenchOptions = {}): Promise<void> {
    trial = await upstream.start({ transport, clock: scaledClock(5), lingerMs: 60_000, ...options });
    for (const name of ['a', 'b', 'c']) await trial.createPod(name);
    view = await trial.liveView();
  }

  /** While the tunnel is down the cluster goes on. */
  async function away(meanwhile: () => Promise<void>): Promise<void> {
    const agent = trial.bench.kas.agent(1);
    agent.disconnect();
    await trial.bench.disconnected();
    await meanwhile();
    agent.connect();
  }

  const seen = () => ({ steps: trial.bench.steps, status: trial.bench.status() });
  /** CONNECTED again; or the view has ended, which it should not. */
  const back = async () => {
    const isBack = () => view.error !== undefined || trial.bench.status().state === 'CONNECTED';
    await eventually('CONNECTED', isBack, BACK_MS, () => trial.bench.steps);
    expect(view.error).toBeUndefined();
  };
  const removed = () => view.updates.flatMap((update) => update.removed);

  describe(`the life of a cluster, on ${upstream.name}`, () => {
    afterEach(async () => {
      trial.bench.checkRules(view);
      await trial.close();
    });
    afterAll(() => upstream.close());

    it('changes, deletions and returns under an old name arrive, in one view without a second snapshot', async () => {
      await start();
      const gone = await trial.deletePod('b');
      await trial.touchPod('a');
      const fresh = await trial.createPod('b');
      await trial.converged(view);
      expect(removed()).toEqual([gone]);
      expect(view.objects.has(fresh.metadata.uid)).toBe(true);
      expect(view.snapshots).toHaveLength(1);
      expect(trial.bench.counts('list')).toBe(1);
    });

    it('a cut is made up for from the last version, without a list', async () => {
      await start();
      await away(async () => {
        await trial.touchPod('a');
        await trial.deletePod('b');
        await trial.createPod('d');
      });
      await trial.converged(view, BACK_MS);
      expect(trial.bench.counts('list')).toBe(1);
      expect(view.snapshots).toHaveLength(1);
    });

    it('a history that was forgotten meanwhile (a real 410) is listed, of which viewers see the difference', async () => {
      await start();
      let gone: string[] = [];
      await away(async () => {
        gone = [await trial.deletePod('a'), await trial.deletePod('b')];
        await trial.createPod('b');
        await trial.createPod('d');
        await trial.cluster.forgetHistory();
      });
      await trial.converged(view, BACK_MS);
      await trial.bench.connected(BACK_MS);
      expect(trial.bench.counts('list')).toBe(2);
      expect(trial.bench.steps).toContain('version expired');
      expect(removed().toSorted()).toEqual(gone.toSorted());
      expect(view.snapshots).toHaveLength(1);
    });

    it('a compaction does not disturb those who are up to date', async () => {
      await start();
      await trial.cluster.compact();
      await trial.touchPod('a');
      await trial.converged(view);
      expect(trial.bench.counts('list')).toBe(1);
      expect(trial.bench.counts('watch')).toBe(1);
    });

    it('an API server that restarts twice while pods come and go loses, doubles and resurrects nothing', async () => {
      // In real time: how long a real server may take to start is not to be scaled.
      await start({ clock: scaledClock(1) });
      const stop = churn(trial, ['w', 'x', 'y', 'z']);
      try {
        for (let restarts = 0; restarts < 2; restarts += 1) {
          const messages = view.updates.length;
          await eventually('changes arrive', () => view.updates.length > messages + 5, BACK_MS, seen);
          await trial.cluster.restart();
          await back();
        }
      } finally {
        await stop();
      }
      await trial.converged(view, BACK_MS);
      expect(view.snapshots).toHaveLength(1);
      expect(view.error).toBeUndefined();
    });
  });
}

/** Pods are made, changed and deleted, one after another for each name, through refusals and restarts. */
function churn(trial: Trial, names: readonly string[]): () => Promise<unknown> {
  const over = new AbortController();
  const work = names.map(async (name) => {
    for (let round = 0; !over.signal.aborted; round += 1) {
      const pod = `${name}-${round}`;
      await tryTo(() => trial.createPod(pod));
      await tryTo(() => trial.touchPod(pod));
      // The last one stays.
      if (!over.signal.aborted) await tryTo(() => trial.deletePod(pod));
    }
  });
  return () => {
    over.abort();
    return Promise.all(work);
  };
}

/** A server that is going away refuses, or does what is asked and does not say so. */
async function tryTo(write: () => Promise<unknown>): Promise<void> {
  await write().catch(() => {});
  await pause(10);
}
