import type { IncomingMessage } from 'node:http';
import { isObject, text, valueAt, type Json, type JsonObject } from './json.ts';
import type { Page } from './list.ts';
import type { ApiObject } from './object.ts';
import type { ApiRequest } from './request.ts';
import type { ApiResource, PrinterColumn } from './resources.ts';

const AGE = 'creationTimestamp of the object';

/** Whether the client would rather have a table, as kubectl does. */
export function wantsTable({ headers }: IncomingMessage): boolean {
  return /as=Table/.test(headers.accept ?? '');
}

/** A page as a meta.k8s.io/v1 Table: name, the columns of the custom resource, age. */
export function tableBody({ printerColumns }: ApiResource, page: Page, { query }: ApiRequest, now: number): JsonObject {
  const columns: JsonObject[] = [
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      description: 'Name must be unique within a namespace.',
      priority: 0,
    },
    ...printerColumns.map(({ name, type, description }) => ({ name, type, format: '', description, priority: 0 })),
    { name: 'Age', type: 'string', format: '', description: AGE, priority: 0 },
  ];
  const withObjects = query.get('includeObject') === 'Object';
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: page.metadata,
    columnDefinitions: columns,
    rows: page.items.map((object) => ({
      cells: [object.metadata.name, ...printerColumns.map((column) => cell(object, column)), age(object, now)],
      object: withObjects ? object : partial(object),
    })),
  };
}

/** `.status.conditions[?(@.type=="Ready")].status` and plain paths, which is what most definitions use. */
function cell(object: ApiObject, { jsonPath }: PrinterColumn): Json {
  const match = /^\.status\.conditions\[\?\(@\.type=="(\w+)"\)\]\.(\w+)$/.exec(jsonPath);
  if (match?.[1] !== undefined && match[2] !== undefined) {
    const conditions = object.status?.['conditions'];
    const found = Array.isArray(conditions)
      ? conditions.filter(isObject).find(({ type }) => type === match[1])
      : undefined;
    return text(found?.[match[2]]);
  }
  return valueAt(object, ...jsonPath.split('.').filter((step) => step !== '')) ?? null;
}

function age({ metadata }: ApiObject, now: number): string {
  return `${Math.max(0, Math.round((now - Date.parse(metadata.creationTimestamp)) / 1_000))}s`;
}

function partial({ metadata }: ApiObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}
