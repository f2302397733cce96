import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inventoryOf, parseObjectId } from './inventory.ts';
import { arbitraryObject, objectOf, readKubectl } from './workload.fixture.ts';

const expected = readKubectl('inventory.expected.json');
const cases = readKubectl('inventory.json').map((id, index) => ({ id, row: expected[index] }));
const [valid, refused] = partition(
  cases,
  ({ row }) => row?.error === undefined && row?.name !== '' && row?.kind !== '',
);

function partition<T>(items: readonly T[], holds: (item: T) => boolean): [T[], T[]] {
  return [items.filter(holds), items.filter((item) => !holds(item))];
}

function kustomization(entries: unknown) {
  return objectOf('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', { status: { inventory: { entries } } });
}

describe('parseObjectId', () => {
  it.each(valid)('takes $id apart as cli-utils does', ({ id, row }) => {
    expect(parseObjectId(id)).toEqual({ ...row, namespace: row?.namespace || undefined });
  });

  it.each(refused)('refuses $id, as cli-utils does or because it has no name or kind', ({ id }) => {
    expect(parseObjectId(id)).toBeTypeOf('string');
  });

  it('never throws, and loses nothing', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '_', ':', '.', '-') });
    fc.assert(
      fc.property(part, (id) => {
        const parsed = parseObjectId(id);
        if (typeof parsed === 'string') return;
        const { namespace = '', name, group, kind } = parsed;
        expect(`${namespace}_${name}_${group}_${kind}`.replaceAll(':', '__')).toBe(id.replaceAll(':', '__'));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('inventoryOf', () => {
  it('keeps the order, and reports what it cannot read', () => {
    const entries = [
      { id: 'default_web_apps_Deployment', v: 'v1' },
      { id: 'nonsense', v: 'v1' },
      { id: '_system__node_rbac.authorization.k8s.io_ClusterRole', v: 'v1' },
      { id: 'default_web__Service' },
      {},
      null,
    ];
    expect(inventoryOf(kustomization(entries))).toEqual({
      entries: [
        { id: entries[0]?.id, namespace: 'default', name: 'web', group: 'apps', version: 'v1', kind: 'Deployment' },
        {
          id: entries[2]?.id,
          namespace: undefined,
          name: 'system:node',
          group: 'rbac.authorization.k8s.io',
          version: 'v1',
          kind: 'ClusterRole',
        },
        { id: entries[3]?.id, namespace: 'default', name: 'web', group: '', version: undefined, kind: 'Service' },
      ],
      malformed: ['nonsense', '', ''].map((id) => ({
        id,
        problem: 'It must be "<namespace>_<name>_<group>_<kind>".',
      })),
    });
  });

  it('is empty without one', () => {
    expect(inventoryOf(objectOf('v1', 'Pod'))).toEqual({ entries: [], malformed: [] });
    expect(inventoryOf(kustomization('x'))).toEqual({ entries: [], malformed: [] });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(arbitraryObject('kustomize.toolkit.fluxcd.io/v1', 'Kustomization'), (object) => {
        expect(inventoryOf(object).entries.every(({ name }) => name !== '')).toBe(true);
      }),
    );
  });
});
