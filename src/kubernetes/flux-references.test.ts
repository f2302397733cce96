import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fluxDependencies, fluxHelmChart, fluxSource } from './flux-references.ts';
import { arbitraryObject, objectOf } from './workload.fixture.ts';

const KUSTOMIZATION = ['kustomize.toolkit.fluxcd.io/v1', 'Kustomization'] as const;
const HELM_RELEASE = ['helm.toolkit.fluxcd.io/v2', 'HelmRelease'] as const;
const HELM_CHART = ['source.toolkit.fluxcd.io/v1', 'HelmChart'] as const;

const repository = { kind: 'GitRepository', name: 'apps' };

describe('fluxSource', () => {
  it.each([
    [KUSTOMIZATION, { sourceRef: repository }, { ...repository, namespace: 'default' }],
    [
      KUSTOMIZATION,
      { sourceRef: { ...repository, namespace: 'flux-system' } },
      { ...repository, namespace: 'flux-system' },
    ],
    [HELM_CHART, { sourceRef: repository }, { ...repository, namespace: 'default' }],
    [HELM_RELEASE, { chart: { spec: { sourceRef: repository } } }, { ...repository, namespace: 'default' }],
    [
      HELM_RELEASE,
      { chartRef: { kind: 'OCIRepository', name: 'web', namespace: 'charts' } },
      { kind: 'OCIRepository', name: 'web', namespace: 'charts' },
    ],
    [KUSTOMIZATION, { sourceRef: { kind: 'GitRepository' } }, undefined],
    [KUSTOMIZATION, { sourceRef: { name: 'apps' } }, undefined],
    [KUSTOMIZATION, null, undefined],
    [['source.toolkit.fluxcd.io/v1', 'GitRepository'], { sourceRef: repository }, undefined],
  ] as const)('of %j with %j', ([apiVersion, kind], spec, expected) => {
    expect(fluxSource(objectOf(apiVersion, kind, { spec }))).toEqual(expected);
  });
});

describe('fluxDependencies', () => {
  it('are of the same kind, and in the same namespace unless they say another', () => {
    const dependsOn = [{ name: 'crds' }, { name: 'db', namespace: 'infra', readyExpr: 'true' }, {}, null];
    expect(fluxDependencies(objectOf(...HELM_RELEASE, { spec: { dependsOn } }))).toEqual([
      { kind: 'HelmRelease', namespace: 'default', name: 'crds' },
      { kind: 'HelmRelease', namespace: 'infra', name: 'db' },
    ]);
    expect(fluxDependencies(objectOf(...KUSTOMIZATION))).toEqual([]);
  });
});

describe('fluxHelmChart', () => {
  it.each([
    ['flux-system/default-web', { kind: 'HelmChart', namespace: 'flux-system', name: 'default-web' }],
    ['default-web', undefined],
    ['/default-web', undefined],
    ['a/b/c', undefined],
    ['', undefined],
    [null, undefined],
  ])('reads %j', (helmChart, expected) => {
    expect(fluxHelmChart(objectOf(...HELM_RELEASE, { status: { helmChart } }))).toEqual(expected);
  });
});

describe('references', () => {
  it.each([KUSTOMIZATION, HELM_RELEASE, HELM_CHART])('never throw: %s %s', (apiVersion, kind) => {
    fc.assert(
      fc.property(arbitraryObject(apiVersion, kind), (object) => {
        const found = [fluxSource(object), fluxHelmChart(object), ...fluxDependencies(object)];
        for (const each of found) expect(each?.name).not.toBe('');
      }),
    );
  });
});
