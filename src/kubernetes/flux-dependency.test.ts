import { expect, it } from 'vitest';
import { isDependencyReady } from './flux-dependency.ts';
import { objectOf } from './workload.fixture.ts';

const KUSTOMIZATION = ['kustomize.toolkit.fluxcd.io/v1', 'Kustomization'] as const;
const ready = (status: string) => [
  { type: 'Reconciling', status: 'False' },
  { type: 'Ready', status },
];

it.each([
  ['ready for its generation', { observedGeneration: 2, conditions: ready('True') }, true],
  ['ready for an older one', { observedGeneration: 1, conditions: ready('True') }, false],
  ['ready without saying for which', { conditions: ready('True') }, false],
  ['failed', { observedGeneration: 2, conditions: ready('False') }, false],
  ['under way', { observedGeneration: 2, conditions: ready('Unknown') }, false],
  ['not reported', {}, false],
])('%s', (_what, status, expected) => {
  expect(isDependencyReady(objectOf(...KUSTOMIZATION, { status }, { generation: 2 }))).toBe(expected);
});

it('does not care about a suspension', () => {
  const fields = { spec: { suspend: true }, status: { observedGeneration: 2, conditions: ready('True') } };
  expect(isDependencyReady(objectOf(...KUSTOMIZATION, fields, { generation: 2 }))).toBe(true);
});
