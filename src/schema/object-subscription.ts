import { ObjectUpdates, type ObjectUpdate } from '../pubsub/object-updates.ts';
import type { ObjectFilter } from '../pubsub/updates.ts';
import { builder, type KubernetesRef } from './builder.ts';
import type { Context } from './context.ts';
import type { Kind } from './kind.ts';
import { comingFrom } from './origin.ts';
import { checkAddress, objectArgs, type ObjectAddress } from './scope.ts';
import { servedKey } from './served.ts';

/** Lets one object of a name through, whichever that is at the time. */
function isNamed(name: string): ObjectFilter {
  return { key: `name ${name}`, matches: ({ metadata }) => metadata.name === name };
}

/** One object of a feed, whichever has the name at the time. */
export async function followObject(context: Context, { key, name }: ObjectAddress): Promise<ObjectUpdates> {
  const updates = await context.gate.subscribe(context.viewer(), key, { filter: isNamed(name) });
  return new ObjectUpdates(updates, (object) => comingFrom(key, [object]));
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
