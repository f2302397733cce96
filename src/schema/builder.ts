import SchemaBuilder from '@pothos/core';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Context } from './context.ts';
import { dateTime, json, type DateTimeOutput } from './scalars.ts';

export interface SchemaTypes {
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: never; Output: DateTimeOutput };
    JSON: { Input: never; Output: unknown };
  };
}

/** Every file of this folder adds its types and fields to this one builder; `index.ts` makes the schema of it. */
export const builder = new SchemaBuilder<SchemaTypes>({ defaultFieldNullability: false });

/** A GraphQL object type whose source is an object of the cluster, exactly as its feed holds it. */
export type KubernetesRef = ReturnType<typeof builder.objectRef<KubernetesObject>>;

builder.scalarType('DateTime', dateTime);
builder.scalarType('JSON', json);

builder.queryType({
  description: 'The state of the clusters behind agents, read from the same shared watches as the subscriptions.',
});
builder.mutationType({
  description: "Actions, taken with the caller's own credentials and the caller's own rights.",
});
builder.subscriptionType({
  description:
    'The same state, live. However many people subscribe to a namespace, its cluster carries one watch a resource.',
});
