import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controllerOf } from './owners.ts';
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

  it('never throws', () => {
    fc.assert(
      fc.property(arbitraryOwned(), (object) => {
        expect(controllerOf(object)?.uid ?? '').toBeTypeOf('string');
      }),
    );
  });
});
