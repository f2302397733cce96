import { isRecord, list, record, records, text } from './json.ts';
import type { KubernetesObject } from './object.ts';

type Labels = Readonly<Record<string, unknown>>;

/** One thing asked of the labels; `=` is an In with one value that is printed another way. */
interface Requirement {
  readonly key: string;
  readonly operator: '=' | 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/** Kinds of the core group whose `spec.selector` is a plain map of labels. */
const PLAIN_MAPS: ReadonlySet<string> = new Set(['Service', 'ReplicationController']);

/**
 * Whether the `spec.selector` of a workload, a Service or a PodDisruptionBudget selects an object with these labels;
 * that both are in one namespace is for the caller to see. A LabelSelector without requirements selects everything, one
 * that is missing or wrong nothing; a Service's selector selects nothing when it is empty.
 * Source: LabelSelectorAsSelector in k8s.io/apimachinery/pkg/apis/meta/v1, with which test/kubectl compares it. The
 * grammar of keys and values is not looked at: the API server did that.
 */
export function selectorMatches(owner: KubernetesObject, labels: Labels | undefined): boolean {
  const selector = record(owner.spec)['selector'];
  const requirements = isPlainMap(owner) ? plainMap(selector) : labelSelector(selector);
  return requirements !== undefined && requirements.every((each) => matches(each, record(labels)));
}

/**
 * A LabelSelector as kubectl prints it: "app=web,tier in (a,b),!old", by key. Undefined where kubectl has "<none>" (it is
 * missing or empty) or "<error>" (it is wrong).
 */
export function formatLabelSelector(selector: unknown): string | undefined {
  const requirements = labelSelector(selector) ?? [];
  return requirements.toSorted(byKey).map(format).join(',') || undefined;
}

function isPlainMap(owner: KubernetesObject): boolean {
  return owner.apiVersion === 'v1' && PLAIN_MAPS.has(owner.kind);
}

function plainMap(selector: unknown): Requirement[] | undefined {
  const requirements = equalities(selector);
  return requirements.length === 0 ? undefined : requirements;
}

/** Undefined for one that selects nothing. */
function labelSelector(selector: unknown): Requirement[] | undefined {
  if (!isRecord(selector)) return undefined;
  const expressions = records(selector['matchExpressions']).map(expression);
  const valid = expressions.filter((each) => each !== undefined);
  return valid.length < expressions.length ? undefined : [...equalities(selector['matchLabels']), ...valid];
}

function equalities(labels: unknown): Requirement[] {
  return Object.entries(record(labels)).map(([key, value]) => ({ key, operator: '=', values: [text(value)] }));
}

/** Undefined for one that Kubernetes refuses. */
function expression(fields: Readonly<Record<string, unknown>>): Requirement | undefined {
  const key = text(fields['key']);
  const operator = fields['operator'];
  const values = list(fields['values']).map(text);
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length === 0 ? undefined : { key, operator, values };
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0 ? { key, operator, values } : undefined;
    default:
      return undefined;
  }
}

/** Own labels only, so `__proto__` and `constructor` are keys like any other. */
function matches({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  const isOneOf = typeof value === 'string' && values.includes(value);
  switch (operator) {
    case '=':
    case 'In':
      return isOneOf;
    case 'NotIn':
      return !isOneOf;
    case 'Exists':
      return value !== undefined;
    default:
      return value === undefined;
  }
}

function format({ key, operator, values }: Requirement): string {
  switch (operator) {
    case '=':
      return `${key}=${values.join(',')}`;
    case 'In':
    case 'NotIn':
      return `${key} ${operator.toLowerCase()} (${values.toSorted().join(',')})`;
    case 'Exists':
      return key;
    default:
      return `!${key}`;
  }
}

function byKey(a: Requirement, b: Requirement): number {
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}
