import type { NewObject } from '../../../demo/apiserver/object.ts';
import { apiVersion, type Resource } from '../../../src/kubernetes/resources.ts';

const interval = '10m';

/** The least that Flux' own definitions ask of each kind. */
const SPECS: Readonly<Record<string, object>> = {
  Kustomization: { interval, prune: true, sourceRef: { kind: 'GitRepository', name: 'shop' } },
  HelmRelease: {
    interval,
    chart: { spec: { chart: 'shop', sourceRef: { kind: 'HelmRepository', name: 'charts' } } },
  },
  GitRepository: { interval, url: 'https://git.example.com/shop.git' },
  OCIRepository: { interval, url: 'oci://registry.example.com/shop' },
  HelmRepository: { interval, url: 'https://charts.example.com' },
  HelmChart: { interval, chart: 'shop', version: '1.x', sourceRef: { kind: 'HelmRepository', name: 'charts' } },
  Bucket: { interval, bucketName: 'shop', endpoint: 'storage.example.com' },
};

/** One that its controller has found to be ready. */
export function manifestOf(resource: Resource, namespace: string, name: string): NewObject {
  const spec = SPECS[resource.kind];
  if (spec === undefined) throw new Error(`no spec for ${resource.kind}`);
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'Succeeded',
    message: 'all is well',
    lastTransitionTime: '2026-11-20T08:00:00Z',
    observedGeneration: 1,
  };
  return {
    apiVersion: apiVersion(resource),
    kind: resource.kind,
    metadata: { name, namespace },
    spec: { ...spec },
    status: { observedGeneration: 1, conditions: [condition] },
  };
}
