import { Kind } from 'graphql';
import type { DocumentNode, FieldNode, FragmentDefinitionNode, SelectionSetNode } from 'graphql';

/** What it takes to check a document, and what makes the most of it. */
export interface Comparisons {
  /** Of two fields each, and one for whatever is selected. */
  readonly count: number;
  /** The name, in the answer, of the field that is asked for most often in one place, and how often that is. */
  readonly worst: { readonly name: string; readonly times: number };
}

/**
 * How many fields of a document the language's rules compare with each other: all that have one name in one place of
 * the answer, each with each. So what they take grows with the square of the document, and this, which only counts,
 * does not: it stops as soon as there are more than `enough`.
 *
 * Fragments are unfolded, once in a place. Nothing in here calls itself: a document may be nested as deep as it is long,
 * and its fragments may contain each other.
 */
export function comparisonsOf(document: DocumentNode, enough: number): Comparisons {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const each of document.definitions) {
    if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);
  }
  const unfolded = new Set<FragmentDefinitionNode>();
  let count = 0;
  let worst = { name: '', times: 0 };
  const walk = (root: SelectionSetNode) => {
    const places = [[root]];
    for (let place = places.pop(); place !== undefined && count <= enough; place = places.pop()) {
      const { fields, selections } = selectedAt(place, fragments, unfolded);
      count += selections;
      for (const [name, { times, below }] of fields) {
        count += (times * (times - 1)) / 2;
        if (times > worst.times) worst = { name, times };
        if (below.length > 0) places.push(below);
      }
    }
  };
  for (const each of document.definitions) if (each.kind === Kind.OPERATION_DEFINITION) walk(each.selectionSet);
  // What no operation uses is checked, too; so is a fragment that another one of its name hides.
  for (const each of document.definitions) {
    if (each.kind === Kind.FRAGMENT_DEFINITION && !unfolded.has(each)) walk(each.selectionSet);
  }
  return { count, worst };
}

/** Fields of one name in one place: how many there are, and what is selected below them. */
interface SameFields {
  times: number;
  readonly below: SelectionSetNode[];
}

/** What a place of the answer consists of, whatever the types of the fragments are that it comes from. */
function selectedAt(
  place: readonly SelectionSetNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  unfolded: Set<FragmentDefinitionNode>,
): { readonly fields: ReadonlyMap<string, SameFields>; readonly selections: number } {
  const fields = new Map<string, SameFields>();
  const seen = new Set<FragmentDefinitionNode>();
  const waiting = [...place];
  let selections = 0;
  for (let set = waiting.pop(); set !== undefined; set = waiting.pop()) {
    selections += set.selections.length;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) add(fields, selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) waiting.push(selection.selectionSet);
      else {
        const fragment = fragments.get(selection.name.value);
        if (fragment === undefined || seen.has(fragment)) continue;
        seen.add(fragment);
        unfolded.add(fragment);
        waiting.push(fragment.selectionSet);
      }
    }
  }
  return { fields, selections };
}

function add(fields: Map<string, SameFields>, { alias, name, selectionSet }: FieldNode): void {
  const key = alias?.value ?? name.value;
  const known = fields.get(key) ?? { times: 0, below: [] };
  known.times += 1;
  if (selectionSet) known.below.push(selectionSet);
  fields.set(key, known);
}
