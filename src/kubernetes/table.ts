import { isRecord, list, optionalText, record, records, text, type JsonRecord } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { trim, type ObjectType } from './trim.ts';

/** A column that the cluster prints a kind with: built in, or from `additionalPrinterColumns` of its definition. */
export interface TableColumn {
  readonly name: string;
  /** integer, number, string, boolean or date. */
  readonly type: string;
  readonly description: string | undefined;
  /** 0 for those that kubectl always prints; others come with -o wide. */
  readonly priority: number;
}

export interface Table {
  readonly columns: readonly TableColumn[];
  /** The cells of each object, by its uid, in the order of the columns. */
  readonly cells: ReadonlyMap<string, readonly unknown[]>;
  /** The objects themselves, if they were asked for. */
  readonly objects: readonly KubernetesObject[];
  readonly continueToken: string | undefined;
}

/**
 * Reads a meta.k8s.io/v1 Table. A server that cannot print this kind answers with a plain list, which is a table
 * without columns. Undefined for anything else.
 */
export function tableOf(body: unknown, type: ObjectType): Table | undefined {
  if (!isRecord(body)) return undefined;
  const continueToken = optionalText(record(body['metadata'])['continue']);
  if (body['kind'] === 'Table') return printed(body, type, continueToken);
  if (!Array.isArray(body['items'])) return undefined;
  return { columns: [], cells: new Map(), objects: objectsOf(list(body['items']), type), continueToken };
}

function printed(body: JsonRecord, type: ObjectType, continueToken: string | undefined): Table {
  const rows = records(body['rows']);
  const whole = rows.map((row) => row['object']).filter((each) => record(each)['kind'] !== 'PartialObjectMetadata');
  return {
    columns: records(body['columnDefinitions']).map(column),
    cells: new Map(rows.map((row) => [uidOf(row), list(row['cells'])])),
    objects: objectsOf(whole, type),
    continueToken,
  };
}

function uidOf(row: JsonRecord): string {
  return text(record(record(row['object'])['metadata'])['uid']);
}

function column(definition: JsonRecord): TableColumn {
  const { priority } = definition;
  return {
    name: text(definition['name']),
    type: text(definition['type']) || 'string',
    description: optionalText(definition['description']),
    priority: typeof priority === 'number' && Number.isSafeInteger(priority) ? priority : 0,
  };
}

/** What is no object is left out: a table shows what can be shown. */
function objectsOf(items: readonly unknown[], type: ObjectType): KubernetesObject[] {
  return items.flatMap((item) => {
    try {
      return [trim(item, type)];
    } catch {
      return [];
    }
  });
}
