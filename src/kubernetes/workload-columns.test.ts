import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from './object.ts';
import * as columns from './workload-columns.ts';
import { arbitraryObject, KUBECTL_WORKLOADS, kubectlWorkload } from './workload.fixture.ts';

const { deploymentColumns, statefulSetColumns, replicaSetColumns, daemonSetColumns, jobColumns, cronJobColumns } =
  columns;

/** kubectl's cells, as far as they do not depend on the time, from our columns. */
const PRINTED: Readonly<Record<string, (workload: KubernetesObject) => Record<string, unknown>>> = {
  Deployment: (workload) => {
    const { ready, upToDate, available, ...template } = deploymentColumns(workload);
    return {
      Ready: `${ready.ready}/${ready.total}`,
      'Up-to-date': upToDate,
      Available: available,
      ...wide({ ...template, selector: template.selector ?? '' }),
    };
  },
  StatefulSet: (workload) => {
    const { ready, ...template } = statefulSetColumns(workload);
    const { Selector: _notPrinted, ...cells } = wide(template);
    return { Ready: `${ready.ready}/${ready.total}`, ...cells };
  },
  ReplicaSet: (workload) => {
    const { desired, current, ready, ...template } = replicaSetColumns(workload);
    return { Desired: desired, Current: current, Ready: ready, ...wide(template) };
  },
  DaemonSet: (workload) => {
    const { desired, current, ready, upToDate, available, nodeSelector, ...template } = daemonSetColumns(workload);
    return {
      Desired: desired,
      Current: current,
      Ready: ready,
      'Up-to-date': upToDate,
      Available: available,
      'Node Selector': nodeSelector ?? '<none>',
      ...wide(template),
    };
  },
  Job: (workload) => {
    const { status, completions, startedAt, completedAt, ...template } = jobColumns(workload);
    const isRunning = startedAt !== undefined && completedAt === undefined;
    return {
      Status: status,
      Completions: completions.text,
      ...(!isRunning && { Duration: columns.jobDuration(workload) ?? '' }),
      ...wide(template),
    };
  },
  CronJob: (workload) => {
    const { schedule, timeZone, suspended, active, lastScheduleAt, ...template } = cronJobColumns(workload);
    return {
      Schedule: schedule,
      Timezone: timeZone ?? '<none>',
      Suspend: suspended ? 'True' : 'False',
      Active: active,
      ...(lastScheduleAt === undefined && { 'Last Schedule': '<none>' }),
      ...wide(template),
    };
  },
};

function wide({ containers, images, selector }: columns.TemplateColumns): Record<string, string> {
  return { Containers: containers.join(','), Images: images.join(','), Selector: selector ?? '<none>' };
}

function print(workload: KubernetesObject): Record<string, string> {
  const cells: Record<string, unknown> = { Name: workload.metadata.name, ...PRINTED[workload.kind]?.(workload) };
  return Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, String(cell)]));
}

const printed = KUBECTL_WORKLOADS.filter(({ expected }) => expected.cells !== undefined);

describe('the columns of workloads', () => {
  it('are compared over all of test/kubectl', () => {
    expect(printed.length).toBeGreaterThanOrEqual(110);
  });

  it.each(printed)('are those of kubectl: $expected.name', ({ workload, expected }) => {
    expect(print(workload)).toEqual(expected.cells);
  });

  it('let the duration of a job run on until it has completed', () => {
    const job = kubectlWorkload('job-running');
    expect(columns.jobDuration(job, Date.parse('2026-01-05T10:02:05Z'))).toBe('2m5s');
    expect(columns.jobDuration(job)).toMatch(/^\d+[dy]/);
    expect(columns.jobDuration(kubectlWorkload('job-not-started'))).toBeUndefined();
  });

  it('give numbers and times beside the text', () => {
    expect(jobColumns(kubectlWorkload('job-work-queue')).completions).toEqual({
      succeeded: 0,
      wanted: undefined,
      parallelism: 3,
      text: '0/1 of 3',
    });
    expect(jobColumns(kubectlWorkload('job-nothing-given')).completions).toMatchObject({ wanted: 1, parallelism: 1 });
    expect(jobColumns(kubectlWorkload('job-complete'))).toMatchObject({
      startedAt: '2026-01-05T10:00:00Z',
      completedAt: '2026-01-05T10:00:12Z',
    });
    expect(cronJobColumns(kubectlWorkload('cronjob-active')).lastScheduleAt).toBe('2026-01-05T11:55:00Z');
  });

  it.each(Object.keys(PRINTED))('never throw, and hold no undefined text: %s', (kind) => {
    const group = kind.endsWith('Job') ? 'batch/v1' : 'apps/v1';
    fc.assert(
      fc.property(arbitraryObject(group, kind), (workload) => {
        expect(Object.values(print(workload)).filter((cell) => /undefined|NaN|\[object/.test(cell))).toEqual([]);
        columns.jobDuration(workload);
      }),
      { numRuns: 500 },
    );
  });
});
