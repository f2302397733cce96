import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podContainers } from './pod-containers.ts';
import { arbitraryPod, pod } from './pod.fixture.ts';

describe('podContainers', () => {
  it('lists all kinds in the order of the spec, whatever the order of the statuses', () => {
    const containers = podContainers(
      pod(
        {
          initContainers: [
            { name: 'migrate', image: 'migrate:1' },
            { name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' },
          ],
          containers: [
            { name: 'api', image: 'api:1' },
            { name: 'web', image: 'web:1' },
          ],
          ephemeralContainers: [{ name: 'debug', image: 'debug:1' }],
        },
        {
          containerStatuses: [{ name: 'web', ready: true, state: { running: {} } }, { name: 'api' }, { name: 'gone' }],
        },
      ),
    );
    expect(containers.map(({ name, type, image, state, ready }) => [name, type, image, state, ready])).toEqual([
      ['migrate', 'INIT', 'migrate:1', 'UNKNOWN', false],
      ['proxy', 'SIDECAR', 'proxy:1', 'UNKNOWN', false],
      ['api', 'REGULAR', 'api:1', 'UNKNOWN', false],
      ['web', 'REGULAR', 'web:1', 'RUNNING', true],
      ['debug', 'EPHEMERAL', 'debug:1', 'UNKNOWN', false],
    ]);
  });

  it('tells the current state and how the run before it ended', () => {
    const [container] = podContainers(
      pod(
        { containers: [{ name: 'api', image: 'api:1' }] },
        {
          containerStatuses: [
            {
              name: 'api',
              restartCount: 7,
              started: false,
              state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s' } },
              lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: '2026-01-05T10:30:00Z' } },
            },
          ],
        },
      ),
    );
    expect(container).toEqual({
      name: 'api',
      type: 'REGULAR',
      image: 'api:1',
      state: 'WAITING',
      reason: 'CrashLoopBackOff',
      message: 'back-off 5m0s',
      exitCode: undefined,
      ready: false,
      started: false,
      restarts: 7,
      startedAt: undefined,
      lastTermination: { reason: 'OOMKilled', exitCode: 137, finishedAt: '2026-01-05T10:30:00Z' },
    });
  });

  it('has an exit code only for a container that has ended', () => {
    const state = { terminated: { exitCode: 0, reason: 'Completed', startedAt: '2026-01-05T10:00:00Z' } };
    const [container] = podContainers(
      pod({ containers: [{ name: 'job' }] }, { containerStatuses: [{ name: 'job', state }] }),
    );
    expect(container).toMatchObject({ state: 'TERMINATED', exitCode: 0, startedAt: '2026-01-05T10:00:00Z' });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(arbitraryPod, (pod) => {
        for (const container of podContainers(pod)) expect(container.restarts).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
