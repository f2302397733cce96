import { badInput } from '../errors.ts';
import type { HealthLevel } from '../kubernetes/health.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { record } from '../kubernetes/json.ts';
import { parseFieldSelector, parseLabelSelector } from '../kubernetes/selectors.ts';
import type { ObjectFilter } from '../pubsub/updates.ts';
import { builder } from './builder.ts';
import { healthOf } from './derived.ts';
import type { Kind } from './kind.ts';
import { K8sHealthLevel } from './objects.ts';

const MAX_SEARCH = 200;
const MAX_PHASES = 50;
const MAX_PHASE = 200;

export const K8sFilter = builder.inputType('K8sFilter', {
  description:
    'Narrows a collection down to the objects that meet every condition given. Filters run in Kascade: they cost the cluster nothing.',
  fields: (t) => ({
    labelSelector: t.string({
      description: "A label selector as kubectl's -l takes it: `app=web,tier in (a,b),!canary`. Empty: no condition.",
    }),
    fieldSelector: t.string({
      description:
        "A field selector as kubectl's --field-selector takes it: `status.phase!=Running,spec.nodeName=n1`. Empty: no condition.",
    }),
    search: t.string({
      description: `A part of the name, in any case, at most ${MAX_SEARCH} characters. Empty: no condition.`,
    }),
    phases: t.stringList({
      description: `Phases (status.phase) or statuses (as in \`counts\`) of which the object must have one; at most ${MAX_PHASES}. Empty: no condition.`,
    }),
    health: t.field({
      type: [K8sHealthLevel],
      description: 'Health levels of which the object must have one. Empty: no condition.',
    }),
  }),
});

export type FilterInput = typeof K8sFilter.$inferInput;

interface Condition {
  readonly key: string;
  readonly matches: (object: KubernetesObject) => boolean;
}

/** All conditions together; undefined when there is none. Throws BAD_USER_INPUT. */
export function objectFilter(input: FilterInput | null | undefined, kind: Kind): ObjectFilter | undefined {
  const conditions = [
    selectorCondition('labels', input?.labelSelector, labelMatcher),
    selectorCondition('fields', input?.fieldSelector, parseFieldSelector),
    searchCondition(input?.search),
    phasesCondition(input?.phases, kind),
    healthCondition(input?.health),
  ].filter((condition) => condition !== undefined);
  if (conditions.length === 0) return undefined;
  return {
    key: JSON.stringify(conditions.map(({ key }) => key)),
    matches: (object) => conditions.every(({ matches }) => matches(object)),
  };
}

function selectorCondition(
  name: string,
  text: string | null | undefined,
  parse: (text: string) => (object: KubernetesObject) => boolean,
): Condition | undefined {
  return text ? { key: `${name} ${text}`, matches: parse(text) } : undefined;
}

function labelMatcher(selector: string): (object: KubernetesObject) => boolean {
  const matches = parseLabelSelector(selector);
  return (object) => matches(object.metadata.labels ?? {});
}

function searchCondition(text: string | null | undefined): Condition | undefined {
  if (text != null && text.length > MAX_SEARCH)
    throw badInput('filter.search', `at most ${MAX_SEARCH} characters long`);
  const part = text?.trim().toLowerCase();
  if (!part) return undefined;
  return { key: `search ${part}`, matches: (object) => object.metadata.name.toLowerCase().includes(part) };
}

function phasesCondition(phases: readonly string[] | null | undefined, kind: Kind): Condition | undefined {
  if (!phases?.length) return undefined;
  if (phases.length > MAX_PHASES || phases.some((phase) => phase.length > MAX_PHASE)) {
    throw badInput('filter.phases', `at most ${MAX_PHASES} values of at most ${MAX_PHASE} characters`);
  }
  const wanted = new Set<unknown>(phases);
  return {
    key: `phases ${canonicalList(phases)}`,
    matches: (object) => wanted.has(record(object.status)['phase']) || wanted.has(kind.status.of(object)),
  };
}

function healthCondition(levels: readonly HealthLevel[] | null | undefined): Condition | undefined {
  if (!levels?.length) return undefined;
  const wanted = new Set(levels);
  return { key: `health ${canonicalList(levels)}`, matches: (object) => wanted.has(healthOf(object).level) };
}

function canonicalList(values: readonly string[]): string {
  return JSON.stringify([...new Set(values)].toSorted());
}
