import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podReason } from './pod-reason.ts';
import { arbitraryPod, kubectlPod, pod } from './pod.fixture.ts';

const NOON = Date.parse('2026-01-05T12:00:00Z');

describe('podReason', () => {
  it.each([
    ['running', undefined],
    ['restarted-running', undefined],
    ['completed', undefined],
    ['sidecar-killed-after-completion', undefined],
    ['completed-with-running-ready', undefined],
    ['ephemeral-container', undefined],
    ['pending-no-statuses', 'Waiting for a node.'],
    ['pending-unschedulable', 'No node fits: 0/3 nodes are available: 3 Insufficient cpu.'],
    ['scheduling-gated', 'Held back by scheduling gate "example.com/quota".'],
    ['container-creating', 'Starting: container "app" has not started yet (ContainerCreating).'],
    ['image-pull-backoff', 'Image "registry.example/app:1" of container "app" cannot be pulled (ImagePullBackOff).'],
    [
      'init-image-pull',
      'Image "registry.example/first:1" of init container "first" cannot be pulled (ImagePullBackOff).',
    ],
    [
      'create-container-config-error',
      'Container "app" cannot start (CreateContainerConfigError): configmap "x" not found.',
    ],
    ['crash-loop', 'Container "app" keeps crashing: exit code 1 (Error), 7 restarts, last 2026-01-05T10:30:00Z.'],
    ['statuses-in-other-order', 'Container "app" keeps crashing: 2 restarts.'],
    [
      'completed-before-waiting',
      'Container "web" keeps crashing: exit code 1 (Error), 5 restarts, last 2026-01-05T10:12:00Z.',
    ],
    ['oom-killed-now', 'Container "app" ended with exit code 137 (OOMKilled), 1 restart.'],
    ['exit-code-only', 'Container "app" ended with exit code 3.'],
    ['completed-and-failed', 'Container "web" ended with exit code 2 (Error).'],
    ['evicted', 'Evicted: The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi.'],
    ['deadline-exceeded', 'DeadlineExceeded: Pod was active on the node longer than the specified deadline.'],
    ['node-lost', 'Node "node-1" no longer answers (NodeLost): Node node-1 which was running pod is unresponsive.'],
    ['terminating', 'Terminating since 2026-01-05T10:08:30Z, past its grace period of 30 s.'],
    ['terminating-pending', 'Terminating since 2026-01-05T10:09:00Z, past its grace period.'],
    ['unknown-phase', 'The state of the pod cannot be obtained.'],
    ['init-first', 'Starting: init container "first" is still running.'],
    ['init-waiting', 'Starting: init container "first" has not started yet (PodInitializing).'],
    [
      'init-crash-loop',
      'Init container "first" keeps crashing: exit code 1 (Error), 6 restarts, last 2026-01-05T10:22:00Z.',
    ],
    ['init-error', 'Init container "first" ended with exit code 1 (Error).'],
    ['sidecar-starting', 'Starting: sidecar "proxy" has not started yet.'],
    ['sidecar-not-ready', 'Running, but sidecar "proxy" is not ready.'],
    ['running-not-ready', 'Running, but container "app" is not ready.'],
    ['completed-with-running-not-ready', 'Running, but container "app" has ended.'],
    ['completed-with-unready-running', 'Running, but containers "app", "web" are not ready.'],
    [
      'readiness-gate',
      'Running, but not ready: the status of pod readiness gate "example.com/lb" is not "True", but False.',
    ],
  ])('says of %s: %s', (name, reason) => {
    expect(podReason(kubectlPod(name), NOON)).toBe(reason);
  });

  it('tells a deletion in time from one that hangs', () => {
    const deleted = pod(
      {},
      { phase: 'Running' },
      {
        deletionTimestamp: '2026-01-05T12:00:10Z',
        deletionGracePeriodSeconds: 30,
        finalizers: ['example.com/hold'],
      },
    );
    expect(podReason(deleted, NOON)).toBe('Terminating since 2026-01-05T11:59:40Z, within its grace period of 30 s.');
    expect(podReason(deleted, NOON + 60_000)).toBe(
      'Terminating since 2026-01-05T11:59:40Z, past its grace period of 30 s, held by "example.com/hold".',
    );
  });

  it('tells what came before, when a container is not ready again', () => {
    const status = {
      name: 'api',
      ready: false,
      restartCount: 1,
      state: { running: {} },
      lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: '2026-01-05T10:30:00Z' } },
    };
    const restarted = pod({ containers: [{ name: 'api' }] }, { phase: 'Running', containerStatuses: [status] });
    expect(podReason(restarted)).toBe(
      'Running, but container "api" is not ready after exit code 137 (OOMKilled), 1 restart, last 2026-01-05T10:30:00Z.',
    );
  });

  it('cuts long messages and keeps them on one line', () => {
    const message = `0/3 nodes\nare available: ${'x'.repeat(1_000)}`;
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
    const reason = podReason(pod({}, { phase: 'Pending', conditions }));
    expect(reason).toMatch(/^No node fits: 0\/3 nodes are available: x+…$/);
    expect(reason).toHaveLength('No node fits: '.length + 300 + 1);
  });

  it('never throws, and gives a sentence or nothing', () => {
    fc.assert(
      fc.property(arbitraryPod, (pod) => {
        expect(podReason(pod) ?? 'Healthy.').toMatch(/^\S[\s\S]*[.!?…]$/);
      }),
      { numRuns: 1_000 },
    );
  });
});
