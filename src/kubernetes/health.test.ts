import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { health } from './health.ts';
import type { JsonObject, KubernetesObject } from './object.ts';
import { arbitraryPod, kubectlPod, pod, sent } from './pod.fixture.ts';

function object(apiVersion: string, kind: string, fields: object = {}, metadata: object = {}): KubernetesObject {
  return sent({ ...pod(undefined, undefined, metadata), apiVersion, kind, ...fields });
}

function service(spec: JsonObject, status: JsonObject = {}): KubernetesObject {
  return object('v1', 'Service', { spec, status });
}

function custom(status: unknown, metadata: object = {}): KubernetesObject {
  return object('example.com/v1', 'Widget', { status }, metadata);
}

function conditions(...states: [type: string, status: string][]): JsonObject {
  return {
    conditions: states.map(([type, status]) => ({ type, status, reason: `${type}Reason`, message: `${type}.` })),
  };
}

describe('health of a pod', () => {
  it.each([
    ['running', 'HEALTHY'],
    ['restarted-running', 'HEALTHY'],
    ['completed', 'HEALTHY'],
    ['container-creating', 'PROGRESSING'],
    ['init-second', 'PROGRESSING'],
    ['running-not-ready', 'PROGRESSING'],
    ['readiness-gate', 'PROGRESSING'],
    ['scheduling-gated', 'PROGRESSING'],
    ['terminating', 'PROGRESSING'],
    ['terminating-crash-loop', 'PROGRESSING'],
    ['crash-loop', 'DEGRADED'],
    ['completed-before-waiting', 'DEGRADED'],
    ['init-crash-loop', 'DEGRADED'],
    ['sidecar-crash-loop-initialized', 'DEGRADED'],
    ['image-pull-backoff', 'DEGRADED'],
    ['create-container-config-error', 'DEGRADED'],
    ['oom-killed-now', 'DEGRADED'],
    ['error-exit', 'DEGRADED'],
    ['evicted', 'DEGRADED'],
    ['pending-unschedulable', 'DEGRADED'],
    ['node-lost', 'UNKNOWN'],
    ['node-lost-deleting', 'UNKNOWN'],
    ['unknown-phase', 'UNKNOWN'],
  ])('%s is %s', (name, level) => {
    expect(health(kubectlPod(name)).level).toBe(level);
  });

  it('is DEGRADED while a container is not ready again after a crash', () => {
    const status = { name: 'a', ready: false, state: { running: {} }, lastState: { terminated: { exitCode: 137 } } };
    const spec = { containers: [{ name: 'a' }] };
    expect(health(pod(spec, { phase: 'Running', containerStatuses: [status] })).level).toBe('DEGRADED');
    expect(health(pod(spec, { phase: 'Running', containerStatuses: [{ ...status, ready: true }] })).level).toBe(
      'HEALTHY',
    );
  });

  it('gives kubectl’s status and the sentence', () => {
    expect(health(kubectlPod('evicted'))).toEqual({
      level: 'DEGRADED',
      reason: 'Evicted',
      message: 'Evicted: The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi.',
    });
    expect(health(kubectlPod('running'))).toEqual({
      level: 'HEALTHY',
      reason: 'Running',
    });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(arbitraryPod, (pod) => {
        expect(health(pod).level).toMatch(/^(?:HEALTHY|PROGRESSING|DEGRADED|UNKNOWN)$/);
      }),
    );
  });
});

describe('health of a service', () => {
  it('waits for the address of a load balancer', () => {
    expect(health(service({ type: 'ClusterIP' }))).toEqual({ level: 'HEALTHY' });
    expect(health(service({ type: 'LoadBalancer' }))).toMatchObject({
      level: 'PROGRESSING',
      reason: 'LoadBalancerPending',
    });
    expect(
      health(service({ type: 'LoadBalancer' }, { loadBalancer: { ingress: [{ hostname: 'lb.example' }] } })),
    ).toEqual({
      level: 'HEALTHY',
    });
  });

  it('does not hold for a Service of another group', () => {
    const knative = object('serving.knative.dev/v1', 'Service', { spec: { type: 'LoadBalancer' } });
    expect(health(knative).level).toBe('HEALTHY');
  });
});

describe('health of a namespace', () => {
  it('follows its phase', () => {
    expect(health(object('v1', 'Namespace', { status: { phase: 'Active' } })).level).toBe('HEALTHY');
    expect(health(object('v1', 'Namespace', { status: { phase: 'Terminating' } })).level).toBe('PROGRESSING');
  });
});

describe('health of any other kind', () => {
  it.each([
    [[], 'HEALTHY'],
    [[['Available', 'False']], 'HEALTHY'],
    [[['Ready', 'True']], 'HEALTHY'],
    [[['Ready', 'False']], 'DEGRADED'],
    [[['Ready', 'Unknown']], 'PROGRESSING'],
    [[['Reconciling', 'True']], 'PROGRESSING'],
    [
      [
        ['Reconciling', 'False'],
        ['Ready', 'True'],
      ],
      'HEALTHY',
    ],
    [[['Stalled', 'True']], 'DEGRADED'],
    [[['Failed', 'True']], 'DEGRADED'],
    [
      [
        ['Stalled', 'False'],
        ['Failed', 'False'],
      ],
      'HEALTHY',
    ],
    [
      [
        ['Ready', 'False'],
        ['Reconciling', 'True'],
      ],
      'PROGRESSING',
    ],
    [
      [
        ['Ready', 'False'],
        ['Reconciling', 'True'],
        ['Stalled', 'True'],
      ],
      'DEGRADED',
    ],
  ] as [[string, string][], string][])('%j is %s, in any order', (states, level) => {
    expect(health(custom(conditions(...states))).level).toBe(level);
    expect(health(custom(conditions(...states.toReversed()))).level).toBe(level);
  });

  it('passes on the condition’s words', () => {
    expect(health(custom(conditions(['Ready', 'False'])))).toEqual({
      level: 'DEGRADED',
      reason: 'ReadyReason',
      message: 'Ready.',
    });
  });

  it('does not believe a status of an older generation', () => {
    const status = { observedGeneration: 2, ...conditions(['Ready', 'True']) };
    expect(health(custom(status, { generation: 3 }))).toMatchObject({ level: 'PROGRESSING' });
    expect(health(custom(status, { generation: 2 }))).toMatchObject({ level: 'HEALTHY' });
  });

  it('is PROGRESSING while it is being deleted', () => {
    const status = conditions(['Ready', 'True']);
    expect(health(custom(status, { deletionTimestamp: '2026-01-05T12:00:00Z' }))).toEqual({
      level: 'PROGRESSING',
      reason: 'Terminating',
      message: 'Being deleted, due 2026-01-05T12:00:00Z.',
    });
  });

  it('takes no rule from a prototype, and never throws', () => {
    expect(health(object('v1', 'constructor')).level).toBe('HEALTHY');
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (status, generation) => {
        expect(health(custom(status, { generation })).level).toBeTypeOf('string');
      }),
    );
  });
});
