import { createHash } from 'node:crypto';
import {
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  Kind,
  TypeInfo,
  getDirectiveValues,
  print,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { DocumentNode, FieldNode, SelectionNode, SelectionSetNode, ValidatedSubscriptionArgs } from 'graphql';
import type { LiveUpdates } from '../../pubsub/live-updates.ts';

/**
 * What tells subscriptions of one feed apart: equal keys, equal bytes. The viewer is no part of it, because everyone
 * who is let in to a feed sees all of it (where clusters answer each user differently, each has a feed of their own).
 * Nor is where a subscription begins (`resume`) and how fast it goes (`maxRate`): those are its own, not the shape's.
 */
export function shapeKey(
  { document, operation, variableValues }: ValidatedSubscriptionArgs,
  live: LiveUpdates,
): string {
  const personal = personalVariables(document);
  const variables = Object.entries(variableValues.coerced).filter(([name]) => !personal.has(name));
  return JSON.stringify([
    fingerprint(document),
    operation.name?.value ?? null,
    variables.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    live.options.filter?.key ?? null,
  ]);
}

/**
 * Whether the same answer is right for everyone. A resolver that looks at the context may look at who is asking; one
 * that does not even declare that parameter cannot. The context of a shared execution refuses to tell, besides.
 */
export function isShareable({ document, schema }: ValidatedSubscriptionArgs): boolean {
  const known = shareable.get(document);
  if (known !== undefined) return known;
  let answer = true;
  const types = new TypeInfo(schema);
  const Field = () => {
    if ((types.getFieldDef()?.resolve?.length ?? 0) >= CONTEXT_PARAMETER) answer = false;
  };
  visit(document, visitWithTypeInfo(types, { Field }));
  shareable.set(document, answer);
  return answer;
}

/** (source, args, context, info) */
const CONTEXT_PARAMETER = 3;
const PERSONAL_ARGUMENTS: ReadonlySet<string> = new Set(['resume', 'maxRate']);

const shareable = new WeakMap<DocumentNode, boolean>();
const fingerprints = new WeakMap<DocumentNode, string>();
const personals = new WeakMap<DocumentNode, ReadonlySet<string>>();

/** The same for documents that differ in white space and comments alone. */
function fingerprint(document: DocumentNode): string {
  const known = fingerprints.get(document);
  if (known !== undefined) return known;
  const made = createHash('sha256').update(print(document)).digest('base64url');
  fingerprints.set(document, made);
  return made;
}

/** Variables, whatever their names, that are used for nothing but a root field's `resume` and `maxRate`. */
function personalVariables(document: DocumentNode): ReadonlySet<string> {
  const known = personals.get(document);
  if (known !== undefined) return known;
  const own = new Map<string, number>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    for (const field of definition.selectionSet.selections) {
      for (const { name, value } of (field.kind === Kind.FIELD && field.arguments) || []) {
        if (PERSONAL_ARGUMENTS.has(name.value) && value.kind === Kind.VARIABLE) count(own, value.name.value);
      }
    }
  }
  const all = new Map<string, number>();
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => count(all, name.value),
  });
  const made = new Set([...own].filter(([name, uses]) => all.get(name) === uses).map(([name]) => name));
  personals.set(document, made);
  return made;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** What a subscription selects of its updates: the root field's name in the answer, and below it name → field. */
export interface UpdateSelection {
  readonly root: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Fragments unfolded, aliases followed, `@skip` and `@include` obeyed. */
export function updateSelection(args: ValidatedSubscriptionArgs): UpdateSelection {
  const [root = ['', []] as const] = collect(args, [args.operation.selectionSet]);
  const below = root[1].flatMap(({ selectionSet }) => selectionSet ?? []);
  const fields = [...collect(args, below)].map(([key, [field]]) => [key, field?.name.value ?? ''] as const);
  return { root: root[0], fields: new Map(fields) };
}

function collect(args: ValidatedSubscriptionArgs, sets: readonly SelectionSetNode[]): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>();
  for (const { selections } of sets) for (const selection of selections) collectOne(args, selection, fields);
  return fields;
}

function collectOne(args: ValidatedSubscriptionArgs, node: SelectionNode, fields: Map<string, FieldNode[]>): void {
  if (!isIncluded(args, node)) return;
  if (node.kind === Kind.FIELD) {
    const key = node.alias?.value ?? node.name.value;
    fields.set(key, [...(fields.get(key) ?? []), node]);
    return;
  }
  // Updates are object types, and the document is valid: every type condition here holds.
  const set = node.kind === Kind.INLINE_FRAGMENT ? node : args.fragmentDefinitions[node.name.value];
  for (const selection of set?.selectionSet.selections ?? []) collectOne(args, selection, fields);
}

function isIncluded({ variableValues }: ValidatedSubscriptionArgs, node: SelectionNode): boolean {
  if (getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.['if'] === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.['if'] !== false;
}
