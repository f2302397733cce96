import { parse, validateSubscriptionArgs } from 'graphql';
import type { ValidatedSubscriptionArgs } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { PODS } from '../../src/kubernetes/resources.ts';
import { systemClock } from '../../src/clock.ts';
import { ApiError } from '../../src/errors.ts';
import { Feed } from '../../src/pubsub/feed.ts';
import { LiveUpdates, type LiveOptions } from '../../src/pubsub/live-updates.ts';
import { schema } from '../../src/schema/index.ts';
import { FanOut, MAX_SHAPES_PER_FEED } from '../../src/transport/fanout/fan-out.ts';
import type { Frame } from '../../src/transport/fanout/frame.ts';
import type { Outlet } from '../../src/transport/fanout/outlet.ts';
import { eventually, pause } from '../support/eventually.ts';
import { podOf } from './pod.ts';

const DOCUMENT = parse(`subscription ($resume: String, $maxRate: Float) {
  k8sPods(agentId: "1", namespace: "shop", resume: $resume, maxRate: $maxRate) {
    type cursor total removed upserted { id metadata { name labels } }
  }
}`);

/** Takes everything, unless it is told to be slow. */
class Recorder implements Outlet {
  readonly frames: Frame[] = [];
  readonly deflates = false;
  free = true;
  onWrite: () => void = () => {};
  readonly #listeners = new Set<() => void>();

  write(frame: Frame): void {
    this.frames.push(frame);
    this.onWrite();
  }

  onFree(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  release(): void {
    this.free = true;
    for (const listener of this.#listeners) listener();
  }

  get updates() {
    return this.frames.map((frame) => {
      const [, text] = /^event: next\ndata: (.*)\n\n$/s.exec(frame.event.toString()) ?? [];
      return (JSON.parse(text ?? '') as { data: { k8sPods: { type: string; total: number; upserted: object[] } } }).data
        .k8sPods;
    });
  }
}

class Stage {
  readonly feed = new Feed({ agentId: '1', namespace: 'shop', resource: PODS }, systemClock);
  refused = 0;
  released = 0;
  readonly fanOut = new FanOut({
    sharedContext: {},
    mask: (thrown) => ({ message: String(thrown) }),
    onTooManyShapes: () => (this.refused += 1),
  });

  constructor(pods: number) {
    this.feed.replace(
      Array.from({ length: pods }, (_, index) => podOf(index, 1)),
      '1',
      'kept',
    );
  }

  args(document = DOCUMENT, variableValues: Record<string, unknown> = {}): ValidatedSubscriptionArgs {
    const args = validateSubscriptionArgs({ schema, document, variableValues });
    if (!('schema' in args)) throw args[0] ?? new Error('invalid');
    return args;
  }

  join(options: LiveOptions = {}, args = this.args()) {
    const live = new LiveUpdates(this.feed, systemClock, options, () => (this.released += 1));
    const outlet = new Recorder();
    return { live, outlet, life: this.fanOut.join(args, live, outlet) };
  }
}

function isEven({ metadata }: KubernetesObject): boolean {
  return Number(metadata.labels?.['version']) % 2 === 0;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a group', () => {
  it('makes one frame for all of its members, also for those with another resume or maxRate', async () => {
    const stage = new Stage(3);
    const members = Array.from({ length: 10 }, (_, index) =>
      stage.join(index % 2 ? { maxRate: 1_000 } : {}, stage.args(DOCUMENT, index % 2 ? { maxRate: 1_000 } : {})),
    );
    await eventually('snapshots', () => members.every(({ outlet }) => outlet.frames.length === 1), 5_000);
    expect(stage.fanOut.shapes).toBe(1);
    await pause(20); // until those with a maxRate are level
    stage.feed.upsert(podOf(1, 2));
    await eventually('changes', () => members.every(({ outlet }) => outlet.frames.length === 2), 5_000);
    for (const at of [0, 1]) expect(new Set(members.map(({ outlet }) => outlet.frames[at])).size).toBe(1);
    for (const { live } of members) await live.return();
    expect([stage.fanOut.shapes, stage.released]).toEqual([0, 10]);
  });

  it('works off a large snapshot in slices, and writes to many in turns', async () => {
    const stage = new Stage(5_000);
    let ticks = 0;
    const tick = setInterval(() => (ticks += 1), 0);
    const members = Array.from({ length: 1_000 }, () => stage.join());
    await eventually('all have it', () => members.every(({ outlet }) => outlet.frames.length === 1), 10_000);
    clearInterval(tick);
    expect(ticks).toBeGreaterThanOrEqual(5); // others had their turns in between
    expect(members[999]?.outlet.updates[0]).toMatchObject({ type: 'SNAPSHOT', total: 5_000 });
    expect(new Set(members.map(({ outlet }) => outlet.frames[0])).size).toBe(1);
  });

  it('writes nothing to a member from the moment on at which it is ended, in the middle of a round too', async () => {
    const stage = new Stage(1);
    const [first, second] = [stage.join(), stage.join()];
    await eventually('snapshots', () => second.outlet.frames.length === 1, 5_000);
    const end = second.live.next();
    end.catch(() => undefined);
    first.outlet.onWrite = () => second.live.fail(new ApiError('ACCESS_REVOKED', 'gone'));
    stage.feed.upsert(podOf(0, 2));
    await eventually('the first has it', () => first.outlet.frames.length === 2, 5_000);
    await turns(5);
    expect(second.outlet.frames).toHaveLength(1);
    await expect(end).rejects.toThrow('gone');
  });

  it('writes nothing to one that is ended while it joins', async () => {
    const stage = new Stage(1);
    const [first, second] = [stage.join(), stage.join()];
    first.outlet.onWrite = () => second.live.fail(new ApiError('ACCESS_REVOKED', 'gone'));
    await eventually('the first has it', () => first.outlet.frames.length === 1, 5_000);
    await turns(5);
    expect(second.outlet.frames).toHaveLength(0);
  });

  it('sends a pod that came back under the filter, though it looks as it did before it left', async () => {
    const stage = new Stage(1);
    const filter = { key: 'even', matches: isEven };
    const args = stage.args(
      parse('subscription { k8sPods(agentId: "1", namespace: "shop") { type total removed upserted { id } } }'),
    );
    const { outlet } = stage.join({ filter }, args);
    await eventually('the snapshot', () => outlet.frames.length === 1, 5_000);
    for (const version of [2, 3, 4]) {
      stage.feed.upsert(podOf(0, version));
      await eventually('a message', () => outlet.frames.length === version, 5_000);
    }
    expect(outlet.updates.map(({ total }) => total)).toEqual([0, 1, 0, 1]);
    expect(outlet.updates[3]?.upserted).toHaveLength(1);
  });

  it('tells those who were slow nothing that they would not see', async () => {
    const stage = new Stage(2);
    const args = stage.args(
      parse('subscription { k8sPods(agentId: "1", namespace: "shop") { type total removed upserted { id } } }'),
    );
    const [quick, slow] = [stage.join({}, args), stage.join({}, args)];
    await eventually('snapshots', () => slow.outlet.frames.length === 1, 5_000);
    slow.outlet.free = false;
    stage.feed.upsert(podOf(0, 2));
    stage.feed.upsert(podOf(5, 1));
    await eventually('a new pod', () => quick.outlet.frames.length === 2, 5_000);
    stage.feed.upsert(podOf(1, 2));
    await turns(5);
    slow.outlet.release();
    await eventually('caught up', () => slow.outlet.frames.length === 2, 5_000);
    expect(slow.outlet.updates[1]?.upserted).toEqual([{ id: 'uid-5' }]);
    expect(quick.outlet.frames).toHaveLength(2);
  });

  it('skips who is not free, and catches them up with one message when they are', async () => {
    const stage = new Stage(2);
    const [quick, slow] = [stage.join(), stage.join()];
    await eventually('snapshots', () => slow.outlet.frames.length === 1, 5_000);
    slow.outlet.free = false;
    for (let version = 2; version < 6; version += 1) {
      stage.feed.upsert(podOf(version % 2, version));
      await eventually('the quick one has it', () => quick.outlet.frames.length === version, 5_000);
    }
    expect(slow.outlet.frames).toHaveLength(1);
    slow.outlet.release();
    await eventually('caught up', () => slow.outlet.frames.length === 2, 5_000);
    expect(slow.outlet.updates[1]).toMatchObject({ type: 'CHANGES', upserted: [{}, {}] });
    stage.feed.upsert(podOf(0, 9));
    await eventually('level again', () => slow.outlet.frames.length === 3, 5_000);
    expect(slow.outlet.frames[2]).toBe(quick.outlet.frames.at(-1));
  });

  it('starts everybody over when the feed does', async () => {
    const stage = new Stage(2);
    const [quick, slow] = [stage.join(), stage.join()];
    await eventually('snapshots', () => slow.outlet.frames.length === 1, 5_000);
    slow.outlet.free = false;
    stage.feed.replace([podOf(7, 1)], '9', 'lost');
    await eventually('a snapshot', () => quick.outlet.updates.at(-1)?.total === 1, 5_000);
    slow.outlet.release();
    await eventually('the same for who was slow', () => slow.outlet.updates.at(-1)?.total === 1, 5_000);
    expect([quick, slow].map(({ outlet }) => outlet.updates.at(-1)?.type)).toEqual(['SNAPSHOT', 'SNAPSHOT']);
  });

  it('serves only so many shapes of a feed together', () => {
    const stage = new Stage(0);
    const shapes = Array.from({ length: MAX_SHAPES_PER_FEED + 1 }, (_, index) =>
      parse(`subscription S${index} { k8sPods(agentId: "1", namespace: "shop") { total } }`),
    );
    const lives = shapes.map((document) => stage.join({}, stage.args(document)).life);
    expect(lives.filter((life) => life === undefined)).toHaveLength(1);
    expect(stage.refused).toBe(1);
    expect(stage.join({}, stage.args(shapes[0])).life).toBeDefined();
  });
});
