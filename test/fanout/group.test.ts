import { parse } from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { ApiError } from '../../src/errors.ts';
import { MAX_SHAPES_PER_FEED } from '../../src/transport/fanout/fan-out.ts';
import { Pace } from '../../src/transport/fanout/pace.ts';
import { eventually, pause } from '../support/eventually.ts';
import { podOf } from './pod.ts';
import { DOCUMENT, Stage } from './stage.ts';

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
    const turn = vi.spyOn(Pace.prototype, 'turn');
    const members = Array.from({ length: 1_000 }, () => stage.join());
    await eventually('all have it', () => members.every(({ outlet }) => outlet.frames.length === 1), 10_000);
    // 50 objects at a time, and 50 members: between them others get their turn when it is time (pace.test.ts).
    expect(turn.mock.calls.length).toBeGreaterThanOrEqual(5_000 / 50 + 1_000 / 50);
    turn.mockRestore();
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
    expect(stage.counters.value('updates_coalesced')).toBe(1);
    const written = quick.outlet.frames.length + slow.outlet.frames.length;
    expect(stage.counters.value('deliveries', { transport: 'websocket', mode: 'shared' })).toBe(written);
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
    expect(stage.counters.value('resyncs', { reason: 'UPSTREAM_RESET' })).toBe(2);
  });

  it('tells of one object what is selected of it: that it comes, changes and goes, and nothing twice', async () => {
    const stage = new Stage(1);
    const filter = { key: 'name', matches: ({ metadata }: KubernetesObject) => metadata.name === 'pod-1' };
    const args = stage.args(
      parse('subscription { fluxResource(agentId: "1", fluxResourcePath: "x") { object { kind } freshAsOf } }'),
    );
    const [quick, slow] = [stage.join({ filter }, args, 'object'), stage.join({ filter }, args, 'object')];
    const seen = ({ outlet }: typeof quick) =>
      outlet.frames.map((frame) => /"object":(null|{"kind":"\w+"})/.exec(frame.event.toString())?.[1]);
    await eventually('there is none', () => slow.outlet.frames.length === 1, 5_000);
    slow.outlet.free = false;
    stage.feed.upsert(podOf(1, 1));
    await eventually('it comes', () => quick.outlet.frames.length === 2, 5_000);
    stage.feed.upsert(podOf(1, 2)); // nothing that is selected
    stage.feed.upsert(podOf(2, 1));
    await turns(5);
    stage.feed.remove(podOf(1, 3));
    await eventually('it goes', () => quick.outlet.frames.length === 3, 5_000);
    stage.feed.replace([podOf(1, 9)], '9', 'lost');
    await eventually('it is back', () => quick.outlet.frames.length === 4, 5_000);
    stage.feed.replace([podOf(1, 9)], '10', 'lost');
    slow.outlet.release();
    await eventually('the slow one knows', () => slow.outlet.frames.length === 2, 5_000);
    await turns(5);
    expect(seen(quick)).toEqual(['null', '{"kind":"Pod"}', 'null', '{"kind":"Pod"}']);
    expect(seen(slow)).toEqual(['null', '{"kind":"Pod"}']);
    expect(quick.outlet.frames[0]).toBe(slow.outlet.frames[0]);
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
