import { createHash } from 'node:crypto';
import { Kind, TypeInfo, print, visit, visitWithTypeInfo } from 'graphql';
import type { DocumentNode, ValidatedSubscriptionArgs } from 'graphql';
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
    const field = types.getFieldDef();
    // That of `__typename` declares all four, for the last of them; clients with a cache ask for it everywhere.
    if (field?.name === '__typename') return;
    if ((field?.resolve?.length ?? 0) >= CONTEXT_PARAMETER) answer = false;
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
