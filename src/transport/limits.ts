import { GraphQLError, Kind, getNullableType, isListType } from 'graphql';
import type {
  ASTVisitor,
  FieldNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  ValidationContext,
} from 'graphql';
import { ApiError } from '../errors.ts';
import type { Limit } from '../metric-catalogue.ts';
import { toGraphQLError } from '../schema/errors.ts';

/** What a document may ask for at most. The same on every transport. */
export interface DocumentLimits {
  readonly maxTokens: number;
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxRootFields: number;
}

/** Told which limit somebody ran into, by the name of its environment variable. */
export type OnLimit = (limit: Limit) => void;

const LIMITS_OF_ERRORS = new WeakMap<GraphQLError, Limit>();

/** Which limit an error is about, by the name of its environment variable. */
export function limitOf(error: GraphQLError): Limit | undefined {
  return LIMITS_OF_ERRORS.get(error);
}

/** An error about a limit, which knows of which. */
export function limitError(limit: Limit, message: string, nodes?: OperationDefinitionNode): GraphQLError {
  const { extensions, message: text } = limitExceeded(message);
  const error = new GraphQLError(text, { nodes, extensions });
  LIMITS_OF_ERRORS.set(error, limit);
  return error;
}

/** The same error in another form is about the same limit. */
export function asLimitOf(original: GraphQLError, copy: GraphQLError): GraphQLError {
  const limit = limitOf(original);
  if (limit !== undefined) LIMITS_OF_ERRORS.set(copy, limit);
  return copy;
}

export function limitExceeded(message: string): GraphQLError {
  return toGraphQLError(new ApiError('LIMIT_EXCEEDED', message));
}

/**
 * Measures every operation with its fragments unfolded, as often as they are spread: a short document can mean a
 * very large one. A list of objects counts as two levels, since what is inside is done once for every element.
 * Introspection is left to graphql's own rule.
 */
export function documentLimitsRule(limits: DocumentLimits) {
  return (context: ValidationContext): ASTVisitor =>
    measure(context, (operation, size) => report(context, operation, size, limits));
}

function measure(
  context: ValidationContext,
  judge: (operation: OperationDefinitionNode, size: Unfolded) => void,
): ASTVisitor {
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
          if (typeof definition !== 'string') judge(definition, unfold(definition, sizes));
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

function report(
  context: ValidationContext,
  operation: OperationDefinitionNode,
  { depth, aliases, topFields }: Unfolded,
  { maxDepth, maxAliases, maxRootFields }: DocumentLimits,
): void {
  const complain = (limit: Limit, complaint: string) => {
    context.reportError(limitError(limit, `The ${operation.operation} ${complaint} (${limit}).`, operation));
  };
  if (depth > maxDepth) {
    complain('MAX_DEPTH', `is nested ${depth} levels deep, a list counting as two; at most ${maxDepth} are allowed`);
  }
  if (aliases > maxAliases) complain('MAX_ALIASES', `uses ${aliases} aliases; at most ${maxAliases} are allowed`);
  if (topFields > maxRootFields) {
    complain('MAX_ROOT_FIELDS', `asks for ${topFields} fields at once; at most ${maxRootFields} are allowed`);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
