import { checkGroup, checkName, checkNamespace, checkPlural, checkVersion } from '../../kubernetes/names.ts';
import type { WatchTarget } from '../source.ts';

export type Query = Readonly<Record<string, string | undefined>>;

/** A place in an API, below wherever that is reached. */
export interface ApiPath {
  readonly segments: readonly string[];
  readonly query?: Query;
}

/** A collection, or one object in it, or a subresource of that. */
export function resourcePath(target: WatchTarget, name?: string, query: Query = {}, subresource?: string): ApiPath {
  const { group, version, plural } = target.resource;
  const segments = groupVersionSegments(group, version);
  if (target.namespace !== undefined) segments.push('namespaces', checkNamespace(target.namespace));
  segments.push(checkPlural(plural));
  if (name !== undefined) segments.push(checkName(name));
  if (subresource !== undefined) segments.push(subresource);
  return { segments, query };
}

/** A version of a group, which tells what it serves. */
export function groupVersionPath(group: string, version: string): ApiPath {
  return { segments: groupVersionSegments(group, version) };
}

function groupVersionSegments(group: string, version: string): string[] {
  return group === '' ? ['api', checkVersion(version)] : ['apis', checkGroup(group), checkVersion(version)];
}

/**
 * A URL of exactly these segments below the base. Whatever they hold, it goes nowhere else: the path that the URL
 * parser made is compared with the one that was meant, because a segment of ".." survives any encoding.
 */
export function urlOf(base: URL, { segments, query = {} }: ApiPath): URL {
  const path = `${base.pathname.replace(/\/$/, '')}/${segments.join('/')}`;
  const url = new URL(base);
  url.pathname = path;
  if (url.pathname !== path) throw new Error('A URL path would not be what was meant; nothing was sent.');
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value);
  return url;
}
