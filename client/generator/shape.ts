import { getNamedType, isAbstractType, isCompositeType, isInputObjectType, isListType, isNonNullType } from 'graphql';
import { isEnumType } from 'graphql';
import type { GraphQLInputType, GraphQLNamedType, GraphQLSchema, GraphQLType } from 'graphql';
import type { FieldNode, GraphQLObjectType, SelectionSetNode } from 'graphql';

const SCALARS: Readonly<Record<string, string>> = {
  ID: 'string',
  String: 'string',
  DateTime: 'string',
  Int: 'number',
  Float: 'number',
  Boolean: 'boolean',
  JSON: 'unknown',
};

/** Says in TypeScript what GraphQL types and selections are. Enums and inputs it names are remembered in `named`. */
export class Shapes {
  readonly named = new Map<string, GraphQLNamedType>();
  readonly #schema: GraphQLSchema;

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  /** What a selection answers with. */
  selection(set: SelectionSetNode, parent: GraphQLNamedType): string {
    const fields: string[] = [];
    const fragments: string[] = [];
    for (const selection of set.selections) {
      if (selection.kind === 'Field') fields.push(this.#field(selection, parent));
      else if (selection.kind === 'FragmentSpread') fragments.push(selection.name.value);
      else fragments.push(this.#inline(selection.selectionSet, selection.typeCondition?.name.value, parent));
    }
    return [...(fields.length > 0 ? [braces(fields)] : []), ...fragments].join(' & ');
  }

  /** An input as it may be sent: what can be null can be left out. */
  input(type: GraphQLInputType): string {
    return this.#wrapped(type, (leaf) => this.#leaf(leaf));
  }

  inputFields(
    fields: readonly { readonly name: string; readonly type: GraphQLInputType; readonly optional: boolean }[],
  ) {
    return braces(
      fields.map(({ name, type, optional }) => `readonly ${name}${optional ? '?' : ''}: ${this.input(type)};`),
    );
  }

  #field({ name, alias, selectionSet, directives = [] }: FieldNode, parent: GraphQLNamedType): string {
    const key = alias?.value ?? name.value;
    if (name.value === '__typename') return `readonly ${key}: ${typenames(this.#schema, parent)};`;
    const field = (parent as GraphQLObjectType).getFields()[name.value];
    if (!field) throw new Error(`${parent.name} has no field ${name.value}`);
    const type = this.#wrapped(field.type, (leaf) =>
      selectionSet && isCompositeType(leaf) ? this.selection(selectionSet, leaf) : this.#leaf(leaf),
    );
    const mayBeMissing = directives.some(({ name }) => name.value === 'include' || name.value === 'skip');
    return `readonly ${key}${mayBeMissing ? '?' : ''}: ${type};`;
  }

  #inline(set: SelectionSetNode, condition: string | undefined, parent: GraphQLNamedType): string {
    const type = condition === undefined ? parent : this.#schema.getType(condition);
    if (!type) throw new Error(`there is no type ${condition}`);
    const whole = this.selection(set, type);
    return type !== parent && isAbstractType(parent) ? `Partial<${whole}>` : `(${whole})`;
  }

  #wrapped(type: GraphQLType, leaf: (type: GraphQLNamedType) => string): string {
    if (isNonNullType(type)) return this.#nonNull(type.ofType, leaf);
    return `${this.#nonNull(type, leaf)} | null`;
  }

  #nonNull(type: GraphQLType, leaf: (type: GraphQLNamedType) => string): string {
    if (isListType(type)) return `readonly (${this.#wrapped(type.ofType, leaf)})[]`;
    return leaf(getNamedType(type));
  }

  #leaf(type: GraphQLNamedType): string {
    const scalar = SCALARS[type.name];
    if (scalar !== undefined) return scalar;
    if (!isEnumType(type) && !isInputObjectType(type)) throw new Error(`there is no TypeScript for ${type.name}`);
    this.named.set(type.name, type);
    return type.name;
  }
}

export function braces(lines: readonly string[]): string {
  return `{\n${lines.join('\n')}\n}`;
}

function typenames(schema: GraphQLSchema, type: GraphQLNamedType): string {
  const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
  return possible.map(({ name }) => `'${name}'`).join(' | ');
}
