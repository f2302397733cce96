import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fluxRevisions, fluxSuspension } from './flux.ts';
import type { KubernetesObject } from './object.ts';
import { arbitraryObject, objectOf } from './workload.fixture.ts';

const KUSTOMIZATION = ['kustomize.toolkit.fluxcd.io/v1', 'Kustomization'] as const;
const HELM_RELEASE = ['helm.toolkit.fluxcd.io/v2', 'HelmRelease'] as const;

function suspended(annotations: Record<string, string>, suspend: unknown = true): KubernetesObject {
  return objectOf(...KUSTOMIZATION, { spec: { suspend } }, { annotations });
}

describe('fluxSuspension', () => {
  const kascade = { 'kascade.dev/suspended-by': 'ada', 'kascade.dev/suspend-reason': 'incident 7' };
  const weave = { 'metadata.weave.works/suspended-by': 'bob', 'metadata.weave.works/suspended-comment': 'tests' };

  it('tells who and why, from Kascade’s annotations or from Weave GitOps’', () => {
    expect(fluxSuspension(suspended(kascade))).toEqual({
      suspended: true,
      suspendedBy: 'ada',
      suspendReason: 'incident 7',
    });
    expect(fluxSuspension(suspended(weave))).toEqual({ suspended: true, suspendedBy: 'bob', suspendReason: 'tests' });
    expect(fluxSuspension(suspended({}))).toEqual({
      suspended: true,
      suspendedBy: undefined,
      suspendReason: undefined,
    });
  });

  it('does not mix the two', () => {
    const mixed = { ...weave, 'kascade.dev/suspended-by': 'ada' };
    expect(fluxSuspension(suspended(mixed))).toEqual({
      suspended: true,
      suspendedBy: 'ada',
      suspendReason: undefined,
    });
  });

  it.each([false, undefined, null, 'true', 1])('is none by spec.suspend %j, whatever the annotations', (suspend) => {
    const none = { suspended: false, suspendedBy: undefined, suspendReason: undefined };
    expect(fluxSuspension(suspended(kascade, suspend === undefined ? null : suspend))).toEqual(none);
  });
});

describe('fluxRevisions', () => {
  it('reads those of a Kustomization', () => {
    const status = {
      lastAppliedRevision: 'main@sha1:a',
      lastAttemptedRevision: 'main@sha1:b',
      lastHandledReconcileAt: '2026-01-05T10:00:00Z',
    };
    expect(fluxRevisions(objectOf(...KUSTOMIZATION, { status }))).toEqual({ ...status, artifactRevision: undefined });
  });

  it('takes for a HelmRelease the version of the chart that is deployed', () => {
    const history = [
      { version: 3, status: 'failed', chartName: 'web', chartVersion: '1.3.0' },
      { version: 2, status: 'deployed', chartName: 'web', chartVersion: '1.2.0' },
      { version: 1, status: 'superseded', chartName: 'web', chartVersion: '1.1.0' },
    ];
    const status = { history, lastAttemptedRevision: '1.3.0' };
    expect(fluxRevisions(objectOf(...HELM_RELEASE, { status }))).toMatchObject({
      lastAppliedRevision: '1.2.0',
      lastAttemptedRevision: '1.3.0',
    });
  });

  it('gives the artifact of a source', () => {
    const status = { artifact: { revision: 'main@sha1:a', digest: 'sha256:b' } };
    const source = objectOf('source.toolkit.fluxcd.io/v1', 'GitRepository', { status });
    expect(fluxRevisions(source)).toMatchObject({ artifactRevision: 'main@sha1:a', lastAppliedRevision: undefined });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(arbitraryObject(...HELM_RELEASE), (release) => {
        expect(fluxRevisions(release).lastAppliedRevision).not.toBe('');
        expect(fluxSuspension(release).suspended).toBeTypeOf('boolean');
      }),
    );
  });
});
