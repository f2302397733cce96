import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterEvent, type ClusterEvent, type EventObject } from './events.ts';
import { foldEvents } from './folded-events.ts';
import { arbitraryObject, objectOf } from './workload.fixture.ts';

const base = clusterEvent(
  objectOf('v1', 'Event', {
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'db-0', uid: 'u-1' },
    reason: 'BackOff',
    type: 'Warning',
    source: { component: 'kubelet', host: 'node-1' },
  }),
);

function event(id: string, at: string | undefined, fields: Partial<ClusterEvent> = {}): ClusterEvent {
  return { ...base, id, firstAt: at, lastAt: at, ...fields };
}

function about(fields: Partial<EventObject>): Partial<ClusterEvent> {
  return { involvedObject: { ...base.involvedObject, ...fields } };
}

const TEN = '2026-01-05T10:00:00Z';
const ELEVEN = '2026-01-05T11:00:00Z';
const NOON = '2026-01-05T12:00:00Z';

describe('foldEvents', () => {
  it('adds up the counts, widens the times, and keeps the rest of the newest', () => {
    const folded = foldEvents([
      event('a', ELEVEN, { count: 2, message: 'old' }),
      event('b', NOON, { count: 3, message: 'new' }),
      event('c', TEN, { message: 'oldest' }),
    ]);
    expect(folded).toEqual([
      { ...base, id: 'b', ids: ['b', 'a', 'c'], message: 'new', count: 6, firstAt: TEN, lastAt: NOON },
    ]);
  });

  it.each([
    ['uid', about({ uid: 'u-2' })],
    ['kind', about({ kind: 'Service' })],
    ['name', about({ name: 'db-1' })],
    ['namespace', about({ namespace: 'other' })],
    ['reason', { reason: 'Failed' }],
    ['type', { type: 'Normal' }],
    ['source', { source: { component: 'scheduler', host: 'node-1' } }],
  ])('keeps apart what has another %s', (_what, fields) => {
    expect(foldEvents([event('a', TEN), event('b', TEN, fields)])).toHaveLength(2);
  });

  it('puts the newest first, and what has no time last, in a stable order', () => {
    const events = [
      event('none-1', undefined, { reason: 'A' }),
      event('old', TEN, { reason: 'B' }),
      event('none-2', undefined, { reason: 'C' }),
      event('new', NOON, { reason: 'D' }),
      event('same-1', ELEVEN, { reason: 'E' }),
      event('same-2', ELEVEN, { reason: 'F' }),
    ];
    expect(foldEvents(events).map(({ id }) => id)).toEqual(['new', 'same-1', 'same-2', 'old', 'none-1', 'none-2']);
  });

  it('does not count beyond GraphQL’s Int', () => {
    const many = { count: 2 ** 31 - 1 };
    expect(foldEvents([event('a', TEN, many), event('b', TEN, many)])[0]?.count).toBe(2 ** 31 - 1);
  });

  it('never throws, loses no event, and folds once and for all', () => {
    fc.assert(
      fc.property(fc.array(arbitraryObject('v1', 'Event'), { maxLength: 6 }), (objects) => {
        const folded = foldEvents(objects.map(clusterEvent));
        expect(folded.flatMap(({ ids }) => ids)).toHaveLength(objects.length);
        expect(foldEvents(folded).map(({ id }) => id)).toEqual(folded.map(({ id }) => id));
      }),
    );
  });
});
