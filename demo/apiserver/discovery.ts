import type { JsonObject } from './json.ts';
import { groupVersion, type ApiResource, type ResourceCatalogue } from './resources.ts';
import { REVIEWS } from './reviews.ts';

const VERSION = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.2',
  gitCommit: '0000000000000000000000000000000000000000',
  gitTreeState: 'clean',
  buildDate: '2026-06-10T09:00:00Z',
  goVersion: 'go1.26.1',
  compiler: 'gc',
  platform: 'linux/amd64',
};

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

const NAMESPACE_VERBS = VERBS.filter((verb) => verb !== 'deletecollection');

/** The answer to a discovery path, or undefined where there is nothing. */
export function discover(resources: ResourceCatalogue, path: string): JsonObject | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  const [root, group = '', version = ''] = parts;
  if (root === 'version' && parts.length === 1) return VERSION;
  if (root === 'api' && parts.length === 1) {
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  }
  if (root === 'api' && parts.length === 2) return resourceList(resources, '', group);
  if (root !== 'apis') return undefined;
  if (parts.length === 1) {
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: groupNames(resources).map((name) => apiGroup(resources, name)),
    };
  }
  if (!groupNames(resources).includes(group)) return undefined;
  if (parts.length === 2) return { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(resources, group) };
  return parts.length === 3 ? resourceList(resources, group, version) : undefined;
}

function groupNames(resources: ResourceCatalogue): string[] {
  const reviews = Object.values(REVIEWS).map((review) => review.group);
  const served = resources.all().map((resource) => resource.group);
  return [...new Set([...served, ...reviews])].filter((group) => group !== '');
}

function apiGroup(resources: ResourceCatalogue, name: string): JsonObject {
  const served = resources.all().filter((resource) => resource.group === name);
  const versions = [...new Set(served.length === 0 ? ['v1'] : served.map((resource) => resource.version))];
  const entries = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] ?? {} };
}

function resourceList(resources: ResourceCatalogue, group: string, version: string): JsonObject | undefined {
  const served = resources.all().filter((resource) => resource.group === group && resource.version === version);
  const reviews = Object.entries(REVIEWS).filter(([, review]) => review.group === group && version === 'v1');
  if (served.length === 0 && reviews.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: groupVersion({ group, version }),
    resources: [
      ...served.flatMap(resourceEntries),
      ...reviews.map(([plural, { kind }]) => ({
        name: plural,
        singularName: '',
        namespaced: false,
        kind,
        verbs: ['create'],
      })),
    ],
  };
}

function resourceEntries(resource: ApiResource): JsonObject[] {
  const { plural, singular, namespaced, kind, shortNames } = resource;
  const short = shortNames.length === 0 ? {} : { shortNames: [...shortNames] };
  const names = { name: plural, singularName: singular, ...short };
  return [
    { ...names, namespaced, kind, verbs: plural === 'namespaces' ? NAMESPACE_VERBS : VERBS },
    ...resource.subresources.map((subresource) => subresourceEntry(resource, subresource)),
  ];
}

function subresourceEntry({ plural, namespaced, kind }: ApiResource, subresource: string): JsonObject {
  const name = { name: `${plural}/${subresource}`, singularName: '', namespaced };
  if (subresource === 'log') return { ...name, kind, verbs: ['get'] };
  const verbs = ['get', 'patch', 'update'];
  if (subresource === 'scale') return { ...name, group: 'autoscaling', version: 'v1', kind: 'Scale', verbs };
  return { ...name, kind, verbs };
}
