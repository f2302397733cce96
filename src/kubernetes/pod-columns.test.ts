import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podColumns } from './pod-columns.ts';
import { arbitraryPod, kubectlPod, readKubectl } from './pod.fixture.ts';

const pods = readKubectl('pods.json');
const { pods: rows } = readKubectl('expected.json');

describe('podColumns', () => {
  it('is compared over all pods of test/kubectl', () => {
    expect(rows.length).toBeGreaterThanOrEqual(90);
    expect(rows.map((row) => row.name)).toEqual(pods.map((pod) => pod.metadata.name));
  });

  it.each(rows)('prints $name as kubectl does: $status $ready $restarts', (row) => {
    const columns = podColumns(kubectlPod(row.name));
    expect({
      status: columns.displayStatus,
      ready: `${columns.ready.ready}/${columns.ready.total}`,
      restarts: String(columns.restarts),
      dated: columns.lastRestartAt !== undefined,
    }).toEqual({
      status: row.status,
      ready: row.ready,
      restarts: row.restarts.replace(/ \(.*/, ''),
      dated: row.restarts.includes('('),
    });
  });

  it('dates the latest restart', () => {
    expect(podColumns(kubectlPod('restarts-of-two')).lastRestartAt).toBe('2026-01-05T10:40:00Z');
    expect(podColumns(kubectlPod('sidecar-restarts')).lastRestartAt).toBe('2026-01-05T10:13:00Z');
  });

  it('tells phase, node and IP', () => {
    expect(podColumns(kubectlPod('running'))).toMatchObject({
      phase: 'Running',
      nodeName: 'node-1',
      podIP: '10.0.0.7',
    });
    expect(podColumns(kubectlPod('pending-unschedulable'))).toMatchObject({ nodeName: undefined, podIP: undefined });
    expect(podColumns(kubectlPod('status-missing')).phase).toBe('Unknown');
  });

  it('never throws, and never counts below zero or beyond the total', () => {
    fc.assert(
      fc.property(arbitraryPod, (pod) => {
        const { ready, restarts, displayStatus } = podColumns(pod);
        expect(restarts).toBeGreaterThanOrEqual(0);
        expect(restarts).toBeLessThan(2 ** 31);
        expect(ready.ready).toBeGreaterThanOrEqual(0);
        expect(ready.ready).toBeLessThanOrEqual(ready.total);
        expect(displayStatus).toBeTypeOf('string');
      }),
      { numRuns: 1_000 },
    );
  });
});
