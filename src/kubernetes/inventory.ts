import { optionalText, record, records, text } from './json.ts';
import type { KubernetesObject } from './object.ts';

/** An object that a Kustomization or a HelmRelease has applied. */
export interface InventoryEntry {
  /** As Flux writes it: "<namespace>_<name>_<group>_<kind>". */
  readonly id: string;
  /** Undefined for an object without one, such as a ClusterRole. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** '' is the core group. */
  readonly group: string;
  /** The version it was applied in; undefined when it is not written down. */
  readonly version: string | undefined;
  readonly kind: string;
}

export interface MalformedEntry {
  readonly id: string;
  /** For a person. */
  readonly problem: string;
}

export interface Inventory {
  readonly entries: readonly InventoryEntry[];
  /** What cannot be understood: shown rather than left out. */
  readonly malformed: readonly MalformedEntry[];
}

export type ObjectId = Omit<InventoryEntry, 'id' | 'version'>;

/** `status.inventory` of a Kustomization or a HelmRelease, in its order; empty for any other object. */
export function inventoryOf(object: KubernetesObject): Inventory {
  const entries: InventoryEntry[] = [];
  const malformed: MalformedEntry[] = [];
  for (const { id: written, v } of records(record(record(object.status)['inventory'])['entries'])) {
    const id = text(written);
    const parsed = parseObjectId(id);
    if (typeof parsed === 'string') malformed.push({ id, problem: parsed });
    else entries.push({ id, ...parsed, version: optionalText(v) });
  }
  return { entries, malformed };
}

/**
 * Takes an id apart: the namespace ends at the first "_"; from the end, so do the kind and the group; what is left is the
 * name, in which "__" stands for the ":" of RBAC's names. Gives what is wrong as a sentence when it is no id.
 * Source: ParseObjMetadata in sigs.k8s.io/cli-utils/pkg/object, with which test/kubectl compares it; unlike there, an id
 * without a name or a kind is refused, since it can lead nowhere.
 */
export function parseObjectId(id: string): ObjectId | string {
  const afterNamespace = id.indexOf('_');
  const rest = id.slice(afterNamespace + 1);
  const beforeKind = rest.lastIndexOf('_');
  const beforeGroup = beforeKind <= 0 ? -1 : rest.lastIndexOf('_', beforeKind - 1);
  if (afterNamespace === -1 || beforeGroup === -1) return 'It must be "<namespace>_<name>_<group>_<kind>".';
  const name = rest.slice(0, beforeGroup).replaceAll('__', ':');
  const kind = rest.slice(beforeKind + 1);
  if (name.includes('_')) return 'It has too many parts.';
  if (name === '' || kind === '') return 'It has no name or no kind.';
  return {
    namespace: optionalText(id.slice(0, afterNamespace)),
    name,
    group: rest.slice(beforeGroup + 1, beforeKind),
    kind,
  };
}
