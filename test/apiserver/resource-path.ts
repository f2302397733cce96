import { groupVersion, type ApiResource } from '../../demo/apiserver/resources.ts';

/** Where a collection, or one object of it, is to be had. */
export function resourcePath(resource: ApiResource, namespace: string, name = ''): string {
  const root = resource.group === '' ? '/api' : '/apis';
  const parts = [
    root,
    groupVersion(resource),
    ...(resource.namespaced && namespace !== '' ? ['namespaces', namespace] : []),
    resource.plural,
    ...(name === '' ? [] : [name]),
  ];
  return parts.join('/');
}
