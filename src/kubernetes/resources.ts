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

/** Resources with a query and a subscription of their own, by field name. */
export const WATCHED_RESOURCES: readonly Resource[] = [PODS, SERVICES];

/** `group/version`, as `apiVersion` writes it. */
export function apiVersion(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}
