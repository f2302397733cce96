import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { TransportMode } from '../../../src/sources/kas/transport-chooser.ts';
import { scaledClock } from '../../support/scaled-clock.ts';
import type { Trial } from '../upstreams/trial.ts';
import type { Upstream } from '../upstreams/upstream.ts';

/** Faster would be too fast for the 3 s that a real server waits for a version from the future. */
const SCALE = 6;
const BACK_MS = 30_000;
/** Two minutes of silence make suspicious; then the server is given three tries to catch up. */
const NOTICED_MS = 90_000;

/** etcd is restored from a backup: the same objects, in versions that lie behind those that were seen. */
export function restoredCluster(transport: TransportMode, upstream: Upstream): void {
  describe(`a restored cluster, on ${upstream.name}`, () => {
    let trial: Trial;
    afterEach(() => trial.close());
    afterAll(() => upstream.close());

    it('is a new epoch, and viewers are told', async () => {
      trial = await upstream.start({ transport, clock: scaledClock(SCALE), lingerMs: 60_000 });
      await trial.createPod('a');
      const view = await trial.liveView();
      const restore = await trial.cluster.backUp();
      await trial.bench.connected(BACK_MS);
      for (let index = 0; index < 30; index += 1) await trial.touchPod('a');
      await trial.createPod('after-the-backup');
      await trial.converged(view, BACK_MS);
      await restore();
      await trial.converged(view, NOTICED_MS);
      expect(view.last).toMatchObject({ type: 'SNAPSHOT', resyncReason: 'UPSTREAM_RESET' });
      expect(view.error).toBeUndefined();
      expect(trial.bench.defects).toEqual([]);
    });
  });
}
