import type { IncomingMessage } from 'node:http';
import { humanDuration } from '../../src/kubernetes/human-duration.ts';
import { isObject, valueAt, type Json, type JsonObject } from './json.ts';
import type { Page } from './list.ts';
import type { ApiObject } from './object.ts';
import type { ApiRequest } from './request.ts';
import type { ApiResource, PrinterColumn } from './resources.ts';

const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description: 'creationTimestamp of the object',
  jsonPath: '.metadata.creationTimestamp',
};

/** Whether the client would rather have a table, as kubectl does. */
export function wantsTable({ headers }: IncomingMessage): boolean {
  return /as=Table/.test(headers.accept ?? '');
}

/**
 * A page as a meta.k8s.io/v1 Table: name, and the columns of the custom resource; age only where it has none of its own.
 * Built-in kinds have columns of their own in real servers; here they are printed as custom ones without columns.
 */
export function tableBody({ printerColumns }: ApiResource, page: Page, { query }: ApiRequest, now: number): JsonObject {
  const columns = printerColumns.length === 0 ? [AGE] : printerColumns;
  const withObjects = query.get('includeObject') === 'Object';
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: page.metadata,
    columnDefinitions: [
      column({ name: 'Name', type: 'string', description: 'Name must be unique within a namespace.' }, 'name'),
      ...columns.map((each) => column(each)),
    ],
    rows: page.items.map((object) => ({
      cells: [object.metadata.name, ...columns.map((each) => cell(object, each, now))],
      object: withObjects ? object : partial(object),
    })),
  };
}

function column({ name, type, description }: Omit<PrinterColumn, 'jsonPath'>, format = ''): JsonObject {
  return { name, type, format, description, priority: 0 };
}

/** `.status.conditions[?(@.type=="Ready")].status` and plain paths, which is what most definitions use. */
function cell(object: ApiObject, { jsonPath, type }: PrinterColumn, now: number): Json {
  const match = /^\.status\.conditions\[\?\(@\.type=="(\w+)"\)\]\.(\w+)$/.exec(jsonPath);
  if (match?.[1] !== undefined && match[2] !== undefined) {
    const conditions = object.status?.['conditions'];
    const found = Array.isArray(conditions)
      ? conditions.filter(isObject).find(({ type }) => type === match[1])
      : undefined;
    return found?.[match[2]] ?? null;
  }
  const value = valueAt(object, ...jsonPath.split('.').filter((step) => step !== '')) ?? null;
  return type === 'date' && typeof value === 'string' ? humanDuration(now - Date.parse(value)) : value;
}

function partial({ metadata }: ApiObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}
