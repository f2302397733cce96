import type { KubernetesObject } from '../kubernetes/object.ts';
import { hasFailed } from '../pubsub/failing.ts';
import type { ObjectFilter, Update } from '../pubsub/updates.ts';
import { builder, type KubernetesRef } from './builder.ts';
import type { Context } from './context.ts';
import type { Kind } from './kind.ts';
import { comingFrom, type Origin } from './origin.ts';
import { checkAddress, objectArgs, type ObjectAddress } from './scope.ts';
import { servedKey } from './served.ts';

/** How one object is now. */
export interface ObjectUpdate {
  readonly object: KubernetesObject | undefined;
  readonly freshAsOf: number;
}

/** Lets one object of a name through, whichever that is at the time. */
function isNamed(name: string): ObjectFilter {
  return { key: `name ${name}`, matches: ({ metadata }) => metadata.name === name };
}

/**
 * The updates of a collection, narrowed down to one name, as what they say about that object: whatever came is the
 * object, and when something only went there is none any more. So it holds through deletion and recreation.
 */
export class ObjectUpdates implements AsyncIterableIterator<ObjectUpdate, undefined> {
  readonly #updates: AsyncIterator<Update>;
  readonly #origin: Origin;
  /** Which state was sent last; '' for none at all. */
  #sent: string | undefined;

  constructor(updates: AsyncIterator<Update>, origin: Origin) {
    this.#updates = updates;
    this.#origin = origin;
  }

  async next(): Promise<IteratorResult<ObjectUpdate, undefined>> {
    for (;;) {
      const { value, done } = await this.#updates.next();
      if (done === true) return { done: true, value: undefined };
      const object = value.upserted[0];
      const state = object === undefined ? '' : `${object.metadata.uid} ${object.metadata.resourceVersion}`;
      // A watch that had to start over brings everything again.
      if (state === this.#sent) continue;
      this.#sent = state;
      comingFrom(this.#origin, value.upserted);
      return { done: false, value: { object, freshAsOf: value.freshAsOf } };
    }
  }

  get hasFailed(): boolean {
    return hasFailed(this.#updates);
  }

  async return(): Promise<IteratorResult<ObjectUpdate, undefined>> {
    await this.#updates.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** One object of a feed, whichever has the name at the time. */
export async function followObject(context: Context, { key, name }: ObjectAddress): Promise<ObjectUpdates> {
  return new ObjectUpdates(await context.gate.subscribe(context.viewer(), key, { filter: isNamed(name) }), key);
}

/** The subscription to one object of a kind (`fluxKustomization`), from the same feed as the whole collection. */
export function addObjectSubscription(kind: Kind, object: KubernetesRef): void {
  const { one } = kind.noun;
  const update = builder.objectRef<ObjectUpdate>(`${kind.typeName}Update`).implement({
    description: `One message of the subscription \`${kind.one}\`.`,
    fields: (t) => ({
      object: t.field({
        type: object,
        nullable: true,
        description: `The ${one} as it is now; null while there is none of this name.`,
        resolve: (message) => message.object,
      }),
      freshAsOf: t.expose('freshAsOf', {
        type: 'DateTime',
        description: 'The last proof that the watch behind this was alive and complete.',
      }),
    }),
  });
  builder.subscriptionField(kind.one, (t) =>
    t.field({
      type: update,
      description: `One ${one} by name, live: first as it is, or null when there is none; then whenever it changes, is deleted, or is created again. Needs the right to list and watch them.`,
      args: objectArgs,
      subscribe: async (_root, args, context) => {
        const { key, name } = checkAddress(kind.resource, args);
        return followObject(context, { key: await servedKey(kind, key, context), name });
      },
      resolve: (message) => message,
    }),
  );
}
