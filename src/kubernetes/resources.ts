/** A Kubernetes collection that Kascade can watch. */
export interface Resource {
  /** The name of its query and subscription field, and of its row in `k8sConnection`. */
  readonly field: string;
  /** API group; '' is the core group. */
  readonly group: string;
  readonly version: string;
  /** The collection's name in URLs and in access reviews. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export const PODS: Resource = {
  field: 'k8sPods',
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
};

export const SERVICES: Resource = {
  field: 'k8sServices',
  group: '',
  version: 'v1',
  plural: 'services',
  kind: 'Service',
  namespaced: true,
};

export const NAMESPACES: Resource = {
  field: 'k8sNamespaces',
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};

export const NODES: Resource = {
  field: 'k8sNodes',
  group: '',
  version: 'v1',
  plural: 'nodes',
  kind: 'Node',
  namespaced: false,
};

export const EVENTS: Resource = {
  field: 'k8sEvents',
  group: '',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

export const DEPLOYMENTS: Resource = {
  field: 'k8sDeployments',
  group: 'apps',
  version: 'v1',
  plural: 'deployments',
  kind: 'Deployment',
  namespaced: true,
};

export const STATEFUL_SETS: Resource = {
  field: 'k8sStatefulSets',
  group: 'apps',
  version: 'v1',
  plural: 'statefulsets',
  kind: 'StatefulSet',
  namespaced: true,
};

export const REPLICA_SETS: Resource = {
  field: 'k8sReplicaSets',
  group: 'apps',
  version: 'v1',
  plural: 'replicasets',
  kind: 'ReplicaSet',
  namespaced: true,
};

export const DAEMON_SETS: Resource = {
  field: 'k8sDaemonSets',
  group: 'apps',
  version: 'v1',
  plural: 'daemonsets',
  kind: 'DaemonSet',
  namespaced: true,
};

export const JOBS: Resource = {
  field: 'k8sJobs',
  group: 'batch',
  version: 'v1',
  plural: 'jobs',
  kind: 'Job',
  namespaced: true,
};

export const CRON_JOBS: Resource = {
  field: 'k8sCronJobs',
  group: 'batch',
  version: 'v1',
  plural: 'cronjobs',
  kind: 'CronJob',
  namespaced: true,
};

// Flux: the version is the newest stable one; which of them a cluster serves, its discovery says.

export const FLUX_KUSTOMIZATIONS: Resource = {
  field: 'fluxKustomizations',
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'kustomizations',
  kind: 'Kustomization',
  namespaced: true,
};

export const FLUX_HELM_RELEASES: Resource = {
  field: 'fluxHelmReleases',
  group: 'helm.toolkit.fluxcd.io',
  version: 'v2',
  plural: 'helmreleases',
  kind: 'HelmRelease',
  namespaced: true,
};

export const FLUX_GIT_REPOSITORIES: Resource = {
  field: 'fluxGitRepositories',
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'gitrepositories',
  kind: 'GitRepository',
  namespaced: true,
};

export const FLUX_OCI_REPOSITORIES: Resource = {
  field: 'fluxOciRepositories',
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'ocirepositories',
  kind: 'OCIRepository',
  namespaced: true,
};

export const FLUX_HELM_REPOSITORIES: Resource = {
  field: 'fluxHelmRepositories',
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'helmrepositories',
  kind: 'HelmRepository',
  namespaced: true,
};

export const FLUX_HELM_CHARTS: Resource = {
  field: 'fluxHelmCharts',
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'helmcharts',
  kind: 'HelmChart',
  namespaced: true,
};

export const FLUX_BUCKETS: Resource = {
  field: 'fluxBuckets',
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'buckets',
  kind: 'Bucket',
  namespaced: true,
};

export const WORKLOAD_RESOURCES: readonly Resource[] = [
  DEPLOYMENTS,
  STATEFUL_SETS,
  REPLICA_SETS,
  DAEMON_SETS,
  JOBS,
  CRON_JOBS,
];

export const FLUX_RESOURCES: readonly Resource[] = [
  FLUX_KUSTOMIZATIONS,
  FLUX_HELM_RELEASES,
  FLUX_GIT_REPOSITORIES,
  FLUX_OCI_REPOSITORIES,
  FLUX_HELM_REPOSITORIES,
  FLUX_HELM_CHARTS,
  FLUX_BUCKETS,
];

/** Resources with a query and a subscription of their own, by field name. */
export const WATCHED_RESOURCES: readonly Resource[] = [PODS, SERVICES, ...WORKLOAD_RESOURCES, ...FLUX_RESOURCES];

/** All whose place in a cluster is known without asking it; of Flux, only the version is for the cluster to say. */
export const WATCHABLE_RESOURCES: readonly Resource[] = [...WATCHED_RESOURCES, NAMESPACES, NODES, EVENTS];

/** `group/version`, as `apiVersion` writes it. */
export function apiVersion(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}
