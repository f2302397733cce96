import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fluxSync } from './flux-sync.ts';
import { health } from './health.ts';
import type { KubernetesObject } from './object.ts';
import { FLUX_RESOURCES, apiVersion } from './resources.ts';
import { arbitraryObject, objectOf } from './workload.fixture.ts';

type State = readonly [type: string, status: string, reason?: string, observedGeneration?: number];

function conditions(states: readonly State[]): object[] {
  return states.map(([type, status, reason = `${type}Reason`, observedGeneration]) => ({
    type,
    status,
    reason,
    message: `${type} message`,
    ...(observedGeneration !== undefined && { observedGeneration }),
  }));
}

function kustomization(states: readonly State[], spec: object = {}, status: object = {}): KubernetesObject {
  const fields = { spec, status: { ...status, conditions: conditions(states) } };
  return objectOf('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', fields, { generation: 3 });
}

const CASES: [states: State[], status: string, level: string, message: string | undefined][] = [
  [[['Ready', 'True', 'ReconciliationSucceeded']], 'RECONCILED', 'HEALTHY', 'Ready message'],
  [[['Ready', 'False', 'BuildFailed']], 'FAILED', 'DEGRADED', 'Ready message'],
  [
    [
      ['Ready', 'False', 'InvalidCELExpression'],
      ['Stalled', 'True', 'InvalidCELExpression'],
    ],
    'STALLED',
    'DEGRADED',
    'Stalled message',
  ],
  [
    [
      ['Ready', 'False', 'UpgradeFailed'],
      ['Reconciling', 'True', 'Progressing'],
      ['Stalled', 'True', 'RetriesExceeded'],
    ],
    'STALLED',
    'DEGRADED',
    'Stalled message',
  ],
  // The last attempt failed, and none is running: it may be so for ever.
  [
    [
      ['Ready', 'False', 'BuildFailed'],
      ['Reconciling', 'True', 'ProgressingWithRetry'],
    ],
    'FAILED',
    'DEGRADED',
    'Ready message',
  ],
  // The last attempt failed, and the next is running.
  [
    [
      ['Ready', 'False', 'UpgradeFailed'],
      ['Reconciling', 'True', 'Progressing'],
    ],
    'RECONCILING_WITH_BAD_CONFIG',
    'PROGRESSING',
    'Ready message',
  ],
  [
    [
      ['Ready', 'False', 'DependencyNotReady'],
      ['Reconciling', 'True', 'ProgressingWithRetry'],
    ],
    'RECONCILING',
    'PROGRESSING',
    'Ready message',
  ],
  [
    [
      ['Ready', 'Unknown', 'Progressing'],
      ['Reconciling', 'True', 'Progressing'],
    ],
    'RECONCILING_WITH_BAD_CONFIG',
    'PROGRESSING',
    'Ready message',
  ],
  [[['Reconciling', 'True', 'Progressing']], 'RECONCILING', 'PROGRESSING', 'Reconciling message'],
  [
    [
      ['Ready', 'True'],
      ['Reconciling', 'True', 'NewRevision'],
    ],
    'RECONCILING',
    'PROGRESSING',
    'Reconciling message',
  ],
  [
    [
      ['Ready', 'True'],
      ['Reconciling', 'False'],
      ['Stalled', 'False'],
    ],
    'RECONCILED',
    'HEALTHY',
    'Ready message',
  ],
  [[['Ready', 'Unknown', 'Other']], 'UNKNOWN', 'UNKNOWN', 'Ready message'],
  [[['Healthy', 'True']], 'UNKNOWN', 'UNKNOWN', undefined],
  [[], 'UNAVAILABLE', 'UNKNOWN', 'Its controller has not reported anything yet.'],
  // Of an older generation: it may just have been corrected.
  [[['Ready', 'True', 'Succeeded', 2]], 'RECONCILING', 'PROGRESSING', 'Generation 3 has not been handled yet.'],
  [[['Ready', 'False', 'BuildFailed', 2]], 'RECONCILING', 'PROGRESSING', 'Generation 3 has not been handled yet.'],
  [
    [
      ['Ready', 'False', 'AccessDenied', 2],
      ['Stalled', 'True', 'AccessDenied', 2],
    ],
    'RECONCILING',
    'PROGRESSING',
    'Generation 3 has not been handled yet.',
  ],
  [
    [
      ['Ready', 'False', 'BuildFailed', 2],
      ['Reconciling', 'True', 'NewGeneration', 3],
    ],
    'RECONCILING',
    'PROGRESSING',
    'Reconciling message',
  ],
  [[['Ready', 'False', 'BuildFailed', 3]], 'FAILED', 'DEGRADED', 'Ready message'],
];

describe('fluxSync', () => {
  it.each(CASES)('of %j is %s, in any order', (states, status, level, message) => {
    for (const order of [states, states.toReversed()]) {
      expect(fluxSync(kustomization(order))).toMatchObject({ status, message });
      expect(health(kustomization(order))).toMatchObject({ level, ...(message !== undefined && { message }) });
    }
  });

  it.each(CASES)('of %j is SUSPENDED when it is', (states) => {
    expect(fluxSync(kustomization(states, { suspend: true })).status).toBe('SUSPENDED');
    expect(health(kustomization(states, { suspend: true })).level).toBe('SUSPENDED');
  });

  it('says who suspended it, and why', () => {
    const annotations = { 'kascade.dev/suspended-by': 'ada', 'kascade.dev/suspend-reason': 'Incident 7.' };
    const object = objectOf('helm.toolkit.fluxcd.io/v2', 'HelmRelease', { spec: { suspend: true } }, { annotations });
    expect(fluxSync(object).message).toBe('Suspended by ada: Incident 7.');
    expect(fluxSync(kustomization([], { suspend: true })).message).toBe('Suspended.');
  });

  it('believes a failure though the status has not seen the generation, but not a success', () => {
    const behind = { observedGeneration: 2 };
    expect(fluxSync(kustomization([['Ready', 'True']], {}, behind)).status).toBe('RECONCILING');
    expect(fluxSync(kustomization([['Ready', 'False']], {}, behind)).status).toBe('FAILED');
  });

  it('takes a HelmRepository of type oci as it is', () => {
    const oci = objectOf('source.toolkit.fluxcd.io/v1', 'HelmRepository', { spec: { type: 'oci' }, status: {} });
    expect(fluxSync(oci).status).toBe('RECONCILED');
    expect(health(oci).level).toBe('HEALTHY');
  });

  it('is PROGRESSING in health while it is being deleted, suspended or not', () => {
    const deleted = objectOf(
      'kustomize.toolkit.fluxcd.io/v1beta2',
      'Kustomization',
      { spec: { suspend: true } },
      { deletionTimestamp: '2026-01-05T12:00:00Z' },
    );
    expect(health(deleted)).toMatchObject({ level: 'PROGRESSING', reason: 'Terminating' });
  });

  it.each(FLUX_RESOURCES)('never throws, and agrees with the health: $kind', (resource) => {
    fc.assert(
      fc.property(arbitraryObject(apiVersion(resource), resource.kind), (object) => {
        const { status } = fluxSync(object);
        const { level } = health(object);
        expect(level !== 'HEALTHY' || status === 'RECONCILED').toBe(true);
        expect(status).toMatch(/^[A-Z_]+$/);
      }),
    );
  });
});
