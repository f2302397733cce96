import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Resource } from '../kubernetes/resources.ts';

/** What filter, order, paging and the fields of a collection need to know of one kind of object. */
export interface Kind {
  readonly resource: Resource;
  /** The GraphQL type of one object; the names of its Connection and Update follow from it and from `resource.field`. */
  readonly typeName: string;
  /** The query field of one object. */
  readonly one: string;
  /** For descriptions: "pod", "pods". */
  readonly noun: { readonly one: string; readonly many: string };
  /** The column by which objects are counted, ordered (STATUS) and filtered (`phases`). */
  readonly status: { readonly name: string; readonly of: (object: KubernetesObject) => string | undefined };
  /** Not every cluster has it, and clusters have it in different versions: their discovery tells. */
  readonly isOptional?: boolean;
  /** For ordering by RESTARTS; kinds without it have none. */
  readonly restarts?: (object: KubernetesObject) => number | undefined;
}
