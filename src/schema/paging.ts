import { badInput } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { builder } from './builder.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { Order, Position } from './order.ts';

export const MAX_PAGE = 1000;

export const PageInfo = builder.objectRef<Pick<Page, 'hasNextPage' | 'endCursor'>>('PageInfo').implement({
  description: 'How to go on after a page.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'True when there are more objects after this page.' }),
    endCursor: t.exposeString('endCursor', {
      nullable: true,
      description:
        "What to pass as `after` for the next page: the place of this page's last object, which holds even when that object is gone. Null when the page is empty.",
    }),
  }),
});

export const pageArgs = builder.args((t) => ({
  first: t.int({ description: `At most this many objects, 1 to ${MAX_PAGE}. Omitted or null: all of them.` }),
  after: t.string({
    description:
      'The endCursor of an earlier page in the same order: only what comes after it. BAD_USER_INPUT when it is no such cursor.',
  }),
}));

export interface PageRequest {
  readonly order: Order;
  /** Undefined: everything. */
  readonly first: number | undefined;
  readonly after: Position | undefined;
}

export interface Page {
  readonly nodes: readonly KubernetesObject[];
  readonly hasNextPage: boolean;
  readonly endCursor: string | null;
}

/** Throws BAD_USER_INPUT. */
export function pageRequest(
  order: Order,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): PageRequest {
  const first = args.first ?? undefined;
  if (first !== undefined && (first < 1 || first > MAX_PAGE)) {
    throw badInput('first', `a number from 1 to ${MAX_PAGE}`);
  }
  return { order, first, after: args.after == null ? undefined : decodeCursor(order, args.after) };
}

export function pageOf(objects: readonly KubernetesObject[], { order, first, after }: PageRequest): Page {
  const places = objects
    .map((object) => ({ object, ...order.position(object) }))
    .filter((place) => after === undefined || order.compare(place, after) > 0)
    .toSorted(order.compare);
  const page = first === undefined ? places : places.slice(0, first);
  const last = page.at(-1);
  return {
    nodes: page.map(({ object }) => object),
    hasNextPage: page.length < places.length,
    endCursor: last === undefined ? null : encodeCursor(order, last),
  };
}
