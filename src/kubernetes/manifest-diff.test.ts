import { expect, it } from 'vitest';
import { manifestDiff } from './manifest-diff.ts';

it('names each place by a JSON pointer, without status and bookkeeping', () => {
  const before = {
    metadata: { name: 'a', uid: 'u', resourceVersion: '1', labels: { 'x/y': '1', 'm~n': 'a' } },
    spec: { list: [1, 2], gone: true },
    status: { a: 1 },
  };
  const after = {
    metadata: { name: 'a', uid: 'u', resourceVersion: '2', labels: { 'x/y': '2', 'm~n': 'b' } },
    spec: { list: [1, 3, 4], fresh: null },
    status: {},
  };
  expect(manifestDiff(before, after, 100)).toEqual([
    { path: '/metadata/labels/m~0n', before: 'a', after: 'b' },
    { path: '/metadata/labels/x~1y', before: '1', after: '2' },
    { path: '/spec/fresh', before: undefined, after: null },
    { path: '/spec/gone', before: true, after: undefined },
    { path: '/spec/list/1', before: 2, after: 3 },
    { path: '/spec/list/2', before: undefined, after: 4 },
  ]);
  expect(manifestDiff(before, after, 2)).toHaveLength(2);
  expect(manifestDiff(before, structuredClone(before), 100)).toEqual([]);
  expect(manifestDiff(undefined, { spec: {} }, 100)).toEqual([
    { path: '', before: undefined, after: { spec: {}, metadata: {} } },
  ]);
});
