import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { makePod } from '../../../demo/apiserver/objects.ts';
import { SERVICES } from '../../../src/kubernetes/resources.ts';
import type { TransportMode } from '../../../src/sources/kas/transport-chooser.ts';
import { NAMESPACE, type Bench, type BenchOptions } from '../../support/bench.ts';
import { eventually } from '../../support/eventually.ts';
import type { Trial } from '../upstreams/trial.ts';
import type { Upstream } from '../upstreams/upstream.ts';

const pods = (count: number) =>
  Array.from({ length: count }, (_, index) => makePod({ name: `pod-${index}`, namespace: NAMESPACE }));

/** Who shares what, over one transport. */
export function sharing(transport: TransportMode, upstream: Upstream): void {
  let trial: Trial;
  let bench: Bench;

  async function start(options: BenchOptions = {}): Promise<void> {
    trial = await upstream.start({ transport, ...options });
    ({ bench } = trial);
  }

  describe(`sharing, on ${upstream.name}`, () => {
    afterEach(() => trial.close());
    afterAll(() => upstream.close());

    it('carries one list and one watch a resource for 200 viewers who subscribe and query at once, and none afterwards', async () => {
      await start({ lingerMs: 2_000 });
      await trial.cluster.createAll(pods(20));
      const users = Array.from({ length: 200 }, (_, index) => `user-${index}`);
      await Promise.all(users.map((user) => trial.cluster.grant(user, NAMESPACE, ['*'], ['*'])));
      const viewers = users.map((user) => bench.viewer(user));

      const watched = eventually('a watch', () => bench.counts('watch', 'services') > 0, 15_000);
      const queries = viewers.map(async (viewer) => {
        const attachment = await bench.gate.attach(viewer, bench.key(SERVICES));
        await attachment.feed.ready();
        await watched;
        attachment.release();
      });
      const views = await Promise.all(viewers.map((viewer) => bench.view({ viewer })));
      await Promise.all(queries);
      await trial.allConverged(views, 15_000);
      await trial.createPod('one-more');
      await trial.allConverged(views, 15_000);

      expect(bench.counts('list')).toBe(1);
      expect(bench.counts('watch')).toBe(1);
      expect(bench.counts('list', 'services')).toBe(1);
      expect(bench.counts('watch', 'services')).toBe(1);
      expect(views.flatMap((view) => view.breaches)).toEqual([]);

      await Promise.all(views.map((view) => view.leave()));
      await eventually(
        'no stream is left',
        () => bench.kas.openStreams(1) === 0,
        6_000,
        () => bench.kas.openStreams(1),
      );
      expect(bench.hub.size).toBe(0);
    });

    it('keeps a feed for a moment after its last viewer, so that the next one costs the cluster nothing', async () => {
      await start({ lingerMs: 2_000 });
      const first = await trial.liveView();
      await first.leave();
      const second = await trial.liveView();
      expect(second.last?.type).toBe('SNAPSHOT');
      await eventually('a watch', () => bench.counts('watch') > 0, 5_000);
      expect(bench.counts('list')).toBe(1);
      expect(bench.counts('watch')).toBe(1);
    });

    it('answers an empty namespace at once, with an empty snapshot and CONNECTED', async () => {
      await start();
      const view = await trial.liveView();
      expect(view.updates).toMatchObject([{ type: 'SNAPSHOT', upserted: [], removed: [], total: 0 }]);
      expect(bench.status()).toMatchObject({
        state: 'CONNECTED',
        reason: undefined,
        attempts: 0,
        transport: transport === 'http' ? 'HTTP_STREAM' : 'WEBSOCKET',
      });
    });

    it('sends 5,000 pods as one snapshot, read in pages of one state', async () => {
      await start();
      await trial.cluster.createAll(pods(5_000));
      const view = await bench.view();
      await trial.converged(view, 15_000);
      expect(view.updates).toHaveLength(1);
      expect(view.last).toMatchObject({ type: 'SNAPSHOT', total: 5_000 });
      expect(bench.counts('list')).toBe(10);
    });

    it('resumes a dropped view with exactly what it missed', async () => {
      await start({ lingerMs: 60_000 });
      const kept = await trial.createPod('kept');
      await trial.createPod('leaves');
      const before = await trial.liveView();
      const cursor = before.last?.cursor;
      await before.leave();

      const leaves = await trial.deletePod('leaves');
      const comes = await trial.createPod('comes');
      await trial.createPod('passes');
      await trial.deletePod('passes');
      const feed = bench.hub.feeds('1', NAMESPACE)[0];
      await eventually(
        'the feed has heard of it',
        () => feed?.find(NAMESPACE, 'comes') !== undefined && feed.size === 2,
        3_000,
      );

      const after = await bench.view({ resume: cursor });
      await eventually('the answer', () => after.updates.length > 0, 3_000);
      expect(after.updates).toMatchObject([{ type: 'CHANGES', removed: [leaves], total: 2 }]);
      expect(after.last?.upserted.map(({ metadata }) => metadata.uid)).toEqual([comes.metadata.uid]);
      expect(kept.metadata.uid).toBeDefined();
    });

    it('answers a cursor that it cannot use with a snapshot that says why', async () => {
      await start();
      for (const resume of ['forged', 'bm90IGEgY3Vyc29y', '', '\u0000', 'A'.repeat(10_000)]) {
        const view = await bench.view({ resume });
        await trial.converged(view);
        expect(view.updates).toMatchObject([{ type: 'SNAPSHOT', resyncReason: 'CURSOR_INVALID' }]);
        await view.leave();
      }
    });
  });
}
