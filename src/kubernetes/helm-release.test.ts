import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { helmChartSpec, helmHistory } from './helm-release.ts';
import { arbitraryObject, objectOf } from './workload.fixture.ts';

const HELM_RELEASE = ['helm.toolkit.fluxcd.io/v2', 'HelmRelease'] as const;

function snapshot(version: number, fields: object = {}): object {
  return {
    name: 'web',
    namespace: 'default',
    version,
    status: 'superseded',
    chartName: 'web',
    chartVersion: `1.${version}.0`,
    firstDeployed: '2026-01-05T10:00:00Z',
    lastDeployed: '2026-01-05T10:00:01Z',
    deleted: null,
    ...fields,
  };
}

describe('helmHistory', () => {
  it('gives the newest release first', () => {
    const history = [snapshot(9), snapshot(10, { status: 'deployed', appVersion: '2.0' }), snapshot(8)];
    const [newest, ...others] = helmHistory(objectOf(...HELM_RELEASE, { status: { history } }));
    expect(newest).toEqual({
      chart: 'web',
      version: '1.10.0',
      appVersion: '2.0',
      status: 'deployed',
      revision: 10,
      deployedAt: '2026-01-05T10:00:01Z',
    });
    expect(others.map(({ revision }) => revision)).toEqual([9, 8]);
  });

  it('is empty without any, and for another kind', () => {
    expect(helmHistory(objectOf(...HELM_RELEASE))).toEqual([]);
    const status = { history: [snapshot(1)] };
    expect(helmHistory(objectOf('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', { status }))).toEqual([]);
  });
});

describe('helmChartSpec', () => {
  it.each([
    [{ chart: { spec: { chart: 'web', version: '>=1.0.0' } } }, { chart: 'web', version: '>=1.0.0' }],
    [{ chart: { spec: { chart: './charts/web' } } }, { chart: './charts/web', version: '*' }],
    [{ chartRef: { kind: 'OCIRepository', name: 'web' } }, { chart: undefined, version: undefined }],
    [null, { chart: undefined, version: undefined }],
  ])('reads %j', (spec, expected) => {
    expect(helmChartSpec(objectOf(...HELM_RELEASE, { spec }))).toEqual(expected);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(arbitraryObject(...HELM_RELEASE), (release) => {
        expect(helmChartSpec(release)).toBeTypeOf('object');
        for (const each of helmHistory(release)) expect(each.revision).toBeTypeOf('number');
      }),
    );
  });
});
