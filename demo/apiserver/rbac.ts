import { isObject, text, type Json } from './json.ts';
import type { ApiObject } from './object.ts';
import type { Store } from './store.ts';

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Rule {
  readonly verbs: string[];
  readonly apiGroups: string[];
  readonly resources: string[];
  readonly resourceNames: string[];
}

/** May the user do this? Answered from the Role and RoleBinding objects in the store, anew for each request. */
export function isAllowed(store: Store, user: User, attributes: Attributes): boolean {
  if (user.groups.includes('system:masters')) return true;
  return rulesFor(store, user, attributes.namespace).some((rule) => covers(rule, attributes));
}

/** All rules that hold for the user in the namespace ('' for the cluster scope). */
export function rulesFor(store: Store, user: User, namespace: string): Rule[] {
  const everywhere = store.list('clusterrolebindings');
  const here = namespace === '' ? [] : store.list('rolebindings', namespace);
  return [...everywhere, ...here]
    .filter((binding) => binds(binding, user))
    .flatMap((binding) => roleRules(store, binding));
}

function binds(binding: ApiObject, user: User): boolean {
  return items(binding['subjects']).some((subject) => {
    const { kind, name, namespace } = subject;
    if (kind === 'User') return name === user.name;
    if (kind === 'Group') return typeof name === 'string' && user.groups.includes(name);
    return user.name === `system:serviceaccount:${text(namespace)}:${text(name)}`;
  });
}

function roleRules(store: Store, binding: ApiObject): Rule[] {
  const reference = binding['roleRef'];
  if (!isObject(reference)) return [];
  const name = text(reference['name']);
  const role =
    reference['kind'] === 'ClusterRole'
      ? store.get('clusterroles', '', name)
      : store.get('roles', binding.metadata.namespace ?? '', name);
  return items(role?.['rules']).map((rule) => ({
    verbs: strings(rule['verbs']),
    apiGroups: strings(rule['apiGroups']),
    resources: strings(rule['resources']),
    resourceNames: strings(rule['resourceNames']),
  }));
}

function covers(rule: Rule, wanted: Attributes): boolean {
  const resource = wanted.subresource === '' ? wanted.resource : `${wanted.resource}/${wanted.subresource}`;
  const resourceMatches =
    includesOrAll(rule.resources, resource) ||
    (wanted.subresource !== '' && rule.resources.includes(`*/${wanted.subresource}`));
  return (
    resourceMatches &&
    includesOrAll(rule.verbs, wanted.verb) &&
    includesOrAll(rule.apiGroups, wanted.group) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(wanted.name))
  );
}

function includesOrAll(list: string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

/** The reason of a refusal, in Kubernetes' own words. */
export function refusal(user: User, attributes: Attributes): string {
  const resource =
    attributes.subresource === '' ? attributes.resource : `${attributes.resource}/${attributes.subresource}`;
  const where = attributes.namespace === '' ? 'at the cluster scope' : `in the namespace "${attributes.namespace}"`;
  return `User "${user.name}" cannot ${attributes.verb} resource "${resource}" in API group "${attributes.group}" ${where}`;
}

function items(value: Json | undefined) {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
