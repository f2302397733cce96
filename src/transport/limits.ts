import { GraphQLError, Kind, getNullableType, isListType } from 'graphql';
import type {
  ASTVisitor,
  FieldNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  ValidationContext,
} from 'graphql';
import { ApiError } from '../errors.ts';
import { toGraphQLError } from '../schema/errors.ts';

/** What a document may ask for at most. The same on every transport. */
export const DOCUMENT_LIMITS = { tokens: 2_000, depth: 12, aliases: 30, rootFields: 20 } as const;

export function limitExceeded(message: string): GraphQLError {
  return toGraphQLError(new ApiError('LIMIT_EXCEEDED', message));
}

/**
 * Measures every operation with its fragments unfolded, as often as they are spread: a short document can mean a
 * very large one. A list of objects counts as two levels, since what is inside is done once for every element.
 * Introspection is left to graphql's own rule.
 */
export function DocumentLimitsRule(context: ValidationContext): ASTVisitor {
  const sizes = new Map<OperationDefinitionNode | string, Size>();
  let size: Size = emptySize();
  let levels: number[] = [];

  function startDefinition(definition: OperationDefinitionNode | FragmentDefinitionNode): void {
    size = emptySize();
    levels = [];
    sizes.set(definition.kind === Kind.FRAGMENT_DEFINITION ? definition.name.value : definition, size);
  }

  return {
    OperationDefinition: startDefinition,
    FragmentDefinition: startDefinition,
    Field: {
      enter(field) {
        if (field.name.value === '__schema' || field.name.value === '__type') return false;
        if (levels.length === 0) size.topFields += 1;
        if (field.alias) size.aliases += 1;
        levels.push(levelsOf(field, context));
        size.depth = Math.max(size.depth, sum(levels));
        return undefined;
      },
      leave() {
        levels.pop();
      },
    },
    FragmentSpread(spread) {
      size.spreads.push({ name: spread.name.value, below: sum(levels), atTop: levels.length === 0 });
    },
    Document: {
      leave() {
        for (const [definition] of sizes) {
          if (typeof definition !== 'string') report(context, definition, unfold(definition, sizes));
        }
      },
    },
  };
}

interface Size {
  depth: number;
  aliases: number;
  topFields: number;
  spreads: { name: string; below: number; atTop: boolean }[];
}

type Unfolded = Omit<Size, 'spreads'>;

function emptySize(): Size {
  return { depth: 0, aliases: 0, topFields: 0, spreads: [] };
}

function levelsOf(field: FieldNode, context: ValidationContext): number {
  const type = context.getFieldDef()?.type;
  return field.selectionSet && isListType(getNullableType(type)) ? 2 : 1;
}

/** Each fragment is unfolded once and remembered; one that contains itself is reported by another rule, and ends here. */
function unfold(
  definition: OperationDefinitionNode | string,
  sizes: ReadonlyMap<OperationDefinitionNode | string, Size>,
  known = new Map<OperationDefinitionNode | string, Unfolded>(),
): Unfolded {
  const already = known.get(definition);
  if (already) return already;
  const own = sizes.get(definition) ?? emptySize();
  const total: Unfolded = { depth: own.depth, aliases: own.aliases, topFields: own.topFields };
  known.set(definition, total);
  for (const { name, below, atTop } of own.spreads) {
    const inside = unfold(name, sizes, known);
    total.depth = Math.max(total.depth, below + inside.depth);
    total.aliases += inside.aliases;
    if (atTop) total.topFields += inside.topFields;
  }
  return total;
}

function report(context: ValidationContext, operation: OperationDefinitionNode, size: Unfolded): void {
  const { depth, aliases, rootFields } = DOCUMENT_LIMITS;
  const complaints = [
    size.depth > depth && `is nested ${size.depth} levels deep, a list counting as two; at most ${depth} are allowed`,
    size.aliases > aliases && `uses ${size.aliases} aliases; at most ${aliases} are allowed`,
    size.topFields > rootFields && `asks for ${size.topFields} fields at once; at most ${rootFields} are allowed`,
  ];
  for (const complaint of complaints) {
    if (complaint === false) continue;
    const { message, extensions } = limitExceeded(`The ${operation.operation} ${complaint}.`);
    context.reportError(new GraphQLError(message, { nodes: operation, extensions }));
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
