import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bench, type WatchedFeed } from '../../../test/support/reflector-bench.ts';
import { RETRY_AFTER_MS, SimulatedApi, stateOf, type Refusal } from '../../../test/support/simulated-api.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { compareResourceVersions } from '../../kubernetes/resource-version.ts';
import type { Reflector } from './reflector.ts';

type Act = readonly [name: string, act: (api: SimulatedApi, reflector: Reflector) => void];

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const REFUSALS: Refusal[] = [
  'throttled',
  'server',
  'unreachable',
  'agentNotConnected',
  'forbidden',
  'malformed',
  'torn',
];

const onObject = fc
  .tuple(fc.constantFrom('create', 'create', 'update', 'update', 'delete'), fc.constantFrom(...NAMES))
  .map(([verb, name]): Act => {
    if (verb === 'create') return [`create ${name}`, (api) => api.create(name)];
    if (verb === 'update') return [`update ${name}`, (api) => api.update(name)];
    return [`delete ${name}`, (api) => api.delete(name)];
  });

const fault: fc.Arbitrary<Act> = fc.oneof(
  fc.constantFrom<Act[]>(
    ['elsewhere', (api) => api.elsewhere()],
    ['compact', (api) => api.compact()],
    ['end all', (api) => api.endAll()],
    ['tear all', (api) => api.tearAll()],
    ['garble all', (api) => api.garbleAll()],
    ['fail all', (api) => api.failAll()],
    ['silence all', (api) => api.silenceAll()],
    ['410 in the stream', (api) => api.sayExpiredInStream(true)],
    ['410 as an answer', (api) => api.sayExpiredInStream(false)],
  ),
  fc.constantFrom<Act[]>(['back up', (api) => api.backUp()], ['restore', (api) => api.restore()]),
  fc.constantFrom<Act[]>(
    ['renew', (_, reflector) => reflector.renew()],
    ['retry now', (_, reflector) => reflector.retryNow()],
  ),
  fc.integer({ min: 1, max: 4 }).map((times): Act => [`close ${times} at once`, (api) => api.closeNextAtOnce(times)]),
  fc.integer({ min: 1, max: 2 }).map((times): Act => [`swallow ${times}`, (api) => api.swallowNext(times)]),
  fc
    .tuple(fc.constantFrom(...REFUSALS), fc.integer({ min: 1, max: 5 }))
    .map(([refusal, times]): Act => [`refuse ${times} as ${refusal}`, (api) => api.refuseNext(refusal, times)]),
);

const pause = fc.oneof(
  fc.integer({ min: 0, max: 10 }),
  fc.integer({ min: 0, max: 3_000 }),
  fc.integer({ min: 0, max: 90_000 }),
);

const schedule = fc.array(
  fc.tuple(fc.oneof({ weight: 3, arbitrary: onObject }, { weight: 2, arbitrary: fault }), pause),
  { minLength: 1, maxLength: 40, size: 'max' },
);

/** Longer than any wait: a minute's recheck after a refusal, four minutes to doubt a silent server twice, and a list. */
const LONG_ENOUGH_MS = 12 * 60_000;

describe('a reflector and an API server with a bad character', () => {
  it('agree in the end, and nothing wrong is said on the way', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, fc.integer(), async (acts, seed) => {
        const clock = new VirtualClock(seed);
        const { upstream: api, feed, reflector, defects } = bench(() => new SimulatedApi(clock), { clock });
        const watcher = new Watcher(feed, api);
        reflector.start();
        for (const [[, act], ms] of acts) {
          act(api, reflector);
          await clock.advance(ms);
          watcher.look();
        }
        api.heal();
        await clock.advance(LONG_ENOUGH_MS);
        // It may just be changing from one stream to the next.
        for (let tries = 0; tries < 20 && feed.latest?.state !== 'CONNECTED'; tries += 1) await clock.advance(50);
        watcher.look();
        expect(Array.from(feed.objects(), stateOf).toSorted()).toEqual(api.contents);
        expect(feed.latest?.state).toBe('CONNECTED');
        expect(api.held).toBe(1);
        expect(defects).toEqual([]);
        expectModestRates(api);
        reflector.stop();
        await clock.advance(0);
        expect(api.held).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);
});

/** Looks at every report and every change, and objects at once to what must never be. */
class Watcher {
  readonly #feed: WatchedFeed;
  readonly #api: SimulatedApi;
  readonly #versions = new Map<string, string>();
  readonly #removed = new Set<string>();
  #epoch: string;

  constructor(feed: WatchedFeed, api: SimulatedApi) {
    this.#feed = feed;
    this.#api = api;
    this.#epoch = feed.revision.epoch;
    feed.onChange(() => this.#checkObjects());
    feed.onStatus(() => this.#checkStatus());
  }

  look(): void {
    this.#checkObjects();
    this.#checkStatus();
  }

  #checkStatus(): void {
    if (this.#feed.latest?.state !== 'CONNECTED') return;
    assert.ok(this.#feed.synced, 'CONNECTED without a complete list');
    assert.ok(this.#api.accepted > 0, 'CONNECTED without a stream');
    assert.ok(this.#api.held <= 2, 'more than two streams');
  }

  #checkObjects(): void {
    if (this.#feed.revision.epoch !== this.#epoch) {
      this.#epoch = this.#feed.revision.epoch;
      this.#versions.clear();
      this.#removed.clear();
    }
    const present = new Set<string>();
    for (const object of this.#feed.objects()) {
      const { uid, resourceVersion } = object.metadata;
      assert.ok(this.#api.existed.has(stateOf(object)), `${stateOf(object)} never existed`);
      assert.ok(!this.#removed.has(uid), `${uid} came back`);
      const before = this.#versions.get(uid);
      const isOlder = before !== undefined && compareResourceVersions(resourceVersion, before) === -1;
      assert.ok(!isOlder, `${uid} went back from ${before} to ${resourceVersion}`);
      this.#versions.set(uid, resourceVersion);
      present.add(uid);
    }
    for (const uid of this.#versions.keys()) if (!present.has(uid)) this.#removed.add(uid);
  }
}

/** Never more than the agent's admission lets through, and never sooner than the server has asked for. */
function expectModestRates({ openings, throttledAt }: SimulatedApi): void {
  const times = openings.map(({ at }) => at);
  for (const [index, start] of times.entries()) {
    const within = times.slice(index).filter((at) => at < start + 1_000).length;
    expect(within).toBeLessThanOrEqual(20);
  }
  for (const at of throttledAt) {
    expect(times.filter((time) => time > at && time < at + RETRY_AFTER_MS)).toEqual([]);
  }
}
