import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { Bench, NAMESPACE } from '../support/bench.ts';
import { eventually, pause } from '../support/eventually.ts';
import { scaledClock } from '../support/scaled-clock.ts';

type Act =
  | { readonly kind: 'create' | 'touch' | 'delete'; readonly name: string }
  | { readonly kind: 'reset' | 'close' | 'silence' | 'garbage' | 'stop' | 'cutHttp' | 'agentAway' | 'compact' }
  | { readonly kind: 'upgrades' | 'bookmarks'; readonly work: boolean }
  | { readonly kind: 'pause'; readonly ms: number };

const name = fc.constantFrom('a', 'b', 'c', 'd');
const act = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constantFrom('create' as const, 'touch' as const, 'delete' as const), name }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'reset' as const,
        'close' as const,
        'silence' as const,
        'garbage' as const,
        'stop' as const,
        'cutHttp' as const,
        'agentAway' as const,
        'compact' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('upgrades' as const, 'bookmarks' as const),
      work: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 120 }).map((ms) => ({ kind: 'pause' as const, ms })) },
);

/** Minutes pass in seconds: probes come after 0.3 s, a silent socket is noticed after as long. */
const SCALE = 100;

async function perform(bench: Bench, step: Act): Promise<void> {
  const { store, watchApi } = bench;
  const [socket] = watchApi.connections;
  switch (step.kind) {
    case 'create':
      if (!store.get('pods', NAMESPACE, step.name)) store.create(makePod({ name: step.name, namespace: NAMESPACE }));
      return;
    case 'touch':
      if (store.get('pods', NAMESPACE, step.name))
        store.patch('pods', NAMESPACE, step.name, { metadata: { labels: { touched: String(Math.random()) } } });
      return;
    case 'delete':
      if (store.get('pods', NAMESPACE, step.name)) store.delete('pods', NAMESPACE, step.name);
      return;
    case 'reset':
      socket?.reset();
      return;
    case 'close':
      socket?.close(1001);
      return;
    case 'silence':
      socket?.silence();
      return;
    case 'garbage':
      socket?.sendRaw('{');
      return;
    case 'stop':
      for (const watchId of socket?.watches ?? []) socket?.stop(watchId);
      return;
    case 'cutHttp':
      bench.kas.agent(1).cutStreams();
      return;
    case 'agentAway':
      bench.kas.agent(1).disconnect();
      await pause(20);
      bench.kas.agent(1).connect();
      return;
    case 'compact':
      store.compact();
      return;
    case 'upgrades':
      watchApi.faults.refuseUpgrade = step.work ? undefined : { status: 503, body: {} };
      return;
    case 'bookmarks':
      watchApi.faults.withholdBookmarks = !step.work;
      return;
    case 'pause':
      await pause(step.ms);
      return;
    default:
      step satisfies never;
  }
}

it(
  'keeps views equal to the cluster while the transport is killed and comes back at random',
  { timeout: 90_000 },
  async () => {
    const seen = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(act, { minLength: 10, maxLength: 60, size: 'max' }),
        async (replays, steps) => {
          const bench = await Bench.start({
            transport: 'auto',
            clock: scaledClock(SCALE),
            lingerMs: 600_000,
            agent: { bookmarkPeriodMs: 200 },
          });
          bench.watchApi.faults.ignoreResourceVersion = replays;
          try {
            for (const each of ['a', 'b']) bench.store.create(makePod({ name: each, namespace: NAMESPACE }));
            const view = await bench.liveView();
            for (const step of steps) {
              await perform(bench, step);
              seen.add(bench.status().transport);
            }
            bench.watchApi.faults.refuseUpgrade = undefined;
            await bench.converged(view, 5_000);
            await bench.connected();
            bench.store.create(makePod({ name: 'last', namespace: NAMESPACE }));
            await bench.converged(view, 5_000);
            expect(view.breaches).toEqual([]);
            expect(bench.defects).toEqual([]);
            expect(view.error).toBeUndefined();
            expect(view.snapshots).toHaveLength(1);
            await view.leave();
            await eventually('one stream at most', () => bench.kas.inFlight({ verb: 'watch' }).length <= 1, 3_000);
          } finally {
            await bench.close();
          }
        },
      ),
      {
        numRuns: Number(process.env['KASCADE_RUNS'] ?? 10),
        seed: Number(process.env['KASCADE_SEED'] ?? 7),
        endOnFailure: true,
      },
    );
    expect(seen).toContain('WEBSOCKET');
    expect(seen).toContain('HTTP_STREAM');
  },
);
