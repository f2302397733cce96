import type { NewObject } from '../apiserver/object.ts';

const SOURCE = 'source.toolkit.fluxcd.io/v1';

/** Flux objects are applied server-side, so they carry no last-applied annotation, and often no annotation at all. */
function fluxObject(
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
  spec: NewObject['spec'],
): NewObject {
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, finalizers: ['finalizers.fluxcd.io'] },
    ...(spec ? { spec } : {}),
  };
}

export function gitRepository(namespace: string, name: string): NewObject {
  const url = `https://gitlab.example.com/${namespace}/${name}.git`;
  return fluxObject(SOURCE, 'GitRepository', namespace, name, { interval: '1m0s', url, ref: { branch: 'main' } });
}

export function ociRepository(namespace: string, name: string): NewObject {
  const url = `oci://registry.example.com/${namespace}/${name}`;
  return fluxObject(SOURCE, 'OCIRepository', namespace, name, { interval: '5m0s', url, ref: { tag: 'latest' } });
}

export function helmRepository(namespace: string, name: string): NewObject {
  return fluxObject(SOURCE, 'HelmRepository', namespace, name, {
    interval: '10m0s',
    url: 'https://charts.example.com',
  });
}

export function helmChart(namespace: string, name: string, repository: string): NewObject {
  const sourceRef = { kind: 'HelmRepository', name: repository };
  return fluxObject(SOURCE, 'HelmChart', namespace, `${namespace}-${name}`, {
    interval: '10m0s',
    chart: name,
    version: '1.x',
    sourceRef,
  });
}

export interface KustomizationOptions {
  readonly source: string;
  /** `namespace_name_group_kind` of everything it applies. */
  readonly inventory: readonly string[];
  readonly suspend?: boolean;
  /** Its source holds something that can never be applied. */
  readonly broken?: boolean;
}

export function kustomization(namespace: string, name: string, options: KustomizationOptions): NewObject {
  const entries = options.inventory.map((id) => ({ id, v: id.endsWith('_Service') ? 'v1' : 'v1' }));
  const object = fluxObject('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', namespace, name, {
    interval: '5m0s',
    path: options.broken ? './does-not-exist' : './deploy',
    prune: true,
    suspend: options.suspend ?? false,
    sourceRef: { kind: 'GitRepository', name: options.source },
    targetNamespace: namespace,
  });
  return { ...object, status: { inventory: { entries } } };
}

export function helmRelease(namespace: string, name: string, repository: string): NewObject {
  return fluxObject('helm.toolkit.fluxcd.io/v2', 'HelmRelease', namespace, name, {
    interval: '5m0s',
    chart: { spec: { chart: name, version: '1.x', sourceRef: { kind: 'HelmRepository', name: repository } } },
    values: { replicaCount: 2 },
  });
}
