import { readFileSync } from 'node:fs';
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  parse,
  print,
  valueFromASTUntyped,
  type DefinitionNode,
  type FieldDefinitionNode,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type InputValueDefinitionNode,
  type NameNode,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from './index.ts';

const contract = parse(readFileSync(new URL('contract.graphql', import.meta.url), 'utf8'));

describe('the public contract', () => {
  it.each(contract.definitions.map((definition) => [nameOf(definition), definition] as const))(
    'has %s as promised',
    (name, definition) => {
      const type = schema.getType(name);
      if (type === undefined) throw new Error(`${name} is missing`);
      expect(missing(definition, type)).toEqual([]);
    },
  );
});

function nameOf(definition: DefinitionNode): string {
  if (!('name' in definition) || definition.name === undefined) throw new Error('unexpected definition');
  return definition.name.value;
}

/** What is promised and not kept, one line each. The schema may have more. */
function missing(promised: DefinitionNode, type: GraphQLNamedType): string[] {
  if (promised.kind === 'ScalarTypeDefinition' && isScalarType(type)) return [];
  if (promised.kind === 'EnumTypeDefinition' && isEnumType(type)) {
    return lacking(promised.values, type.getValues());
  }
  if (promised.kind === 'InputObjectTypeDefinition' && isInputObjectType(type)) {
    return missingInputs(promised.fields, Object.values(type.getFields()));
  }
  if (promised.kind === 'InterfaceTypeDefinition' && isInterfaceType(type)) {
    return missingFields(promised.fields, type);
  }
  if (promised.kind === 'ObjectTypeDefinition' && isObjectType(type)) {
    return [...lacking(promised.interfaces, type.getInterfaces()), ...missingFields(promised.fields, type)];
  }
  return [`is no ${promised.kind}`];
}

/** The promised names that are not among the actual ones. */
function lacking(
  promised: readonly { readonly name: NameNode }[] = [],
  actual: readonly { readonly name: string }[],
): string[] {
  const names = new Set(actual.map(({ name }) => name));
  return promised.map(({ name }) => name.value).filter((name) => !names.has(name));
}

function missingFields(
  promised: readonly FieldDefinitionNode[] = [],
  type: GraphQLObjectType | GraphQLInterfaceType,
): string[] {
  return promised.flatMap(({ name, type: fieldType, arguments: args }) => {
    const field = type.getFields()[name.value];
    if (field === undefined) return [`${name.value} is missing`];
    const wrongType = String(field.type) === print(fieldType) ? [] : [`${name.value} is ${String(field.type)}`];
    return [...wrongType, ...missingInputs(args, field.args).map((problem) => `${name.value}(${problem})`)];
  });
}

function missingInputs(
  promised: readonly InputValueDefinitionNode[] = [],
  actual: readonly (GraphQLArgument | GraphQLInputField)[],
): string[] {
  return promised.flatMap(({ name, type, defaultValue }) => {
    const input = actual.find((each) => each.name === name.value);
    if (input === undefined) return [`${name.value} is missing`];
    const wrongType = String(input.type) === print(type) ? [] : [`${name.value} is ${String(input.type)}`];
    const promisedDefault = defaultValue === undefined ? undefined : valueFromASTUntyped(defaultValue);
    const wrongDefault = input.defaultValue === promisedDefault ? [] : [`${name.value} has another default`];
    return [...wrongType, ...wrongDefault];
  });
}
