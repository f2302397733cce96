import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionsOf } from './conditions.ts';
import { arbitraryObject, objectOf } from './workload.fixture.ts';

describe('conditionsOf', () => {
  it('gives all fields, in the order of the status', () => {
    const conditions = [
      {
        type: 'Ready',
        status: 'False',
        reason: 'BuildFailed',
        message: 'no such file',
        lastTransitionTime: '2026-01-05T10:00:00Z',
        observedGeneration: 3,
      },
      { type: 'Reconciling', status: 'True' },
    ];
    expect(conditionsOf(objectOf('v1', 'X', { status: { conditions } }))).toEqual([
      conditions[0],
      {
        type: 'Reconciling',
        status: 'True',
        reason: undefined,
        message: undefined,
        lastTransitionTime: undefined,
        observedGeneration: undefined,
      },
    ]);
  });

  it('leaves out what has no type, and never throws', () => {
    expect(conditionsOf(objectOf('v1', 'X', { status: { conditions: [null, {}, { type: '' }, 1] } }))).toEqual([]);
    fc.assert(
      fc.property(arbitraryObject('v1', 'X'), (object) => {
        for (const { type, status } of conditionsOf(object)) {
          expect(type).not.toBe('');
          expect(status).toBeTypeOf('string');
        }
      }),
    );
  });
});
