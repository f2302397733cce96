import { isRecord, record, records, text, type JsonRecord } from './json.ts';
import { milliseconds } from './timestamp.ts';

/** Controllers of Flux, as they write themselves down in managedFields. */
const FLUX_MANAGERS: ReadonlySet<string> = new Set(['kustomize-controller', 'helm-controller', 'flux']);
/** The part of an object that others are meant to write. */
const STATUS = 'f:status';

export interface ForeignChange {
  readonly manager: string;
  /** RFC 3339; undefined when it is not written down. */
  readonly at: string | undefined;
  /** Fields, as paths of names: "spec.replicas". */
  readonly fields: readonly string[];
}

const MAX_FIELDS = 20;

/**
 * Who else than Flux has written to an object since Flux applied it last, by its managedFields. Status and what is
 * written through subresources does not count; nor does what was written before, which Flux has seen and left.
 */
export function foreignChanges(object: JsonRecord): ForeignChange[] {
  const entries = records(record(object['metadata'])['managedFields']);
  const applied = entries.filter((entry) => FLUX_MANAGERS.has(text(entry['manager'])));
  const lastApplied = Math.max(-Infinity, ...applied.map((entry) => milliseconds(entry['time']) ?? -Infinity));
  return entries
    .filter((entry) => !FLUX_MANAGERS.has(text(entry['manager'])) && text(entry['subresource']) === '')
    .filter((entry) => applied.length > 0 && (milliseconds(entry['time']) ?? -Infinity) > lastApplied)
    .map((entry) => ({
      manager: text(entry['manager']),
      at: text(entry['time']) || undefined,
      fields: fieldsOf(withoutStatus(entry['fieldsV1'])).slice(0, MAX_FIELDS),
    }))
    .filter(({ fields }) => fields.length > 0);
}

function withoutStatus(fields: unknown): JsonRecord {
  return Object.fromEntries(Object.entries(record(fields)).filter(([name]) => name !== STATUS));
}

/** The leaves of a `fieldsV1`. */
function fieldsOf(fields: JsonRecord, path: readonly string[] = []): string[] {
  return Object.entries(fields).flatMap(([key, inner]) => {
    if (key === '.') return [];
    const here = [...path, key.startsWith('f:') ? key.slice(2) : key];
    const deeper = isRecord(inner) ? fieldsOf(inner, here) : [];
    return deeper.length > 0 ? deeper : [here.join('.')];
  });
}
