/** A column of `additionalPrinterColumns`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly jsonPath: string;
}

/** A collection the API server serves. */
export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly subresources: readonly string[];
  /** Custom resources know no strategic merge patch and few field selectors. */
  readonly custom: boolean;
  /** What its table has between name and age. */
  readonly printerColumns: readonly PrinterColumn[];
}

type Extra = Partial<Omit<ApiResource, 'group' | 'version' | 'plural' | 'kind'>>;

export function apiResource(
  group: string,
  version: string,
  plural: string,
  kind: string,
  extra: Extra = {},
): ApiResource {
  return {
    group,
    version,
    plural,
    kind,
    singular: kind.toLowerCase(),
    namespaced: true,
    shortNames: [],
    subresources: ['status'],
    custom: group.includes('.') && !group.endsWith('.k8s.io'),
    printerColumns: [],
    ...extra,
  };
}

const scalable = { subresources: ['status', 'scale'] };
const plain = { subresources: [] };
const FLUX_SOURCE = 'source.toolkit.fluxcd.io';
const RBAC = 'rbac.authorization.k8s.io';

const printed = (name: string, jsonPath: string, type = 'string'): PrinterColumn => ({
  name,
  type,
  description: '',
  jsonPath,
});
const AGE = printed('Age', '.metadata.creationTimestamp', 'date');
const READY = printed('Ready', '.status.conditions[?(@.type=="Ready")].status');
const STATUS = printed('Status', '.status.conditions[?(@.type=="Ready")].message');
const URL_OF = printed('URL', '.spec.url');
const CHART_COLUMNS = [
  printed('Chart', '.spec.chart'),
  printed('Version', '.spec.version'),
  printed('Source Kind', '.spec.sourceRef.kind'),
  printed('Source Name', '.spec.sourceRef.name'),
];

const BUILT_IN: readonly ApiResource[] = [
  apiResource('', 'v1', 'pods', 'Pod', { shortNames: ['po'], subresources: ['status', 'log'] }),
  apiResource('', 'v1', 'services', 'Service', { shortNames: ['svc'], subresources: ['status', 'proxy'] }),
  apiResource('', 'v1', 'namespaces', 'Namespace', { namespaced: false, shortNames: ['ns'] }),
  apiResource('', 'v1', 'nodes', 'Node', { namespaced: false, shortNames: ['no'] }),
  apiResource('', 'v1', 'events', 'Event', { shortNames: ['ev'], ...plain }),
  apiResource('', 'v1', 'secrets', 'Secret', plain),
  apiResource('', 'v1', 'configmaps', 'ConfigMap', { shortNames: ['cm'], ...plain }),
  apiResource('apps', 'v1', 'deployments', 'Deployment', { shortNames: ['deploy'], ...scalable }),
  apiResource('apps', 'v1', 'statefulsets', 'StatefulSet', { shortNames: ['sts'], ...scalable }),
  apiResource('apps', 'v1', 'replicasets', 'ReplicaSet', { shortNames: ['rs'], ...scalable }),
  apiResource('apps', 'v1', 'daemonsets', 'DaemonSet', { shortNames: ['ds'] }),
  apiResource('batch', 'v1', 'jobs', 'Job'),
  apiResource('batch', 'v1', 'cronjobs', 'CronJob', { shortNames: ['cj'] }),
  apiResource('kustomize.toolkit.fluxcd.io', 'v1', 'kustomizations', 'Kustomization', {
    shortNames: ['ks'],
    printerColumns: [AGE, READY, STATUS],
  }),
  apiResource('helm.toolkit.fluxcd.io', 'v2', 'helmreleases', 'HelmRelease', {
    shortNames: ['hr'],
    printerColumns: [AGE, READY, STATUS],
  }),
  apiResource(FLUX_SOURCE, 'v1', 'gitrepositories', 'GitRepository', {
    shortNames: ['gitrepo'],
    printerColumns: [URL_OF, AGE, READY, STATUS],
  }),
  apiResource(FLUX_SOURCE, 'v1', 'ocirepositories', 'OCIRepository', {
    shortNames: ['ocirepo'],
    printerColumns: [URL_OF, READY, STATUS, AGE],
  }),
  apiResource(FLUX_SOURCE, 'v1', 'helmrepositories', 'HelmRepository', {
    shortNames: ['helmrepo'],
    printerColumns: [URL_OF, AGE, READY, STATUS],
  }),
  apiResource(FLUX_SOURCE, 'v1', 'helmcharts', 'HelmChart', {
    shortNames: ['hc'],
    printerColumns: [...CHART_COLUMNS, AGE, READY, STATUS],
  }),
  apiResource(FLUX_SOURCE, 'v1', 'buckets', 'Bucket', {
    printerColumns: [printed('Endpoint', '.spec.endpoint'), AGE, READY, STATUS],
  }),
  apiResource(RBAC, 'v1', 'roles', 'Role', plain),
  apiResource(RBAC, 'v1', 'rolebindings', 'RoleBinding', plain),
  apiResource(RBAC, 'v1', 'clusterroles', 'ClusterRole', { namespaced: false, ...plain }),
  apiResource(RBAC, 'v1', 'clusterrolebindings', 'ClusterRoleBinding', { namespaced: false, ...plain }),
];

/** `pods` or `deployments.apps`: one name for one collection, whatever its version. */
export function resourceKey(resource: Pick<ApiResource, 'group' | 'plural'>): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

export function groupVersion(resource: Pick<ApiResource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** What is served. Tests may add a custom resource or take one away. */
export class ResourceCatalogue {
  readonly #byKey = new Map(BUILT_IN.map((resource) => [resourceKey(resource), resource]));

  /** Adds a resource, or replaces it (for example to serve it in another version). */
  register(resource: ApiResource): void {
    this.#byKey.set(resourceKey(resource), resource);
  }

  remove(key: string): void {
    this.#byKey.delete(resourceKey(this.require(key)));
  }

  all(): ApiResource[] {
    return [...this.#byKey.values()];
  }

  /** By `pods`, `deployments.apps`, or the plural alone where it is unique. */
  require(key: string): ApiResource {
    const exact = this.#byKey.get(key);
    if (exact) return exact;
    const matches = this.all().filter((resource) => resource.plural === key);
    const [only] = matches;
    if (!only || matches.length > 1) throw new Error(`unknown or ambiguous resource ${key}`);
    return only;
  }

  find(group: string, version: string, plural: string): ApiResource | undefined {
    const resource = this.#byKey.get(resourceKey({ group, plural }));
    return resource?.version === version ? resource : undefined;
  }

  forKind(apiVersion: string, kind: string): ApiResource | undefined {
    return this.all().find((resource) => resource.kind === kind && groupVersion(resource) === apiVersion);
  }
}
