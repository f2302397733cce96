import { valueAt } from './json.ts';
import type { ApiObject } from './object.ts';
import { resourceKey, type ApiResource } from './resources.ts';
import { ApiError, badRequest } from './status.ts';

export type Predicate = (object: ApiObject) => boolean;

const everything: Predicate = () => true;

/** `app=web,tier!=db,env in (prod, staging),!legacy,owner` */
export function labelSelector(text: string): Predicate {
  if (text.trim() === '') return everything;
  // A comma inside parentheses separates values, not requirements.
  const requirements = text.split(/,(?![^(]*\))/).map((part) => labelRequirement(part.trim()));
  return (object) => requirements.every((matches) => matches(object.metadata.labels ?? {}));
}

function labelRequirement(text: string): (labels: Record<string, string>) => boolean {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    if (operator === 'in') return (labels) => Object.hasOwn(labels, key) && values.has(labels[key] ?? '');
    return (labels) => !values.has(labels[key] ?? '') || !Object.hasOwn(labels, key);
  }
  const equality = /^([^=!\s]+)\s*(==|=|!=)\s*([\w.-]*)$/.exec(text);
  if (equality) {
    const [, key = '', operator, value = ''] = equality;
    if (operator === '!=') return (labels) => labels[key] !== value;
    return (labels) => labels[key] === value;
  }
  const existence = /^(!?)\s*([^\s=!]+)$/.exec(text);
  if (!existence) throw new ApiError(badRequest(`unable to parse requirement: found '${text}'`));
  const [, not, key = ''] = existence;
  return (labels) => Object.hasOwn(labels, key) === (not === '');
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  pods: ['spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  secrets: ['type'],
  namespaces: ['status.phase'],
  jobs: ['status.successful'],
};

/** `metadata.name=web-1,status.phase!=Running` */
export function fieldSelector(resource: ApiResource, text: string): Predicate {
  if (text.trim() === '') return everything;
  const requirements = text.split(',').map((part) => fieldRequirement(resource, part.trim()));
  return (object) => requirements.every((matches) => matches(object));
}

function fieldRequirement(resource: ApiResource, text: string): Predicate {
  const parsed = /^([^=!\s]+)\s*(==|=|!=)\s*(.*)$/.exec(text);
  if (!parsed) throw new ApiError(badRequest(`invalid selector: '${text}'; can't understand '${text}'`));
  const [, field = '', operator, value = ''] = parsed;
  const known = ['metadata.name', 'metadata.namespace', ...(FIELDS[resourceKey(resource)] ?? [])];
  if (!known.includes(field)) throw new ApiError(badRequest(`field label not supported: ${field}`));
  const path = field === 'source' ? ['source', 'component'] : field.split('.');
  return (object) => {
    const actual = valueAt(object, ...path);
    const equal = (typeof actual === 'string' ? actual : '') === value;
    return operator === '!=' ? !equal : equal;
  };
}
