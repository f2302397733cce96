import {
  GraphQLError,
  NoFragmentCyclesRule,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { DocumentNode, GraphQLSchema, ParseOptions, Source } from 'graphql';
import { toGraphQLError } from '../schema/errors.ts';
import { comparisonsOf } from './comparisons.ts';
import { asLimitOf, documentLimitsRule, limitError, limitExceeded } from './limits.ts';
import type { DocumentLimits, OnLimit } from './limits.ts';

const MAX_VALIDATION_ERRORS = 20;
/** Comparisons of fields that a document may take, by the tokens that it may have: 100 and more of one name in one place. */
const COMPARISONS_PER_TOKEN = 5;

/** Parses within the token limit. What it throws has a code and is meant for the client. */
export function documentParser({ maxTokens }: DocumentLimits, onLimit: OnLimit) {
  return (source: string | Source, options?: ParseOptions): DocumentNode => {
    try {
      return parse(source, { ...options, maxTokens });
    } catch (error) {
      if (!isTooLong(error, maxTokens)) throw refusedDocument(toGraphQLError(error));
      onLimit('MAX_TOKENS');
      throw refusedDocument(limitExceeded(`The document has more than ${maxTokens} tokens (MAX_TOKENS).`));
    }
  };
}

/**
 * The rules of the language and our limits, as one function for both transports. Two things are looked at before all
 * others, because it takes the rules too much to do so: fragments that contain themselves, between which they can
 * exhaust the stack, and fields that are repeated too often.
 */
export function documentValidator(introspection: boolean, limits: DocumentLimits) {
  const limitsRule = documentLimitsRule(limits);
  const rules = [...specifiedRules, limitsRule, ...(introspection ? [] : [NoSchemaIntrospectionCustomRule])];
  const options = { maxErrors: MAX_VALIDATION_ERRORS, hideSuggestions: !introspection };
  return (schema: GraphQLSchema, document: DocumentNode): GraphQLError[] => {
    const cycles = validate(schema, document, [NoFragmentCyclesRule], options);
    const early = cycles.length > 0 ? cycles : tooManyComparisons(document, limits);
    const errors = early.length > 0 ? early : validate(schema, document, rules, options);
    return errors.map((error) => asLimitOf(error, refusedDocument(toGraphQLError(error))));
  };
}

function tooManyComparisons(document: DocumentNode, { maxTokens }: DocumentLimits): GraphQLError[] {
  const most = COMPARISONS_PER_TOKEN * maxTokens;
  const { count, worst } = comparisonsOf(document, most);
  if (count <= most) return [];
  const message =
    worst.times > 1
      ? `It takes too long to check the document: fragments unfolded, "${worst.name}" is asked for ${worst.times} ` +
        `times in one place, and all of them are compared. Ask for each field once (MAX_COMPARISONS).`
      : `Fragments unfolded, the document asks for more than ${most} fields (MAX_COMPARISONS).`;
  return [limitError('MAX_COMPARISONS', message)];
}

function isTooLong(error: unknown, maxTokens: number): boolean {
  return error instanceof GraphQLError && error.message.includes(`more than ${maxTokens} tokens`);
}

/**
 * GraphQL over HTTP answers a document that cannot be executed with 400; `http` never reaches the client.
 * The error is remembered with its document: of a stack that nobody has read V8 keeps the objects themselves, the
 * socket that the document came from among them.
 */
function refusedDocument({ message, nodes, source, positions, extensions }: GraphQLError): GraphQLError {
  const http = { spec: true, status: 400 };
  const error = new GraphQLError(message, { nodes, source, positions, extensions: { ...extensions, http } });
  error.stack = `${error.name}: ${message}`;
  return error;
}
