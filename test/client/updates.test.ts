import { expect, it } from 'vitest';
import { array, assert, constantFrom, property, record, uniqueArray } from 'fast-check';
import { applyUpdate, emptyList, type Update } from '../../client/index.ts';

interface Pod {
  readonly id: string;
  readonly status: { readonly phase: string };
}

const pod = (id: string, phase = 'Running'): Pod => ({ id, status: { phase } });
const snapshot = (...upserted: Pod[]): Update<Pod> => ({ type: 'SNAPSHOT', upserted, removed: [] });
const changes = (upserted: Pod[], removed: string[] = []): Update<Pod> => ({ type: 'CHANGES', upserted, removed });

const three = applyUpdate(emptyList<Pod>(), { ...snapshot(pod('a'), pod('b'), pod('c')), cursor: '1' });

it('replaces everything on a SNAPSHOT', () => {
  const list = applyUpdate(three, snapshot(pod('d')));
  expect(list.items).toEqual([pod('d')]);
});

it('adds, changes and removes on CHANGES, and leaves the others where they are', () => {
  const list = applyUpdate(three, { ...changes([pod('b', 'Failed'), pod('d')], ['a']), cursor: '2' });
  expect(list.items).toEqual([pod('b', 'Failed'), pod('c'), pod('d')]);
  expect(list.cursor).toBe('2');
});

it('removes before it upserts', () => {
  expect(applyUpdate(three, changes([pod('a', 'Pending')], ['a'])).byId.get('a')).toEqual(pod('a', 'Pending'));
});

it('changes nothing that it was given', () => {
  const before = structuredClone(three);
  applyUpdate(three, changes([pod('a', 'Failed')], ['b']));
  expect(three).toEqual(before);
});

it('keeps the identity of what says the same, also across a SNAPSHOT', () => {
  const list = applyUpdate(three, snapshot(pod('a'), pod('b', 'Failed'), pod('c')));
  expect(list.items.map((item) => three.items.includes(item))).toEqual([true, false, true]);
});

it('keeps the array itself when nothing in it changed', () => {
  const list = applyUpdate(three, { ...snapshot(pod('a'), pod('b'), pod('c')), cursor: '9', freshAsOf: 'now' });
  expect(list.items).toBe(three.items);
  expect(list.byId).toBe(three.byId);
  expect(list).toMatchObject({ cursor: '9', freshAsOf: 'now' });
});

it('remembers why a SNAPSHOT came, until the next', () => {
  const reset = applyUpdate(three, { ...snapshot(), resyncReason: 'HISTORY_EXPIRED' });
  expect(applyUpdate(reset, changes([pod('z')])).resyncReason).toBe('HISTORY_EXPIRED');
  expect(applyUpdate(reset, snapshot()).resyncReason).toBeUndefined();
});

it('adds up to what a plain map of the same updates holds', () => {
  const id = constantFrom('a', 'b', 'c', 'd');
  const item = record({ id, status: record({ phase: constantFrom('Running', 'Failed') }) });
  const update = record({
    type: constantFrom('SNAPSHOT' as const, 'CHANGES' as const),
    upserted: uniqueArray(item, { selector: (each) => each.id }),
    removed: uniqueArray(id),
  });
  assert(
    property(array(update), (updates) => {
      const model = new Map<string, Pod>();
      for (const { type, upserted, removed } of updates) {
        if (type === 'SNAPSHOT') model.clear();
        for (const gone of removed) model.delete(gone);
        for (const each of upserted) model.set(each.id, each);
      }
      const list = updates.reduce(applyUpdate<Pod>, emptyList<Pod>());
      expect(list.items).toEqual([...model.values()]);
      expect([...list.byId]).toEqual([...model]);
    }),
  );
});
