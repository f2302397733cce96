import type { Health, HealthLevel } from './generic-health.ts';
import type { KubernetesObject } from './object.ts';

/** What belongs together, by the labels that Kubernetes recommends for it. */
export interface ApplicationGroup {
  /** `app.kubernetes.io/part-of`, else `instance`, else `name`. */
  readonly name: string;
  readonly namespace: string;
  /** `app.kubernetes.io/version`, when all that have one agree. */
  readonly version: string | undefined;
  readonly managedBy: string | undefined;
  readonly objects: readonly KubernetesObject[];
}

const PREFIX = 'app.kubernetes.io/';

/** Groups by namespace and name, in that order. What bears none of the labels is no application. */
export function applicationGroups(objects: readonly KubernetesObject[]): ApplicationGroup[] {
  const named = objects.filter((object) => nameOf(object) !== undefined);
  const groups = Map.groupBy(named, (object) => JSON.stringify([object.metadata.namespace ?? '', nameOf(object)]));
  return [...groups.values()]
    .map((members) => ({
      name: nameOf(members[0]) ?? '',
      namespace: members[0]?.metadata.namespace ?? '',
      version: common(members, 'version'),
      managedBy: common(members, 'managed-by'),
      objects: members,
    }))
    .toSorted((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
}

const WORST_LAST: readonly HealthLevel[] = ['HEALTHY', 'SUSPENDED', 'UNKNOWN', 'PROGRESSING', 'DEGRADED'];

/** The worst of them; HEALTHY when there is none. */
export function worstHealth(healths: readonly Health[]): HealthLevel {
  const worst = Math.max(0, ...healths.map(({ level }) => WORST_LAST.indexOf(level)));
  return WORST_LAST[worst] ?? 'UNKNOWN';
}

function nameOf(object: KubernetesObject | undefined): string | undefined {
  return label(object, 'part-of') ?? label(object, 'instance') ?? label(object, 'name');
}

function label(object: KubernetesObject | undefined, name: string): string | undefined {
  return object?.metadata.labels?.[`${PREFIX}${name}`] || undefined;
}

function common(objects: readonly KubernetesObject[], name: string): string | undefined {
  const values = new Set(objects.map((object) => label(object, name)).filter((value) => value !== undefined));
  return values.size === 1 ? [...values][0] : undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
