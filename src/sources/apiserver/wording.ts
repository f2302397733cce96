import type { WatchTarget } from '../source.ts';

/** A request in words, for messages: 'list pods in namespace "shop"'. Names have passed their grammar by now. */
export function describe(verb: string, { resource, namespace }: WatchTarget, name?: string): string {
  const what = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
  const which = name === undefined ? what : `${what} "${name}"`;
  if (!resource.namespaced) return `${verb} ${which}`;
  return `${verb} ${which} in ${namespace === undefined ? 'all namespaces' : `namespace "${namespace}"`}`;
}
