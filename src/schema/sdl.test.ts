import { readFileSync } from 'node:fs';
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  type GraphQLNamedType,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from './index.ts';
import { breakingChanges, sdlOf } from './sdl.ts';

describe('the schema', () => {
  it('is the one in schema/schema.graphql (npm run schema)', () => {
    expect(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8')).toBe(sdlOf(schema));
  });

  it('describes everything', () => {
    const types = Object.values(schema.getTypeMap()).filter(
      (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
    );
    expect(types.flatMap(undescribed)).toEqual([]);
  });
});

describe('breakingChanges', () => {
  const after = buildSchema('type Query { pods(first: Int!): [ID!]! nodes: Int }');

  it('names what existing operations would fail on', () => {
    const changes = breakingChanges('type Query { pods: [ID!]! gone: Int }', after);
    expect(changes).toHaveLength(2);
    expect(changes.join('\n')).toMatch(/REQUIRED_ARG_ADDED.*first/);
    expect(changes.join('\n')).toMatch(/FIELD_REMOVED.*gone/);
  });

  it('lets additions pass', () => {
    expect(breakingChanges('type Query { pods(first: Int!): [ID!]! }', after)).toEqual([]);
  });
});

interface Described {
  readonly name: string;
  readonly description?: string | null | undefined;
}

/** The paths of everything in a type that has no description. */
function undescribed(type: GraphQLNamedType): string[] {
  return [...lacking('', [type]), ...membersOf(type).flatMap((member) => lacking(`${type.name}.`, [member]))];
}

function membersOf(type: GraphQLNamedType): Described[] {
  if (isEnumType(type)) return [...type.getValues()];
  if (isInputObjectType(type)) return Object.values(type.getFields());
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) => [
    field,
    ...field.args.map((arg) => ({ name: `${field.name}(${arg.name})`, description: arg.description })),
  ]);
}

function lacking(prefix: string, members: readonly Described[]): string[] {
  return members.filter(({ description }) => !description?.trim()).map(({ name }) => `${prefix}${name}`);
}
