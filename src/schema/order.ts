import type { HealthLevel } from '../kubernetes/health.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { builder } from './builder.ts';
import { healthOf } from './derived.ts';
import type { Kind } from './kind.ts';

const K8sOrderField = builder.enumType('K8sOrderField', {
  description: 'What to order by. Objects without the value come last in either direction.',
  values: {
    NAME: { description: 'metadata.name.' },
    NAMESPACE: { description: 'metadata.namespace, then the name.' },
    AGE: { description: 'The time since metadata.creationTimestamp: ascending is youngest first.' },
    STATUS: { description: 'The status that `counts` counts by, alphabetically.' },
    RESTARTS: { description: 'The number of restarts; only pods have it.' },
    HEALTH: {
      description: 'Ascending: HEALTHY, SUSPENDED, PROGRESSING, UNKNOWN, DEGRADED. Descending is worst first.',
    },
  },
});

const K8sOrderDirection = builder.enumType('K8sOrderDirection', {
  description: 'Which end comes first.',
  values: {
    ASC: { description: 'From the smallest to the largest.' },
    DESC: { description: 'From the largest to the smallest.' },
  },
});

export const K8sOrder = builder.inputType('K8sOrder', {
  description: 'The order of a list. Ties are in the order of namespace, name and id, so no two objects tie.',
  fields: (t) => ({
    field: t.field({ type: K8sOrderField, required: true, description: 'What to order by.' }),
    direction: t.field({ type: K8sOrderDirection, defaultValue: 'ASC', description: 'Which end comes first.' }),
  }),
});

export type OrderInput = typeof K8sOrder.$inferInput;
type OrderField = OrderInput['field'];

/** What one object is ordered by; undefined when it has no such thing. */
export type SortKey = string | number | undefined;

/** An object's place in an order: total, and meaningful without the object. */
export interface Position {
  readonly key: SortKey;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface Order {
  /** Equal text, equal order: a page's cursor only fits its own. */
  readonly name: string;
  readonly keyType: 'string' | 'number';
  readonly position: (object: KubernetesObject) => Position;
  readonly compare: (a: Position, b: Position) => number;
}

const BEST_FIRST: Record<HealthLevel, number> = {
  HEALTHY: 0,
  SUSPENDED: 1,
  PROGRESSING: 2,
  UNKNOWN: 3,
  DEGRADED: 4,
};

interface Column {
  readonly type: 'string' | 'number';
  readonly of: (object: KubernetesObject, kind: Kind) => SortKey;
}

const COLUMNS: Record<OrderField, Column> = {
  NAME: { type: 'string', of: (object) => object.metadata.name },
  NAMESPACE: { type: 'string', of: (object) => object.metadata.namespace },
  AGE: { type: 'number', of: (object) => birth(object) },
  STATUS: { type: 'string', of: (object, kind) => kind.status.of(object) },
  RESTARTS: { type: 'number', of: (object, kind) => kind.restarts?.(object) },
  HEALTH: { type: 'number', of: (object) => BEST_FIRST[healthOf(object).level] },
};

/** Later births are smaller ages. */
function birth(object: KubernetesObject): number | undefined {
  const milliseconds = Date.parse(object.metadata.creationTimestamp);
  return Number.isNaN(milliseconds) ? undefined : -milliseconds;
}

/** By namespace and name when nothing is asked for, as kubectl prints. */
export function orderOf(input: OrderInput | null | undefined, kind: Kind): Order {
  const field = input?.field ?? 'NAMESPACE';
  const direction = input?.direction ?? 'ASC';
  const column = COLUMNS[field];
  const sign = direction === 'ASC' ? 1 : -1;
  return {
    name: `${field} ${direction}`,
    keyType: column.type,
    position: (object) => ({
      key: column.of(object, kind),
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name,
      uid: object.metadata.uid,
    }),
    compare: (a, b) => compareKeys(a.key, b.key, sign) || compareIdentity(a, b),
  };
}

function compareKeys(a: SortKey, b: SortKey, sign: 1 | -1): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -sign : sign;
}

function compareIdentity(a: Position, b: Position): number {
  return compareText(a.namespace, b.namespace) || compareText(a.name, b.name) || compareText(a.uid, b.uid);
}

/** By code unit: the same on every machine and in every locale, and fast. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
