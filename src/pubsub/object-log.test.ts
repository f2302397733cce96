import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { names, pod } from '../../test/support/objects.ts';
import { acts, History } from '../../test/support/random-history.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { MAX_TOMBSTONES, ObjectLog, TOMBSTONE_MS } from './object-log.ts';

/** An ObjectLog beside the plainest thing that does the same: a copy of everything after each change. */
class Checked {
  readonly log: ObjectLog;
  /** The collection at each offset. */
  readonly copies: Map<string, string>[] = [new Map()];

  constructor(clock: VirtualClock) {
    this.log = new ObjectLog(() => clock.monotonic());
  }

  replace(objects: readonly KubernetesObject[], resourceVersion: string): void {
    assert.equal(this.log.replace(objects, resourceVersion), 'applied');
    this.#note();
  }

  upsert(object: KubernetesObject): void {
    assert.notEqual(this.log.upsert(object), 'contradiction');
    this.#note();
  }

  remove(object: KubernetesObject): void {
    this.log.remove(object.metadata.uid, object.metadata.resourceVersion);
    this.#note();
  }

  /** Folds the delta since each offset that is still known into the copy of then. */
  check(): void {
    const now = this.copies[this.log.offset];
    for (const [offset, copy] of this.copies.entries()) {
      const delta = this.log.since(offset);
      if (delta === undefined || copy === undefined) continue;
      const uids = [...delta.removed, ...delta.upserted.map(({ metadata }) => metadata.uid)];
      assert.equal(new Set(uids).size, uids.length);
      const folded = new Map(copy);
      for (const uid of delta.removed) assert.ok(folded.delete(uid), `${uid} was not there at ${offset}`);
      for (const { metadata } of delta.upserted) folded.set(metadata.uid, metadata.resourceVersion);
      assert.deepEqual(sorted(folded), sorted(now));
    }
  }

  #note(): void {
    this.copies[this.log.offset] = new Map(
      Array.from(this.log.objects(), ({ metadata }) => [metadata.uid, metadata.resourceVersion]),
    );
  }
}

describe('ObjectLog', () => {
  it('keeps what the events say, and tells what changed since any offset', async () => {
    await fc.assert(
      fc.asyncProperty(acts(TOMBSTONE_MS / 4), async (all) => {
        const clock = new VirtualClock();
        const checked = new Checked(clock);
        const history = new History(checked, clock);
        for (const act of all) {
          if (act.kind === 'rewrite') continue; // a new log's affair
          await history.act(act);
          const { log } = checked;
          expect(names(log.objects())).toEqual(names(history.objects));
          expect(log.size).toBe(history.objects.length);
          for (const object of history.objects) {
            expect(log.get(object.metadata.uid)).toEqual(object);
            expect(log.find('shop', object.metadata.name)).toEqual(object);
          }
          expect(log.since(log.offset)).toEqual({ upserted: [], removed: [] });
          expect(log.since(log.offset + 1)).toBeUndefined();
        }
        checked.check();
      }),
      { numRuns: 300 },
    );
  });

  it('forgets an offset only when a removal after it is older than ten minutes', async () => {
    await fc.assert(
      fc.asyncProperty(acts(TOMBSTONE_MS), async (all) => {
        const clock = new VirtualClock();
        const log = new ObjectLog(() => clock.monotonic());
        const removedAt: { offset: number; at: number }[] = [];
        const sink = {
          replace: () => {},
          upsert: (object: KubernetesObject) => log.upsert(object),
          remove: ({ metadata }: KubernetesObject) => {
            const result = log.remove(metadata.uid, metadata.resourceVersion);
            if (result === 'applied') removedAt.push({ offset: log.offset, at: clock.monotonic() });
          },
        };
        const history = new History(sink, clock);
        for (const act of all) if (!['gap', 'relist', 'rewrite', 'replay'].includes(act.kind)) await history.act(act);
        for (let offset = 0; offset <= log.offset; offset += 1) {
          const isForgotten = removedAt.some(
            (removal) => removal.offset > offset && clock.monotonic() - removal.at > TOMBSTONE_MS,
          );
          expect(log.since(offset) === undefined).toBe(isForgotten);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('does not answer for an offset that has not been reached', () => {
    const log = new ObjectLog(() => 0);
    log.upsert(pod('a'));
    expect(log.since(log.offset)).toEqual({ upserted: [], removed: [] });
    expect(log.since(log.offset + 1)).toBeUndefined();
  });

  it('forgets the oldest removals when there are too many, and what was before them', () => {
    const log = new ObjectLog(() => 0);
    const count = MAX_TOMBSTONES * 2 + 10;
    for (let index = 0; index < count; index += 1) log.upsert(pod(`p${index}`, { resourceVersion: index + 1 }));
    const full = log.offset;
    for (let index = 0; index < count; index += 1) log.remove(`uid-p${index}`, String(count + index));
    expect(log.since(full)).toBeUndefined();
    expect(log.since(log.offset - MAX_TOMBSTONES - 1)).toBeUndefined();
    expect(log.since(log.offset - MAX_TOMBSTONES)?.removed).toHaveLength(MAX_TOMBSTONES);
    expect(log.size).toBe(0);
  });

  it('never saw what came and went between two looks', () => {
    const log = new ObjectLog(() => 0);
    log.upsert(pod('a'));
    const { offset } = log;
    log.upsert(pod('b', { resourceVersion: 2 }));
    log.remove('uid-b', '3');
    expect(log.since(offset)).toEqual({ upserted: [], removed: [] });
  });

  it('takes a new object for the end of the one that had its name', () => {
    const log = new ObjectLog(() => 0);
    log.upsert(pod('web-0', { uid: 'old', resourceVersion: 3 }));
    const { offset } = log;
    expect(log.upsert(pod('web-0', { uid: 'new', resourceVersion: 5 }))).toBe('applied');
    expect(log.since(offset)).toMatchObject({ removed: ['old'], upserted: [{ metadata: { uid: 'new' } }] });
    expect(log.remove('old', '4')).toBe('stale');
    expect(log.find('shop', 'web-0')?.metadata.uid).toBe('new');
    expect(log.size).toBe(1);
  });

  it('takes an older object of a name that is taken for a late repeat', () => {
    const log = new ObjectLog(() => 0);
    log.upsert(pod('web-0', { uid: 'new', resourceVersion: 5 }));
    expect(log.upsert(pod('web-0', { uid: 'old', resourceVersion: 3 }))).toBe('stale');
    expect(names(log.objects())).toEqual(['web-0@5']);
  });

  it('keeps objects of one name in two namespaces apart', () => {
    const log = new ObjectLog(() => 0);
    log.upsert(pod('web', { uid: 'a', namespace: 'a' }));
    log.upsert(pod('web', { uid: 'b', namespace: 'b' }));
    expect(log.find('a', 'web')?.metadata.uid).toBe('a');
    expect(log.find('b', 'web')?.metadata.uid).toBe('b');
    expect(log.find(undefined, 'web')).toBeUndefined();
  });

  it('says when a removal turns out to have been wrong, and changes nothing then', () => {
    const log = new ObjectLog(() => 0);
    log.upsert(pod('a', { resourceVersion: 3 }));
    log.remove('uid-a', '5');
    const { offset } = log;
    expect(log.upsert(pod('a', { resourceVersion: 4 }))).toBe('stale');
    expect(log.upsert(pod('a', { resourceVersion: 5 }))).toBe('stale');
    expect(log.upsert(pod('a', { resourceVersion: 6 }))).toBe('contradiction');
    expect(log.replace([pod('b'), pod('a', { resourceVersion: 6 })], '7')).toBe('contradiction');
    expect(log.offset).toBe(offset);
    expect(log.size).toBe(0);
  });

  it('is ahead of a log in which something is there that was gone before it could know', () => {
    const clock = new VirtualClock();
    const [listed, written] = [new ObjectLog(() => clock.monotonic()), new ObjectLog(() => clock.monotonic())];
    const kept = pod('kept', { resourceVersion: 3 });
    written.replace([kept, pod('gone', { resourceVersion: 5 })], '6');
    listed.replace([kept], '8');
    expect(listed.isAheadOf(written, '6', '8')).toBe(true);
    expect(written.isAheadOf(listed, '8', '6')).toBe(false);
    written.upsert(pod('new', { resourceVersion: 9 }));
    written.remove('uid-gone', '7');
    expect(listed.isAheadOf(written, '9', '8')).toBe(false);
  });

  it('applies what cannot be compared, but never to something that was removed', () => {
    const log = new ObjectLog(() => 0);
    log.upsert(pod('a', { resourceVersion: 'x' }));
    expect(log.upsert(pod('a', { resourceVersion: 'x' }))).toBe('stale');
    expect(log.upsert(pod('a', { resourceVersion: 'y' }))).toBe('applied');
    log.remove('uid-a', 'z');
    expect(log.upsert(pod('a', { resourceVersion: 'w' }))).toBe('stale');
  });

  it('tells a small change of a large collection without looking at all of it', () => {
    const log = new ObjectLog(() => 0);
    for (let index = 0; index < 100_000; index += 1) log.upsert(pod(`p${index}`, { resourceVersion: index + 1 }));
    const startedAt = performance.now();
    for (let index = 0; index < 20_000; index += 1) expect(log.since(log.offset - 1)?.upserted.length).toBe(1);
    expect(performance.now() - startedAt).toBeLessThan(2_000); // each look at 100,000 objects would make it minutes
  });
});

function sorted(copy: ReadonlyMap<string, string> | undefined): string[] {
  return Array.from(copy ?? [], ([uid, version]) => `${uid}@${version}`).toSorted();
}
