import { beforeEach, describe, expect, it } from 'vitest';
import { pod } from '../../../test/support/objects.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { PODS } from '../../kubernetes/resources.ts';
import { Feed } from '../feed.ts';
import { TOMBSTONE_MS } from '../object-log.ts';
import type { Batch, Channel, Published } from './bus.ts';
import { MAX_BATCH_ENTRIES, Publisher, RETRY_MS } from './publisher.ts';

let clock: VirtualClock;
let feed: Feed;
/** The uids of what is written down. */
let snapshot: Set<string>;
let isComplete: boolean;
/** Called with each batch that has been written, before that is answered. */
let onWritten: (batches: number) => Promise<void>;
let batches: number;
let isAway: boolean;

beforeEach(() => {
  clock = new VirtualClock();
  feed = new Feed({ agentId: '7', namespace: 'shop', resource: PODS }, clock);
  const pods = Array.from({ length: 2 * MAX_BATCH_ENTRIES + 1 }, (_, index) =>
    pod(`p${index}`, { resourceVersion: 3 }),
  );
  feed.replace(pods, '5', 'kept');
  snapshot = new Set();
  isComplete = false;
  batches = 0;
  isAway = false;
  onWritten = () => Promise.resolve();
});

describe('a publisher that writes a collection down for the first time', () => {
  it('writes all of it, and what is removed meanwhile', async () => {
    onWritten = async (count) => {
      if (count === 1) feed.remove(pod('p7', { resourceVersion: 9 }));
    };
    await publish();
    expect(snapshot.size).toBe(2 * MAX_BATCH_ENTRIES);
    expect(isComplete).toBe(true);
    expect(batches).toBe(3);
  });

  it('begins again when a removal is forgotten before it is written', async () => {
    onWritten = async (count) => {
      if (count !== 1) return;
      feed.remove(pod('p7', { resourceVersion: 9 }));
      await clock.advance(TOMBSTONE_MS + 1);
      feed.remove(pod('p8', { resourceVersion: 10 })); // which is when the other one is forgotten
    };
    await publish();
    expect(isComplete).toBe(true);
    expect(written()).toEqual(there());
  });
});

it('begins again when what it could not write for long is forgotten in the moment that it writes', async () => {
  const publisher = publisherOf(feed);
  publisher.look();
  await publisher.settled();
  isAway = true;
  feed.remove(pod('p7', { resourceVersion: 9 }));
  await clock.advance(TOMBSTONE_MS);
  expect(written()).not.toEqual(there());
  isAway = false;
  await clock.advance(RETRY_MS);
  await publisher.settled();
  publisher.stop();
  expect(written()).toEqual(there());
});

function written(): string[] {
  return [...snapshot].toSorted();
}

function there(): string[] {
  return Array.from(feed.objects(), ({ metadata }) => metadata.uid).toSorted();
}

async function publish(): Promise<void> {
  const publisher = publisherOf(feed);
  publisher.look();
  await publisher.settled();
  publisher.stop();
}

function publisherOf(feed: Feed): Publisher {
  return new Publisher({
    feed,
    channel: channel(),
    clock,
    fence: 1,
    written: undefined,
    onFenced: never,
    onEmptied: never,
    onMoved: never,
    onFailed: () => undefined,
  });
}

function never(): never {
  throw new Error('a publisher does not do that');
}

/** As Redis writes. */
async function write({ entries, complete }: Batch, after: unknown): Promise<Published> {
  if (isAway) throw new Error('Redis is away');
  if (after === undefined) snapshot.clear();
  for (const { uid, isRemoval } of entries) {
    if (isRemoval) snapshot.delete(uid);
    else snapshot.add(uid);
  }
  isComplete = complete;
  batches += 1;
  await onWritten(batches);
  return { result: 'written' };
}

function channel(): Channel {
  return {
    listen: never,
    leave: never,
    position: never,
    acquire: never,
    renew: never,
    release: never,
    transfer: never,
    publish: (batch, after) => write(batch, after),
    read: never,
    batchesAfter: never,
    send: never,
  };
}
