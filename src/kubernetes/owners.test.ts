import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controllerOf, isOwnedBy } from './owners.ts';
import { arbitraryOwned, objectOf } from './workload.fixture.ts';

const node = { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'u-node' };
const replicaSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'u-rs' };

function owned(ownerReferences: unknown) {
  return objectOf('v1', 'Pod', {}, { ownerReferences });
}

describe('controllerOf', () => {
  it('finds the one owner that controls', () => {
    const references = [node, { ...replicaSet, controller: true, blockOwnerDeletion: true }];
    expect(controllerOf(owned(references))).toEqual(replicaSet);
  });

  it.each([
    [undefined],
    [null],
    [[]],
    [[node]],
    [[{ ...node, controller: false }]],
    [[{ ...node, controller: 'true' }]],
  ])('finds none in %j', (references) => {
    expect(controllerOf(owned(references))).toBeUndefined();
  });
});

describe('isOwnedBy', () => {
  it('looks at all owners, by uid', () => {
    const object = owned([node, { ...replicaSet, controller: true }]);
    expect(isOwnedBy(object, 'u-node')).toBe(true);
    expect(isOwnedBy(object, 'u-rs')).toBe(true);
    expect(isOwnedBy(object, 'u-2')).toBe(false);
    expect(isOwnedBy(owned([{ ...node, uid: '' }]), '')).toBe(false);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(arbitraryOwned(), fc.string(), (object, uid) => {
        expect(isOwnedBy(object, uid)).toBeTypeOf('boolean');
        expect(controllerOf(object)?.uid ?? '').toBeTypeOf('string');
      }),
    );
  });
});
