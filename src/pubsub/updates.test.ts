import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { names, pod } from '../../test/support/objects.ts';
import { acts, History } from '../../test/support/random-history.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { PODS, SERVICES } from '../kubernetes/resources.ts';
import { encodeCursor, viewOf } from './cursor.ts';
import { Feed } from './feed.ts';
import { TOMBSTONE_MS } from './object-log.ts';
import { UpdateReader, type ObjectFilter, type Update } from './updates.ts';

const KEY = { agentId: '7', namespace: 'shop', resource: PODS };
const RED: ObjectFilter = { key: 'red', matches: ({ metadata }) => metadata.labels?.['color'] === 'red' };

/** What a client holds that does exactly as it is told. */
class Client {
  readonly objects = new Map<string, KubernetesObject>();
  readonly cursors: string[] = [];

  constructor(objects: Iterable<[string, KubernetesObject]> = []) {
    this.objects = new Map(objects);
  }

  apply(update: Update | undefined): void {
    if (update === undefined) return;
    if (update.type === 'SNAPSHOT') this.objects.clear();
    for (const uid of update.removed) this.objects.delete(uid);
    for (const object of update.upserted) this.objects.set(object.metadata.uid, object);
    this.cursors.push(update.cursor);
    assert.equal(update.total, this.objects.size);
  }

  get contents(): string[] {
    return names(this.objects.values());
  }
}

describe.each([
  ['without a filter', undefined],
  ['with a filter', RED],
])('UpdateReader %s', (_, filter) => {
  const visible = (feed: Feed) => names([...feed.objects()].filter(filter?.matches ?? (() => true)));

  it('keeps a client equal to the collection, however seldom it looks, and however it comes back', async () => {
    await fc.assert(
      fc.asyncProperty(acts(TOMBSTONE_MS / 3), fc.array(fc.boolean()), fc.nat(), async (all, looks, seed) => {
        const clock = new VirtualClock();
        const feed = new Feed(KEY, clock);
        const history = new History(feed, clock);
        const reader = new UpdateReader(feed, filter, undefined);
        const client = new Client();
        const earlier: { cursor: string; objects: Map<string, KubernetesObject> }[] = [];
        client.apply(reader.read());
        for (const [index, act] of all.entries()) {
          await history.act(act);
          if (looks[index % Math.max(1, looks.length)] === false) continue;
          const update = reader.read();
          client.apply(update);
          if (update !== undefined) earlier.push({ cursor: update.cursor, objects: new Map(client.objects) });
          expect(client.contents).toEqual(visible(feed));
        }
        client.apply(reader.read());
        expect(client.contents).toEqual(visible(feed));
        expect(reader.read()).toBeUndefined();

        const from = earlier[seed % Math.max(1, earlier.length)];
        if (from === undefined) return;
        const returning = new Client(from.objects);
        const resumed = new UpdateReader(feed, filter, from.cursor);
        const first = resumed.read();
        returning.apply(first);
        expect(returning.contents).toEqual(visible(feed));
        expect([undefined, 'HISTORY_EXPIRED', 'CURSOR_INVALID']).toContain(first?.resyncReason);
        expect(first?.type).toBe(first?.resyncReason === undefined ? 'CHANGES' : 'SNAPSHOT');
        for (const act of all) {
          await history.act(act);
          returning.apply(resumed.read());
          expect(returning.contents).toEqual(visible(feed));
        }
      }),
      { numRuns: 250 },
    );
  });

  it('says nothing twice, and nothing when there is nothing to say', async () => {
    const { feed, reader } = opened(filter);
    expect(reader.read()).toMatchObject({ type: 'SNAPSHOT', resyncReason: undefined });
    expect(reader.read()).toBeUndefined();
    feed.upsert(red('a', 5));
    expect(reader.read()).toMatchObject({ type: 'CHANGES', removed: [], total: 1 });
    expect(reader.read()).toBeUndefined();
    feed.upsert(red('a', 5));
    expect(reader.read()).toBeUndefined();
  });

  it('answers a resume with nothing to catch up with at once, with no changes', () => {
    const { feed, reader } = opened(filter);
    const cursor = reader.read()?.cursor;
    expect(new UpdateReader(feed, filter, cursor).read()).toMatchObject({ type: 'CHANGES', upserted: [], removed: [] });
  });

  it('tells why a snapshot comes again', async () => {
    const { feed, reader, clock } = opened(filter);
    const cursor = reader.read()?.cursor;
    feed.upsert(red('a', 5));
    feed.remove(red('a', 6));
    feed.upsert(red('b', 7));
    await clock.advance(TOMBSTONE_MS + 1);
    expect(reader.read()).toMatchObject({ type: 'SNAPSHOT', resyncReason: 'SLOW_CONSUMER', total: 1 });
    expect(new UpdateReader(feed, filter, cursor).read()).toMatchObject({ resyncReason: 'HISTORY_EXPIRED', total: 1 });
    feed.replace([red('c', 2)], '3', 'lost');
    expect(reader.read()).toMatchObject({ type: 'SNAPSHOT', resyncReason: 'UPSTREAM_RESET', total: 1 });
    expect(new UpdateReader(feed, filter, cursor).read()).toMatchObject({ resyncReason: 'CURSOR_INVALID', total: 1 });
  });

  it('answers a cursor that is none of its own with a snapshot', () => {
    const { feed, reader } = opened(filter);
    reader.read();
    const { epoch, offset } = feed.revision;
    const view = viewOf(KEY, filter?.key ?? '');
    const strange = [
      '',
      'x',
      '😀'.repeat(60),
      'A'.repeat(10_000),
      encodeCursor({ epoch, offset: offset + 1 }, view),
      encodeCursor({ epoch, offset: Number.MAX_SAFE_INTEGER }, view),
      encodeCursor({ epoch: 'AAAAAAAAAAAA', offset }, view),
      encodeCursor({ epoch, offset }, viewOf(KEY, 'another filter')),
      encodeCursor({ epoch, offset }, viewOf({ ...KEY, namespace: 'other' }, filter?.key ?? '')),
      encodeCursor({ epoch, offset }, viewOf({ ...KEY, resource: SERVICES }, filter?.key ?? '')),
      encodeCursor({ epoch, offset }, viewOf({ ...KEY, agentId: '8' }, filter?.key ?? '')),
    ];
    for (const cursor of strange) {
      expect(new UpdateReader(feed, filter, cursor).read()).toMatchObject({
        type: 'SNAPSHOT',
        resyncReason: 'CURSOR_INVALID',
      });
    }
  });
});

describe('a filter', () => {
  it('removes what ceases to match, once, and says nothing of what never did', () => {
    const { feed, reader } = opened(RED);
    reader.read();
    feed.upsert(pod('b', { resourceVersion: 5, labels: { color: 'blue' } }));
    expect(reader.read()).toBeUndefined();
    feed.upsert(red('a', 6));
    expect(reader.read()).toMatchObject({ total: 1 });
    feed.upsert(pod('a', { resourceVersion: 7, labels: { color: 'blue' } }));
    expect(reader.read()).toMatchObject({ upserted: [], removed: ['uid-a'], total: 0 });
    feed.remove(pod('a', { resourceVersion: 8 }));
    expect(reader.read()).toBeUndefined();
  });
});

function opened(filter: ObjectFilter | undefined) {
  const clock = new VirtualClock();
  const feed = new Feed(KEY, clock);
  feed.replace([], '1', 'kept');
  return { clock, feed, reader: new UpdateReader(feed, filter, undefined) };
}

function red(name: string, resourceVersion: number): KubernetesObject {
  return pod(name, { resourceVersion, labels: { color: 'red' } });
}
