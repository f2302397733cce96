import {
  BreakingChangeType,
  buildSchema,
  findSchemaChanges,
  lexicographicSortSchema,
  printSchema,
  type GraphQLSchema,
} from 'graphql';

const HEADER = '# Printed from src/schema by `npm run schema`. Do not edit.\n\n';
const BREAKING: ReadonlySet<string> = new Set(Object.values(BreakingChangeType));

/** The schema as text, always in the same order. */
export function sdlOf(schema: GraphQLSchema): string {
  return `${HEADER}${printSchema(lexicographicSortSchema(schema))}\n`;
}

/** What in `schema` breaks operations that were valid under `earlierSdl`, one sentence each. */
export function breakingChanges(earlierSdl: string, schema: GraphQLSchema): string[] {
  return findSchemaChanges(buildSchema(earlierSdl), schema)
    .filter(({ type }) => BREAKING.has(type))
    .map(({ type, description }) => `${type}: ${description}`);
}
