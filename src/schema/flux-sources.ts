import { optionalText, record } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import {
  FLUX_BUCKETS,
  FLUX_GIT_REPOSITORIES,
  FLUX_HELM_CHARTS,
  FLUX_HELM_REPOSITORIES,
  FLUX_OCI_REPOSITORIES,
  type Resource,
} from '../kubernetes/resources.ts';
import { timestamp } from '../kubernetes/timestamp.ts';
import { builder, type KubernetesRef } from './builder.ts';
import { addCollection } from './collection.ts';
import { fluxRevisionsOf } from './derived.ts';
import { BY_SYNC, FluxObject } from './flux-object.ts';
import { K8sObject } from './objects.ts';

const FluxSource = builder.interfaceRef<KubernetesObject>('FluxSource');
FluxSource.implement({
  description: 'Something that Flux fetches, for others to apply.',
  interfaces: [K8sObject, FluxObject],
  fields: (t) => ({
    url: t.string({
      nullable: true,
      description: 'Where it is fetched from (spec.url, or spec.endpoint of a Bucket). Null for a HelmChart.',
      resolve: ({ spec }) => optionalText(record(spec)['url']) ?? optionalText(record(spec)['endpoint']),
    }),
    revision: t.string({
      nullable: true,
      description: 'What it offers: `main@sha1:…`, a digest, the version of a chart. Null before the first.',
      resolve: (object) => fluxRevisionsOf(object).artifactRevision,
    }),
    fetchedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When that was fetched. Null before the first.',
      resolve: ({ status }) => timestamp(record(record(status)['artifact'])['lastUpdateTime']),
    }),
  }),
});

function sourceType(name: string, description: string): KubernetesRef {
  const type = builder.objectRef<KubernetesObject>(name);
  type.implement({ description, interfaces: [K8sObject, FluxObject, FluxSource] });
  return type;
}

function addSource(resource: Resource, one: string, noun: { one: string; many: string }, type: KubernetesRef): void {
  addCollection({ resource, typeName: type.name, one, noun, status: BY_SYNC, isOptional: true }, type);
}

export function addFluxSources(): void {
  addSource(
    FLUX_GIT_REPOSITORIES,
    'fluxGitRepository',
    { one: 'GitRepository', many: 'GitRepositories' },
    sourceType('FluxGitRepository', 'A GitRepository of Flux: a branch, tag or commit.'),
  );
  addSource(
    FLUX_OCI_REPOSITORIES,
    'fluxOciRepository',
    { one: 'OCIRepository', many: 'OCIRepositories' },
    sourceType('FluxOciRepository', 'An OCIRepository of Flux: an artifact in a container registry.'),
  );
  addSource(
    FLUX_HELM_REPOSITORIES,
    'fluxHelmRepository',
    { one: 'HelmRepository', many: 'HelmRepositories' },
    sourceType('FluxHelmRepository', 'A HelmRepository of Flux: where charts are found.'),
  );
  addSource(
    FLUX_HELM_CHARTS,
    'fluxHelmChart',
    { one: 'HelmChart', many: 'HelmCharts' },
    sourceType('FluxHelmChart', 'A HelmChart of Flux: one chart, fetched from a repository.'),
  );
  addSource(
    FLUX_BUCKETS,
    'fluxBucket',
    { one: 'Bucket', many: 'Buckets' },
    sourceType('FluxBucket', 'A Bucket of Flux: files in an object store.'),
  );
}
