import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryPod, kubectlPod, sent } from './pod.fixture.ts';
import { rollout } from './rollout.ts';
import { arbitraryObject, KUBECTL_WORKLOADS, kubectlWorkload } from './workload.fixture.ts';

const NOON = Date.parse('2026-01-05T12:00:00Z');

/** Of those that kubectl waits for, the ones that do not go on by themselves; and OnDelete, which it does not judge. */
const HALTED: Readonly<Record<string, string>> = {
  'deployment-quota': 'STALLED',
  'deployment-paused-changed': 'PAUSED',
  'deployment-paused-halfway': 'PAUSED',
  'deployment-paused-not-ready': 'PAUSED',
  'statefulset-on-delete': 'PAUSED',
  'statefulset-on-delete-done': 'COMPLETE',
  'statefulset-on-delete-not-ready': 'PAUSED',
  'daemonset-on-delete': 'PAUSED',
  'daemonset-on-delete-done': 'COMPLETE',
};

/** What `kubectl rollout status` says, in our words. */
function verdictOf(kubectl: string): string {
  if (kubectl === 'done') return 'COMPLETE';
  return kubectl === 'waiting' ? 'PROGRESSING' : 'STALLED';
}

const judged = KUBECTL_WORKLOADS.filter(({ expected }) => expected.rollout !== undefined);

describe('rollout', () => {
  it('is compared over all of test/kubectl', () => {
    expect(judged.length).toBeGreaterThanOrEqual(70);
  });

  it.each(judged)('is that of kubectl rollout status: $expected.name', ({ workload, expected }) => {
    const verdict = HALTED[expected.name] ?? verdictOf(expected.rollout ?? '');
    expect(rollout(workload)?.verdict).toBe(verdict);
  });

  it.each([
    ['deployment-available', 'Complete', '3 of 3 pods updated, 3 available.'],
    ['deployment-rolling-with-surge', 'LessUpdated', '2 of 3 pods updated.'],
    ['deployment-old-pods-going', 'OldPods', '1 of 4 pods still to be removed.'],
    ['deployment-deadline-exceeded', 'ProgressDeadlineExceeded', 'ReplicaSet "web-2" has timed out progressing.'],
    ['deployment-quota', 'FailedCreate', 'pods "web-1-x" is forbidden: exceeded quota: compute'],
    ['deployment-paused-changed', 'DeploymentPaused', 'The rollout is paused.'],
    ['statefulset-partition-rolling', 'LessUpdated', '1 of 2 pods updated.'],
    ['statefulset-on-delete', 'OnDelete', '0 of 3 pods updated; the others are once somebody deletes them.'],
    ['daemonset-ready-not-available', 'LessAvailable', '2 of 3 pods available.'],
    [
      'deployment-deadline-but-unobserved',
      'GenerationNotObserved',
      'Generation 2 has not been handled yet; the status is that of 1.',
    ],
    ['deployment-never-observed', 'GenerationNotObserved', 'The controller has not seen the current template yet.'],
  ])('explains %s: %s, %s', (name, reason, message) => {
    expect(rollout(kubectlWorkload(name))).toMatchObject({ reason, message });
  });

  it('counts', () => {
    expect(rollout(kubectlWorkload('deployment-rolling-with-surge'))).toEqual({
      wanted: 3,
      updated: 2,
      ready: 3,
      available: 3,
      verdict: 'PROGRESSING',
      reason: 'LessUpdated',
      message: '2 of 3 pods updated.',
      blockedBy: [],
    });
  });

  it('names the pods that hold it up, by name, with why', () => {
    const pods = [kubectlPod('running'), kubectlPod('image-pull-backoff'), kubectlPod('crash-loop')];
    expect(rollout(kubectlWorkload('deployment-not-ready'), pods, NOON)).toMatchObject({
      verdict: 'PROGRESSING',
      blockedBy: [
        {
          podName: 'crash-loop',
          reason: 'Container "app" keeps crashing: exit code 1 (Error), 7 restarts, last 2026-01-05T10:30:00Z.',
        },
        {
          podName: 'image-pull-backoff',
          reason: 'Image "registry.example/app:1" of container "app" cannot be pulled (ImagePullBackOff).',
        },
      ],
    });
  });

  it('is STALLED by a broken pod where there is no deadline', () => {
    const pods = [kubectlPod('crash-loop')];
    expect(rollout(kubectlWorkload('statefulset-rolling'), pods, NOON)).toMatchObject({
      verdict: 'STALLED',
      reason: 'PodsFailing',
      message:
        'Pod "crash-loop": Container "app" keeps crashing: exit code 1 (Error), 7 restarts, last 2026-01-05T10:30:00Z.',
    });
    expect(rollout(kubectlWorkload('daemonset-rolling'), pods)?.verdict).toBe('STALLED');
    expect(rollout(kubectlWorkload('daemonset-rolling'), [kubectlPod('container-creating')])?.verdict).toBe(
      'PROGRESSING',
    );
  });

  it('waits for a pod that is being deleted only where its place is needed', () => {
    const pods = [kubectlPod('terminating')];
    expect(rollout(kubectlWorkload('deployment-rolling-with-surge'), pods)?.blockedBy).toEqual([]);
    expect(rollout(kubectlWorkload('statefulset-rolling'), pods)?.blockedBy).toHaveLength(1);
  });

  it('is held up by nothing once it is COMPLETE', () => {
    expect(rollout(kubectlWorkload('deployment-available'), [kubectlPod('crash-loop')])).toMatchObject({
      verdict: 'COMPLETE',
      blockedBy: [],
    });
  });

  it('is nothing for another kind', () => {
    expect(rollout(kubectlWorkload('job-running'))).toBeUndefined();
    expect(rollout(sent({ ...kubectlWorkload('deployment-available'), apiVersion: 'example.com/v1' }))).toBeUndefined();
  });

  it.each(['Deployment', 'StatefulSet', 'DaemonSet'])('never throws: %s', (kind) => {
    fc.assert(
      fc.property(arbitraryObject('apps/v1', kind), fc.array(arbitraryPod, { maxLength: 2 }), (workload, pods) => {
        const result = rollout(workload, pods);
        expect(result?.verdict).toMatch(/^(?:COMPLETE|PROGRESSING|STALLED|PAUSED)$/);
        expect(result?.message).toMatch(/\S/);
      }),
      { numRuns: 300 },
    );
  });
});
