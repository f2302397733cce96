import type { GraphQLField, GraphQLFieldResolver, GraphQLObjectType, GraphQLSchema } from 'graphql';
import type { Context } from './context.ts';

type Resolver = GraphQLFieldResolver<unknown, Context>;

/**
 * Has the source check `agentId` before the resolver of any field that takes it: what an ID is depends on where clusters
 * come from. Here for all of them, so that none can forget it: an ID becomes part of headers, keys and log lines.
 */
export function checkingAgentIds(schema: GraphQLSchema): GraphQLSchema {
  for (const field of fieldsOf(schema.getQueryType())) field.resolve = checkingFirst(field.resolve);
  for (const field of fieldsOf(schema.getMutationType())) field.resolve = checkingFirst(field.resolve);
  for (const field of fieldsOf(schema.getSubscriptionType())) field.subscribe = checkingFirst(field.subscribe);
  return schema;
}

function fieldsOf(root: GraphQLObjectType | null | undefined): GraphQLField<unknown, Context>[] {
  return Object.values(root?.getFields() ?? {}).filter(({ args }) => args.some(({ name }) => name === 'agentId'));
}

function checkingFirst(resolver: Resolver | undefined): Resolver {
  return async (root, args, context, info) => {
    await context.gate.clusters.checkAgentId(String(args['agentId']));
    return resolver?.(root, args, context, info);
  };
}
