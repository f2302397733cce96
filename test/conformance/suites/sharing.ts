import { afterEach, describe, expect, it } from 'vitest';
import { makePod } from '../../../demo/apiserver/objects.ts';
import { SERVICES } from '../../../src/kubernetes/resources.ts';
import type { TransportMode } from '../../../src/sources/kas/transport-chooser.ts';
import { Bench, NAMESPACE } from '../../support/bench.ts';
import { eventually } from '../../support/eventually.ts';

let bench: Bench;

/** Who shares what, over one transport. */
export function sharing(transport: TransportMode): void {
  describe('sharing', () => {
    afterEach(() => bench.close());

    it('carries one list and one watch a resource for 200 viewers who subscribe and query at once, and none afterwards', async () => {
      bench = await Bench.start({ transport, lingerMs: 2_000 });
      for (let index = 0; index < 20; index += 1)
        bench.store.create(makePod({ name: `pod-${index}`, namespace: NAMESPACE }));
      const viewers = Array.from({ length: 200 }, (_, index) => {
        bench.allow(`user-${index}`, NAMESPACE);
        return bench.viewer(`user-${index}`);
      });

      const queries = viewers.map(async (viewer) => {
        const attachment = await bench.gate.attach(viewer, bench.key(SERVICES));
        await attachment.feed.ready();
        attachment.release();
      });
      const views = await Promise.all(viewers.map((viewer) => bench.view({ viewer })));
      await Promise.all(queries);
      await Promise.all(views.map((view) => bench.converged(view)));
      bench.store.create(makePod({ name: 'one-more', namespace: NAMESPACE }));
      await Promise.all(views.map((view) => bench.converged(view)));

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
      bench = await Bench.start({ transport, lingerMs: 2_000 });
      const first = await bench.liveView();
      await first.leave();
      const second = await bench.liveView();
      expect(second.last?.type).toBe('SNAPSHOT');
      expect(bench.counts('list')).toBe(1);
      expect(bench.counts('watch')).toBe(1);
    });

    it('answers an empty namespace at once, with an empty snapshot and CONNECTED', async () => {
      bench = await Bench.start({ transport });
      const view = await bench.liveView();
      expect(view.updates).toMatchObject([{ type: 'SNAPSHOT', upserted: [], removed: [], total: 0 }]);
      expect(bench.status()).toMatchObject({
        state: 'CONNECTED',
        reason: undefined,
        attempts: 0,
        transport: transport === 'http' ? 'HTTP_STREAM' : 'WEBSOCKET',
      });
    });

    it('sends 5,000 pods as one snapshot, read in pages of one state', async () => {
      bench = await Bench.start({ transport });
      for (let index = 0; index < 5_000; index += 1)
        bench.store.create(makePod({ name: `pod-${index}`, namespace: NAMESPACE }));
      const view = await bench.view();
      await bench.converged(view, 15_000);
      expect(view.updates).toHaveLength(1);
      expect(view.last).toMatchObject({ type: 'SNAPSHOT', total: 5_000 });
      expect(bench.counts('list')).toBe(10);
    });

    it('resumes a dropped view with exactly what it missed', async () => {
      bench = await Bench.start({ transport, lingerMs: 10_000 });
      const kept = bench.store.create(makePod({ name: 'kept', namespace: NAMESPACE }));
      bench.store.create(makePod({ name: 'leaves', namespace: NAMESPACE }));
      const before = await bench.liveView();
      const cursor = before.last?.cursor;
      await before.leave();

      const leaves = bench.store.delete('pods', NAMESPACE, 'leaves');
      const comes = bench.store.create(makePod({ name: 'comes', namespace: NAMESPACE }));
      bench.store.create(makePod({ name: 'passes', namespace: NAMESPACE }));
      bench.store.delete('pods', NAMESPACE, 'passes');
      const feed = bench.hub.feeds('1', NAMESPACE)[0];
      await eventually(
        'the feed has heard of it',
        () => feed?.find(NAMESPACE, 'comes') !== undefined && feed.size === 2,
        3_000,
      );

      const after = await bench.view({ resume: cursor });
      await eventually('the answer', () => after.updates.length > 0, 3_000);
      expect(after.updates).toMatchObject([{ type: 'CHANGES', removed: [leaves.metadata.uid], total: 2 }]);
      expect(after.last?.upserted.map(({ metadata }) => metadata.uid)).toEqual([comes.metadata.uid]);
      expect(kept.metadata.uid).toBeDefined();
    });

    it('answers a cursor that it cannot use with a snapshot that says why', async () => {
      bench = await Bench.start({ transport });
      for (const resume of ['forged', 'bm90IGEgY3Vyc29y', '', '\u0000', 'A'.repeat(10_000)]) {
        const view = await bench.view({ resume });
        await bench.converged(view);
        expect(view.updates).toMatchObject([{ type: 'SNAPSHOT', resyncReason: 'CURSOR_INVALID' }]);
        await view.leave();
      }
    });
  });
}
