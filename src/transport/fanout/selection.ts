import { GraphQLIncludeDirective, GraphQLSkipDirective, Kind, getDirectiveValues, isAbstractType } from 'graphql';
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLObjectType,
  InlineFragmentNode,
  SelectionNode,
  SelectionSetNode,
  ValidatedSubscriptionArgs,
} from 'graphql';

/** The same name in an answer: one field, whose selections are taken together. */
export type FieldNodes = readonly [FieldNode, ...FieldNode[]];

/**
 * What is selected of an object of this type: name in the answer → its fields, in the answer's order. Fragments
 * unfolded, aliases followed, `@skip` and `@include` obeyed (GraphQL 6.3.2, CollectFields).
 */
export function collectFields(
  args: ValidatedSubscriptionArgs,
  type: GraphQLObjectType,
  sets: Iterable<SelectionSetNode>,
): Map<string, FieldNodes> {
  const fields = new Map<string, FieldNodes>();
  const seen = new Set<FragmentDefinitionNode>();
  const visit = (node: SelectionNode): void => {
    if (!isIncluded(args, node)) return;
    if (node.kind === Kind.FIELD) {
      const key = node.alias?.value ?? node.name.value;
      const known = fields.get(key);
      fields.set(key, known ? [...known, node] : [node]);
      return;
    }
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : args.fragmentDefinitions[node.name.value];
    if (fragment === undefined || !applies(args, fragment, type)) return;
    if (fragment.kind === Kind.FRAGMENT_DEFINITION) {
      if (seen.has(fragment)) return;
      seen.add(fragment);
    }
    for (const selection of fragment.selectionSet.selections) visit(selection);
  };
  for (const { selections } of sets) for (const selection of selections) visit(selection);
  return fields;
}

/** What is selected below these fields, which are one field of the answer. */
export function selectionSets(nodes: readonly FieldNode[]): SelectionSetNode[] {
  return nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
}

function isIncluded({ variableValues }: ValidatedSubscriptionArgs, node: SelectionNode): boolean {
  if (getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.['if'] === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.['if'] !== false;
}

function applies(
  { schema }: ValidatedSubscriptionArgs,
  { typeCondition }: InlineFragmentNode | FragmentDefinitionNode,
  type: GraphQLObjectType,
): boolean {
  if (typeCondition === undefined || typeCondition.name.value === type.name) return true;
  const condition = schema.getType(typeCondition.name.value);
  return isAbstractType(condition) && schema.isSubType(condition, type);
}
