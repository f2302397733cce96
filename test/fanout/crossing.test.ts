import * as fc from 'fast-check';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { Feed } from '../../src/pubsub/feed.ts';
import { ObjectLog } from '../../src/pubsub/object-log.ts';
import { eventually } from '../support/eventually.ts';
import { podOf } from './pod.ts';
import { Stage, type Recorder } from './stage.ts';

/** What becomes of those who are behind when a feed crosses over to another line, whose offsets are others. */

const OBJECT = parse(
  'subscription { fluxResource(agentId: "1", fluxResourcePath: "x") { object { kind metadata { labels } } } }',
);
const POD_1 = { key: 'name', matches: ({ metadata }: KubernetesObject) => metadata.name === 'pod-1' };

/** The same collection as another replica has it, by its own list. */
function beside(feed: Feed, objects: readonly KubernetesObject[], resourceVersion: string): Feed {
  const made = new Feed(feed.key, systemClock);
  made.replace(objects, resourceVersion, 'kept');
  return made;
}

describe('a member that was behind when the feed crossed over to another line', () => {
  it.each(['set', 'object'] as const)('gets what is new on that line, though its offsets are lower: %s', async (of) => {
    const stage = new Stage(2);
    const join = () => (of === 'set' ? stage.join() : stage.join({ filter: POD_1 }, stage.args(OBJECT), 'object'));
    for (let version = 2; version < 8; version += 1) stage.feed.upsert(podOf(1, version));
    const [quick, slow] = [join(), join()];
    await eventually('snapshots', () => slow.outlet.frames.length === 1, 5_000);
    slow.outlet.free = false;
    const line = beside(stage.feed, [podOf(0, 1), podOf(1, 9)], '9');
    expect(line.revision.offset).toBeLessThan(stage.feed.revision.offset);
    stage.feed.adopt(line.chronicle, line.resourceVersion);
    await eventually('the quick one has crossed', () => quick.outlet.frames.length === 2, 5_000);
    slow.outlet.release();
    await eventually('so has the slow one', () => slow.outlet.frames.length === 2, 5_000);
    expect(slow.outlet.frames[1]?.event.toString()).toContain('"version":"9"');
  });

  it('gets it when the line is the one that was left before, too', async () => {
    const stage = new Stage(2);
    const [quick, slow] = [stage.join(), stage.join()];
    await eventually('snapshots', () => slow.outlet.frames.length === 1, 5_000);
    slow.outlet.free = false;
    const { epoch, lineage } = stage.feed.chronicle;
    const entries = stage.feed.entriesAfter(0);
    const line = beside(stage.feed, [podOf(1, 2)], '2');
    stage.feed.adopt(line.chronicle, line.resourceVersion);
    await eventually('the quick one has crossed', () => quick.outlet.frames.length === 2, 5_000);
    const log = ObjectLog.of(entries, 2, 0, () => systemClock.monotonic());
    log.upsert(podOf(1, 2));
    stage.feed.adopt({ log, epoch, lineage }, '2');
    await eventually('pod-0 is back', () => quick.outlet.frames.length === 3, 5_000);
    slow.outlet.release();
    await eventually('the slow one knows', () => slow.outlet.frames.length === 2, 5_000);
    expect(slow.outlet.frames[1]?.event.toString()).toContain('"version":"2"');
  });
});

type Move =
  | { readonly do: 'change'; readonly pod: number; readonly isSeen: boolean }
  | { readonly do: 'delete' | 'hold' | 'release'; readonly pod: number }
  | { readonly do: 'cross' | 'fork' | 'settle' };

const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('change' as const), pod: fc.nat(3), isSeen: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('delete' as const, 'hold' as const, 'hold' as const, 'release' as const),
      pod: fc.nat(3),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('cross' as const, 'fork' as const, 'settle' as const, 'settle' as const),
    }),
  },
);

/** Pods that change, the feed that tells of them, and members that are slow now and then. */
class Run {
  readonly #stage = new Stage(0);
  readonly #members = [this.#stage.join(), this.#stage.join(), this.#stage.join(), this.#stage.join({ maxRate: 500 })];
  readonly #pods = new Map<number, KubernetesObject>();
  #version = 1;

  async take(move: Move): Promise<void> {
    const { feed } = this.#stage;
    switch (move.do) {
      case 'change':
        return this.#change(move.pod, move.isSeen);
      case 'delete':
        return this.#delete(move.pod);
      case 'hold':
      case 'release':
        return this.#setFree(move.pod, move.do === 'release');
      case 'fork':
        return feed.fork();
      case 'cross': {
        const line = beside(feed, [...this.#pods.values()], String(this.#version));
        return feed.adopt(line.chronicle, line.resourceVersion);
      }
      case 'settle':
        return turns();
    }
  }

  /** Everybody gets to read in the end, and has what there is. */
  async check(): Promise<void> {
    const truth = [...this.#pods.values()].map(({ metadata: { uid, labels } }) => `${uid} ${labels?.['version']}`);
    for (const index of this.#members.keys()) this.#setFree(index, true);
    for (const { outlet } of this.#members) {
      await eventually(
        'a member has it all',
        () => isSame(outlet, truth),
        1_000,
        () => [truth, setOf(outlet)],
      );
    }
    for (const { live } of this.#members) await live.return();
  }

  #change(index: number, isSeen: boolean): void {
    this.#version += 1;
    const known = this.#pods.get(index)?.metadata;
    const made = podOf(index, this.#version);
    const labels = isSeen || known === undefined ? made.metadata.labels : known.labels;
    const uid = known?.uid ?? `uid-${index}-${this.#version}`;
    const pod = { ...made, metadata: { ...made.metadata, uid, ...(labels && { labels }) } };
    this.#pods.set(index, pod);
    this.#stage.feed.upsert(pod);
  }

  #delete(index: number): void {
    const known = this.#pods.get(index);
    if (known === undefined) return;
    this.#version += 1;
    this.#pods.delete(index);
    const { resourceVersion } = podOf(index, this.#version).metadata;
    this.#stage.feed.remove({ ...known, metadata: { ...known.metadata, resourceVersion } });
  }

  #setFree(index: number, isFree: boolean): void {
    const outlet = this.#members[index]?.outlet;
    if (isFree) outlet?.release();
    else if (outlet !== undefined) outlet.free = false;
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function setOf(outlet: Recorder): string[] {
  const set = new Map<string, string>();
  for (const { type, removed, upserted } of outlet.updates) {
    if (type === 'SNAPSHOT') set.clear();
    for (const id of removed) set.delete(id);
    for (const { id, metadata } of upserted) set.set(id, `${id} ${metadata.labels.version}`);
  }
  return [...set.values()];
}

function isSame(outlet: Recorder, truth: readonly string[]): boolean {
  return JSON.stringify(setOf(outlet).toSorted()) === JSON.stringify(truth.toSorted());
}

it('brings every member to what there is, however often the feed changes lines', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(moves, { minLength: 5, maxLength: 60 }), async (all) => {
      const run = new Run();
      await turns();
      for (const move of all) await run.take(move);
      await expect(run.check()).resolves.toBeUndefined();
    }),
    { numRuns: 200, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
  );
});
