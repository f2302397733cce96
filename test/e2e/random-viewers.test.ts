import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { gone, goneInStream, internalErrorInStream, malformedLine, respond } from '../../demo/apiserver/effects.ts';
import { makePod } from '../../demo/apiserver/objects.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { ObjectFilter } from '../../src/pubsub/updates.ts';
import { Bench, NAMESPACE } from '../support/bench.ts';
import { eventually, pause } from '../support/eventually.ts';
import { versionsOf, type RecordedView } from '../support/recorded-view.ts';
import { scaledClock } from '../support/scaled-clock.ts';

/**
 * Viewers join, leave, drop off and come back with their cursors at random moments, while pods change at random and
 * the cluster misbehaves. Whenever that stops, every viewer's set equals the cluster's, and nobody has ever seen a
 * version go back, an id return after its removal (a filter may let it return, when it has changed), or a wrong total.
 */

const WATCH = { verb: 'watch', resource: 'pods' } as const;
const ODD: ObjectFilter = { key: 'odd', matches: ({ metadata }) => metadata.labels?.['odd'] === 'yes' };
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const EFFECTS = [
  gone,
  goneInStream,
  internalErrorInStream,
  malformedLine(1),
  respond(503),
  { endAtOnce: true },
  { cutAfterBytes: 4_000 },
  { repeatChanges: 5 },
  { splitBytes: 7 },
  { pretty: true },
];

interface Viewer {
  readonly filter: ObjectFilter | undefined;
  view: RecordedView;
}

type Move =
  | { readonly do: 'change'; readonly name: string; readonly odd: boolean }
  | { readonly do: 'delete' | 'recreate'; readonly name: string }
  | { readonly do: 'join'; readonly filtered: boolean }
  | { readonly do: 'leave' | 'come back'; readonly who: number }
  | { readonly do: 'end' | 'reset' | 'compact' | 'pause' }
  | { readonly do: 'fault'; readonly effect: number };

const name = fc.constantFrom(...NAMES);
const who = fc.nat(20);
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('change' as const), name, odd: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'recreate' as const), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('join' as const), filtered: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'come back' as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('end' as const, 'reset' as const, 'compact' as const, 'pause' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fault' as const), effect: fc.nat(EFFECTS.length - 1) }) },
);

const a = (odd: boolean): Move => ({ do: 'change', name: 'a', odd });
const PAUSE: Move = { do: 'pause' };
/** A pod comes into a filtered view, goes, and comes again; once before its viewer drops off, once after. */
const IN_AND_OUT: Move[] = [
  { do: 'join', filtered: true },
  ...[true, false, true, false].flatMap((odd) => [PAUSE, a(odd)]),
  PAUSE,
  { do: 'come back', who: 1 },
  ...[false, true].flatMap((odd) => [a(odd), PAUSE]),
];

class Run {
  readonly bench: Bench;
  readonly viewers: Viewer[] = [];
  readonly gone: RecordedView[] = [];

  constructor(bench: Bench) {
    this.bench = bench;
  }

  async take(each: Move): Promise<void> {
    const { store, api } = this.bench;
    switch (each.do) {
      case 'change':
        this.#change(each.name, each.odd);
        return;
      case 'delete':
        if (store.get('pods', NAMESPACE, each.name)) store.delete('pods', NAMESPACE, each.name);
        return;
      case 'recreate':
        if (store.get('pods', NAMESPACE, each.name)) store.delete('pods', NAMESPACE, each.name);
        this.#change(each.name, true);
        return;
      case 'join':
        await this.#join(each.filtered ? ODD : undefined);
        return;
      case 'leave':
      case 'come back':
        await this.#leave(each.who, each.do === 'come back');
        return;
      case 'fault':
        api.faults.add({ match: WATCH, times: 1, effect: EFFECTS[each.effect] ?? gone });
        return;
      case 'compact':
        store.compact();
        return;
      case 'pause':
        await pause(20);
        return;
      case 'end':
      case 'reset':
        await this.#openWatch();
        for (const watch of api.faults.openWatches(WATCH)) watch[each.do]();
        return;
      default:
        each satisfies never;
    }
  }

  /** Ending a watch that is not open yet would test nothing. Nobody may be looking at all, though. */
  async #openWatch(): Promise<void> {
    for (let tries = 0; tries < 20 && this.bench.api.faults.openWatches(WATCH).length === 0; tries += 1) await pause(5);
  }

  /** Resolves, with what went wrong on the way, once everybody has caught up. */
  async check(): Promise<unknown[]> {
    this.bench.api.faults.clear();
    for (const { view, filter } of this.viewers) {
      await eventually(
        'a viewer equals the cluster',
        () => this.#isRight(view, filter),
        10_000,
        () => ({
          shown: view.versions(),
          truth: this.#truth(filter),
          error: String(view.error),
          steps: this.bench.steps.slice(-8),
        }),
      );
    }
    const views = [...this.gone, ...this.viewers.map((viewer) => viewer.view)];
    return [...views.flatMap((view) => view.breaches), ...this.bench.defects];
  }

  #change(podName: string, odd: boolean): void {
    const { store } = this.bench;
    const labels = { odd: odd ? 'yes' : 'no', at: store.revision };
    if (store.get('pods', NAMESPACE, podName)) store.patch('pods', NAMESPACE, podName, { metadata: { labels } });
    else store.create(makePod({ name: podName, namespace: NAMESPACE, labels }));
  }

  async #join(filter: ObjectFilter | undefined, from?: RecordedView): Promise<void> {
    const view = await this.bench.view({ filter, before: from });
    this.viewers.push({ filter, view });
  }

  async #leave(index: number, comesBack: boolean): Promise<void> {
    const [viewer] = this.viewers.splice(index % Math.max(1, this.viewers.length), 1);
    if (viewer === undefined) return;
    await viewer.view.leave();
    this.gone.push(viewer.view);
    if (comesBack) await this.#join(viewer.filter, viewer.view);
  }

  #truth(filter: ObjectFilter | undefined): Record<string, string> {
    const pods = this.bench.store.list('pods', NAMESPACE) as unknown as KubernetesObject[];
    return versionsOf(filter === undefined ? pods : pods.filter(filter.matches));
  }

  #isRight(view: RecordedView, filter: ObjectFilter | undefined): boolean {
    const [shown, truth] = [view.versions(), this.#truth(filter)];
    const uids = Object.keys(truth);
    return (
      view.updates.length > 0 && uids.length === view.objects.size && uids.every((uid) => shown[uid] === truth[uid])
    );
  }
}

it('keeps every viewer equal to the cluster, whatever happens', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 5, maxLength: 120 }), async (moves) => {
      const bench = await Bench.start({ clock: scaledClock(40), lingerMs: 60_000 });
      const run = new Run(bench);
      try {
        await run.take({ do: 'join', filtered: false });
        for (const each of moves) await run.take(each);
        expect(await run.check()).toEqual([]);
      } finally {
        await bench.close();
      }
    }),
    { numRuns: 150, examples: [[IN_AND_OUT]], interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true },
  );
});
