import { isRecord, list, optionalText, record, records, text } from './json.ts';
import { WATCHABLE_RESOURCES, type Resource } from './resources.ts';

/** An API group as the cluster serves it. */
export interface ApiGroup {
  /** Never the core group, which has a path of its own. */
  readonly name: string;
  /** The cluster's order: the one it prefers first. */
  readonly versions: readonly string[];
  readonly preferred: string;
}

/** A collection that a version of a group serves. */
export interface ApiResource {
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** Reads an APIGroupList (`/apis`). Undefined when it is none. */
export function apiGroups(body: unknown): ApiGroup[] | undefined {
  if (!isRecord(body) || body['kind'] !== 'APIGroupList') return undefined;
  return records(body['groups'])
    .map((group) => {
      const preferred = text(record(group['preferredVersion'])['version']);
      const versions = records(group['versions']).map((each) => text(each['version']));
      const ordered = [...new Set([preferred, ...versions])].filter((version) => version !== '');
      return { name: text(group['name']), versions: ordered, preferred: preferred || (ordered[0] ?? '') };
    })
    .filter(({ name, versions }) => name !== '' && versions.length > 0);
}

/** Reads an APIResourceList (`/api/v1`, `/apis/apps/v1`), without subresources. Undefined when it is none. */
export function apiResources(body: unknown): ApiResource[] | undefined {
  if (!isRecord(body) || body['kind'] !== 'APIResourceList') return undefined;
  return records(body['resources'])
    .map((each) => ({
      plural: text(each['name']),
      kind: text(each['kind']),
      namespaced: each['namespaced'] === true,
      verbs: list(each['verbs']).map(text),
    }))
    .filter(({ plural, kind }) => plural !== '' && kind !== '' && !plural.includes('/'));
}

/** `gitVersion` of `/version`, such as "v1.36.2". */
export function serverVersion(body: unknown): string | undefined {
  return optionalText(record(body)['gitVersion']);
}

/** The resource to watch: with the name of its own field where the schema has one, else named as RBAC writes it. */
export function resourceOf(group: string, version: string, { plural, kind, namespaced }: ApiResource): Resource {
  const known = WATCHABLE_RESOURCES.find((each) => each.group === group && each.plural === plural);
  const field = known?.field ?? (group === '' ? plural : `${plural}.${group}`);
  return { field, group, version, plural, kind, namespaced };
}
