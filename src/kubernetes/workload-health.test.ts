import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { health } from './health.ts';
import { arbitraryObject, KUBECTL_WORKLOADS, kubectlWorkload } from './workload.fixture.ts';

const LEVELS: Readonly<Record<string, string>> = {
  Current: 'HEALTHY',
  InProgress: 'PROGRESSING',
  Failed: 'DEGRADED',
  Terminating: 'PROGRESSING',
};

/** Where kstatus is not followed; why, the docstrings of the rules say. */
const DEVIATIONS: Readonly<Record<string, readonly [level: string, reason: string]>> = {
  'deployment-paused': ['SUSPENDED', 'DeploymentPaused'],
  'deployment-paused-changed': ['SUSPENDED', 'DeploymentPaused'],
  'deployment-paused-halfway': ['SUSPENDED', 'DeploymentPaused'],
  'deployment-paused-not-ready': ['PROGRESSING', 'LessReady'],
  'deployment-quota': ['DEGRADED', 'FailedCreate'],
  'replicaset-failure': ['DEGRADED', 'FailedCreate'],
  'statefulset-on-delete-not-ready': ['PROGRESSING', 'LessReady'],
  'daemonset-on-delete': ['HEALTHY', 'Current'],
  'job-failing': ['DEGRADED', 'BackoffLimitExceeded'],
  'job-suspended': ['SUSPENDED', 'Suspended'],
  'job-suspended-not-observed': ['SUSPENDED', 'Suspended'],
  'cronjob-suspended': ['SUSPENDED', 'Suspended'],
  'claim-lost': ['DEGRADED', 'Lost'],
};

/** What kstatus calls otherwise than we do. */
const REASONS: Readonly<Record<string, string>> = {
  LatestGenerationNotObserved: 'GenerationNotObserved',
  JobFailed: 'BackoffLimitExceeded',
};

const followed = KUBECTL_WORKLOADS.filter(({ expected }) => !Object.hasOwn(DEVIATIONS, expected.name));

describe('health of workloads', () => {
  it.each(followed)('is that of kstatus: $expected.name is $expected.status', ({ workload, expected }) => {
    const { level, reason } = health(workload);
    expect({ level, reason }).toEqual({
      level: LEVELS[expected.status],
      reason: expected.reason === '' ? reason : (REASONS[expected.reason] ?? expected.reason),
    });
  });

  it.each(Object.entries(DEVIATIONS))('is not that of kstatus: %s is %j', (name, [level, reason]) => {
    expect(health(kubectlWorkload(name))).toMatchObject({ level, reason });
  });

  it.each([
    ['deployment-conditions-in-other-order', 'HEALTHY'],
    ['statefulset-scaled-to-zero', 'HEALTHY'],
    ['job-running', 'HEALTHY'],
    ['job-running-after-failures', 'HEALTHY'],
    ['cronjob-active', 'HEALTHY'],
    ['statefulset-rolling', 'PROGRESSING'],
    ['daemonset-rolling', 'PROGRESSING'],
    ['deployment-deadline-exceeded', 'DEGRADED'],
    ['job-failed', 'DEGRADED'],
  ])('is not GitLab’s: %s is %s', (name, level) => {
    expect(health(kubectlWorkload(name)).level).toBe(level);
  });

  it.each([
    ['deployment-available', '3 of 3 pods available.'],
    ['deployment-rolling-with-surge', '2 of 3 pods updated.'],
    ['deployment-scaling-to-zero', '2 pods for 0: the others are still being removed.'],
    ['deployment-deadline-exceeded', 'ReplicaSet "web-2" has timed out progressing.'],
    ['deployment-quota', 'pods "web-1-x" is forbidden: exceeded quota: compute'],
    ['deployment-paused-halfway', 'The rollout is paused: 1 of 3 pods of the current template.'],
    ['deployment-not-available', 'Deployment does not have minimum availability.'],
    ['statefulset-scaled-to-zero', '0 of 0 pods ready.'],
    ['statefulset-partition-rolling', '1 of 2 pods above the partition updated.'],
    ['job-running-after-failures', 'Pods: 2 active, 1 succeeded, 3 failed.'],
    ['job-failed', 'Job has reached the specified backoff limit'],
    ['cronjob-active', '2 jobs are active.'],
    ['definition-names-taken', '"widgets" is already in use'],
    ['claim-lost', 'The volume it was bound to is gone.'],
  ])('says of %s: %s', (name, message) => {
    expect(health(kubectlWorkload(name)).message).toBe(message);
  });

  it.each([
    ['apps/v1', 'Deployment'],
    ['apps/v1', 'StatefulSet'],
    ['apps/v1', 'ReplicaSet'],
    ['apps/v1', 'DaemonSet'],
    ['batch/v1', 'Job'],
    ['batch/v1', 'CronJob'],
    ['v1', 'PersistentVolumeClaim'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ])('never throws: %s %s', (apiVersion, kind) => {
    fc.assert(
      fc.property(arbitraryObject(apiVersion, kind), (workload) => {
        const { level, message } = health(workload);
        expect(level).toMatch(/^(?:HEALTHY|PROGRESSING|DEGRADED|SUSPENDED|UNKNOWN)$/);
        expect(message ?? '').not.toMatch(/undefined|NaN/);
      }),
      { numRuns: 500 },
    );
  });
});
