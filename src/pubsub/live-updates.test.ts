import { describe, expect, it } from 'vitest';
import { pod } from '../../test/support/objects.ts';
import { settled, VirtualClock } from '../../test/support/virtual-clock.ts';
import { ApiError } from '../errors.ts';
import { PODS } from '../kubernetes/resources.ts';
import type { ReflectorStatus } from '../sources/status.ts';
import { Feed } from './feed.ts';
import { LiveUpdates, type LiveOptions } from './live-updates.ts';

const KEY = { agentId: '7', namespace: 'shop', resource: PODS };
const REVOKED = new ApiError('ACCESS_REVOKED', 'No longer.');

describe('LiveUpdates', () => {
  it('begins when the feed is synced, with all there is', async () => {
    const { feed, updates } = live({ synced: false });
    const first = updates.next();
    expect(await isPending(first)).toBe(true);
    feed.replace([pod('a')], '5', 'kept');
    expect((await first).value).toMatchObject({ type: 'SNAPSHOT', total: 1 });
  });

  it('sends what changes, when it changes', async () => {
    const { feed, updates } = live();
    await updates.next();
    const next = updates.next();
    expect(await isPending(next)).toBe(true);
    feed.upsert(pod('a', { resourceVersion: 6 }));
    feed.upsert(pod('b', { resourceVersion: 7 }));
    expect((await next).value).toMatchObject({ type: 'CHANGES', total: 2 });
  });

  it('makes one message of ten thousand changes that were not asked for', async () => {
    const { feed, updates } = live();
    await updates.next();
    for (let version = 2; version < 10_002; version += 1) {
      feed.upsert(pod(`p${version % 50}`, { resourceVersion: version }));
      if (version % 100 === 0) await settled();
    }
    const { value } = await updates.next();
    expect(value?.upserted).toHaveLength(50);
    expect(await isPending(updates.next())).toBe(true);
  });

  it('sends no more often than is wanted, and then the latest state', async () => {
    const { feed, updates, clock } = live({ maxRate: 2 });
    await updates.next();
    const times: number[] = [];
    let versions = 0;
    void (async () => {
      for await (const update of updates) {
        times.push(clock.monotonic());
        versions = Number(update.upserted.at(-1)?.metadata.resourceVersion);
      }
    })();
    for (let version = 2; version <= 101; version += 1) {
      feed.upsert(pod('a', { resourceVersion: version }));
      await clock.advance(50);
    }
    await clock.advance(1_000);
    expect(times.length).toBeGreaterThanOrEqual(9);
    for (const [index, at] of times.entries()) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(500);
    expect(versions).toBe(101);
    await updates.return();
    expect(clock.pending).toBe(0);
  });

  it('settles a pending next() at once on return(), and lets go once', async () => {
    const { feed, updates, released } = live();
    await updates.next();
    const next = updates.next();
    expect(await updates.return()).toEqual({ done: true, value: undefined });
    expect(await next).toEqual({ done: true, value: undefined });
    await updates.return();
    updates.fail(REVOKED);
    expect(await updates.next()).toEqual({ done: true, value: undefined });
    expect(released()).toBe(1);
    feed.upsert(pod('a'));
    await settled();
    expect(released()).toBe(1);
  });

  it('delivers nothing after fail(), throws once, and lets go once', async () => {
    const { feed, updates, released } = live();
    feed.upsert(pod('a', { resourceVersion: 6 }));
    updates.fail(REVOKED);
    updates.fail(new ApiError('LIMIT_EXCEEDED', 'Another.'));
    await expect(updates.next()).rejects.toBe(REVOKED);
    expect(await updates.next()).toEqual({ done: true, value: undefined });
    expect(released()).toBe(1);
  });

  it('rejects a pending next() on fail() at once', async () => {
    const { updates, released } = live();
    await updates.next();
    const next = updates.next();
    updates.fail(REVOKED);
    await expect(next).rejects.toBe(REVOKED);
    expect(released()).toBe(1);
  });

  it('throws nothing any more after return()', async () => {
    const { updates } = live();
    updates.fail(REVOKED);
    await updates.return();
    expect(await updates.next()).toEqual({ done: true, value: undefined });
  });

  it('refuses a second next() before the first has settled, and keeps the first', async () => {
    const { feed, updates } = live();
    await updates.next();
    const first = updates.next();
    await expect(updates.next()).rejects.toThrow('before the last one settled');
    feed.upsert(pod('a'));
    expect((await first).value).toMatchObject({ total: 1 });
  });

  it('ends with what stands in the way for good, and waits for what may pass', async () => {
    const { feed, updates, released } = live({ synced: false });
    const next = updates.next();
    feed.report(status(false));
    expect(await isPending(next)).toBe(true);
    feed.report(status(true));
    await expect(next).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(released()).toBe(1);
  });

  it('goes on with what it has when the watch is refused later', async () => {
    const { feed, updates } = live();
    await updates.next();
    const next = updates.next();
    feed.report(status(true));
    expect(await isPending(next)).toBe(true);
    feed.upsert(pod('a'));
    expect((await next).value).toMatchObject({ total: 1 });
  });

  it('with a filter that throws ends that one subscription, and hurts nobody else', async () => {
    const { feed, updates, clock, released } = live({
      filter: {
        key: 'broken',
        matches: ({ metadata }) => {
          if (metadata.name === 'bad') throw new Error('defect');
          return true;
        },
      },
    });
    const other = new LiveUpdates(feed, clock, {}, () => {});
    await updates.next();
    await other.next();
    const next = updates.next();
    const others = other.next();
    feed.upsert(pod('bad'));
    await expect(next).rejects.toThrow('defect');
    expect((await others).value).toMatchObject({ total: 1 });
    expect(await updates.next()).toEqual({ done: true, value: undefined });
    expect(released()).toBe(1);
  });

  it('leaves no listener behind', async () => {
    const { feed, updates } = live();
    await updates.next();
    const next = updates.next();
    expect(feed.listeners.size).toBe(2);
    await updates.return();
    await next;
    expect(feed.listeners.size).toBe(0);
  });
});

/** Knows who listens. */
class CountedFeed extends Feed {
  readonly listeners = new Set<() => void>();

  override onChange(listener: () => void): () => void {
    return this.#counted(super.onChange(listener));
  }

  override onStatus(listener: () => void): () => void {
    return this.#counted(super.onStatus(listener));
  }

  #counted(stop: () => void): () => void {
    this.listeners.add(stop);
    return () => {
      this.listeners.delete(stop);
      stop();
    };
  }
}

function live({ synced = true, ...options }: LiveOptions & { synced?: boolean } = {}) {
  const clock = new VirtualClock();
  const feed = new CountedFeed(KEY, clock);
  if (synced) feed.replace([], '1', 'kept');
  let count = 0;
  const updates = new LiveUpdates(feed, clock, options, () => (count += 1));
  return { clock, feed, updates, released: () => count };
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, settled().then(() => pending)])) === pending;
}

function status(final: boolean): ReflectorStatus {
  const error = new ApiError('FORBIDDEN', 'You may not.');
  const rest = { attempts: 1, nextRetryAt: undefined, transport: undefined, hops: [] };
  return { state: 'DISCONNECTED', since: 0, error, final, ...rest };
}
