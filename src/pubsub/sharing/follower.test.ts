import { beforeEach, describe, expect, it } from 'vitest';
import { names, pod } from '../../../test/support/objects.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { PODS } from '../../kubernetes/resources.ts';
import { Feed } from '../feed.ts';
import type { Batch, Channel, Head } from './bus.ts';
import { CROSSING_MS, Follower, STALE_MS } from './follower.ts';
import type { FollowerEvent } from './share-events.ts';
import { encodeEntry } from './wire.ts';

const KEY = { agentId: '7', namespace: 'shop', resource: PODS };

let clock: VirtualClock;
let leader: Feed;
let feed: Feed;
let events: FollowerEvent[];
let failed: unknown[];
/** What is written down: the leader's log, and the batches that are kept of it. */
let written: { head: Head | undefined; fence: number; batches: Batch[] };
let batchesAfter: Channel['batchesAfter'];
let follower: Follower;

beforeEach(async () => {
  clock = new VirtualClock();
  leader = new Feed(KEY, clock);
  feed = new Feed(KEY, clock);
  events = [];
  failed = [];
  leader.replace([pod('a', { resourceVersion: 3 }), pod('b', { resourceVersion: 4 })], '5', 'kept');
  written = { head: undefined, fence: 10, batches: [] };
  batchesAfter = (offset) => Promise.resolve(written.batches.filter(({ to }) => to > offset));
  write();
  follower = new Follower({
    feed,
    channel: channel(),
    clock,
    onEvent: (event) => events.push(event),
    onFailed: (error) => failed.push(error),
    onCaughtUp: () => undefined,
  });
  void follower.check();
  await clock.advance(0);
});

describe('a follower', () => {
  it('begins with what is written down', () => {
    expect(feed.synced).toBe(true);
    expect(names(feed.objects())).toEqual(['a@3', 'b@4']);
    expect(feed.revision).toEqual(leader.revision);
    expect(follower.isLevel).toBe(true);
  });

  it('enters what follows on what it has, removals too', async () => {
    await follow(changed(() => leader.upsert(pod('c', { resourceVersion: 6 }))));
    await follow(changed(() => leader.remove(pod('a', { resourceVersion: 7 }))));
    expect(names(feed.objects())).toEqual(['b@4', 'c@6']);
    expect(events).toEqual(['loaded']);
  });

  it('reads what it has missed before it goes on', async () => {
    changed(() => leader.upsert(pod('c', { resourceVersion: 6 })));
    await follow(changed(() => leader.upsert(pod('d', { resourceVersion: 7 }))));
    expect(names(feed.objects())).toEqual(['a@3', 'b@4', 'c@6', 'd@7']);
    expect(feed.revision).toEqual(leader.revision);
    expect(events).toEqual(['loaded', 'repaired']);
  });

  it('reads the whole when what it has missed is not kept any more', async () => {
    changed(() => leader.upsert(pod('c', { resourceVersion: 6 })));
    const batch = changed(() => leader.upsert(pod('d', { resourceVersion: 7 })));
    written.batches = [];
    await follow(batch);
    expect(names(feed.objects())).toEqual(['a@3', 'b@4', 'c@6', 'd@7']);
    expect(events).toEqual(['loaded', 'loaded', 'crossed']);
  });

  it('enters what came while it was reading, in order', async () => {
    changed(() => leader.upsert(pod('c', { resourceVersion: 6 })));
    follower.batch(changed(() => leader.upsert(pod('d', { resourceVersion: 7 })))); // it begins to read
    const { offset } = leader.revision;
    leader.upsert(pod('e', { resourceVersion: 8 })); // too late for what it reads
    follower.batch(batchOf(leader, offset));
    await clock.advance(0);
    expect(names(feed.objects())).toEqual(['a@3', 'b@4', 'c@6', 'd@7', 'e@8']);
    expect(follower.isLevel).toBe(true);
  });

  it('takes nothing from a leader whose fence has ended', async () => {
    const late = changed(() => leader.upsert(pod('c', { resourceVersion: 6 })));
    await follow({ ...late, fence: written.fence - 1 });
    expect(names(feed.objects())).toEqual(['a@3', 'b@4']);
    expect(events).toEqual(['loaded', 'fenced']);
  });

  it('does not mix two lines: what another one has at the same offset is no continuation', async () => {
    const other = new Feed(KEY, clock);
    other.replace([pod('a', { resourceVersion: 3 }), pod('x', { resourceVersion: 5 })], '6', 'kept');
    const { offset } = other.revision;
    other.upsert(pod('y', { resourceVersion: 9 }));
    await follow(batchOf(other, offset));
    expect(names(feed.objects())).toEqual(['a@3', 'b@4']);
    expect(feed.revision).toEqual(leader.revision);
  });

  it('goes over to another line only when no object goes back in time by it, or when that takes too long', async () => {
    await follow(changed(() => leader.upsert(pod('a', { resourceVersion: 9 }))));
    const other = new Feed(KEY, clock);
    other.replace([pod('a', { resourceVersion: 3 }), pod('b', { resourceVersion: 4 })], '5', 'kept');
    leader = other;
    written.batches = [];
    write();
    await follow(batchOf(other, 0));
    expect(names(feed.objects())).toEqual(['a@9', 'b@4']);
    expect(follower.isLevel).toBe(false);
    await follow(changed(() => other.upsert(pod('a', { resourceVersion: 9 }))));
    expect(events.at(-1)).toBe('crossed');
    expect(feed.revision).toEqual(other.revision);
    expect(feed.counts.resets).toBe(0);
  });

  it('starts over when the other line stays behind', async () => {
    await follow(changed(() => leader.upsert(pod('a', { resourceVersion: 9 }))));
    leader = new Feed(KEY, clock);
    leader.replace([pod('a', { resourceVersion: 3 })], '5', 'kept');
    written.batches = [];
    write();
    await follow(batchOf(leader, 0));
    await clock.advance(CROSSING_MS + 1);
    follower.tick();
    expect(names(feed.objects())).toEqual(['a@3']);
    expect(events.at(-1)).toBe('started over');
    expect(feed.counts.resets).toBe(1);
  });

  it('shows nobody what a leader has left long ago', async () => {
    const late = new Feed(KEY, clock);
    if (written.head !== undefined) written.head = { ...written.head, ageMs: STALE_MS + 1 };
    const other = new Follower({
      feed: late,
      channel: channel(),
      clock,
      onEvent: () => undefined,
      onFailed: (error) => failed.push(error),
      onCaughtUp: () => undefined,
    });
    void other.check();
    await clock.advance(0);
    expect(late.synced).toBe(false);
    expect(failed).toEqual([]);
  });

  it('enters nothing that it had asked for before it was stopped', async () => {
    changed(() => leader.upsert(pod('c', { resourceVersion: 6 })));
    const { batches } = written;
    const asked = Promise.withResolvers<readonly Batch[]>();
    batchesAfter = () => asked.promise;
    void follower.check();
    await clock.advance(0);
    follower.stop();
    asked.resolve(batches);
    await clock.advance(0);
    expect(names(feed.objects())).toEqual(['a@3', 'b@4']);
    expect(events).toEqual(['loaded']);
  });

  it('enters nothing after it was stopped', async () => {
    follower.stop();
    await follow(changed(() => leader.upsert(pod('c', { resourceVersion: 6 }))));
    expect(names(feed.objects())).toEqual(['a@3', 'b@4']);
  });
});

async function follow(batch: Batch): Promise<void> {
  follower.batch(batch);
  await clock.advance(0);
}

/** Changes the leader's feed and writes that down. */
function changed(change: () => void): Batch {
  const { offset } = leader.revision;
  change();
  const batch = batchOf(leader, offset);
  written.batches.push(batch);
  write();
  return batch;
}

function write(): void {
  const { lineage, floor, resourceVersion, revision } = leader;
  written.head = { ...revision, lineage, floor, resourceVersion, ageMs: 0 };
}

function batchOf(from: Feed, offset: number): Batch {
  return {
    type: 'batch',
    fence: written.fence,
    epoch: from.revision.epoch,
    lineage: from.lineage,
    from: offset,
    to: from.revision.offset,
    floor: from.floor,
    resourceVersion: from.resourceVersion,
    complete: true,
    lost: false,
    entries: from.entriesAfter(offset).map(encodeEntry),
  };
}

function never(): Promise<never> {
  return Promise.reject(new Error('a follower does not do that'));
}

function channel(): Channel {
  return {
    listen: never,
    leave: () => undefined,
    position: () => Promise.resolve({ leader: 'leader', fence: written.fence, head: written.head }),
    acquire: never,
    renew: never,
    release: never,
    transfer: never,
    publish: never,
    read: () => Promise.resolve(written.head && { head: written.head, entries: leader.entriesAfter(0) }),
    batchesAfter: (offset) => batchesAfter(offset),
    send: never,
  };
}
