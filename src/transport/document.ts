import { GraphQLError, NoSchemaIntrospectionCustomRule, parse, specifiedRules, validate } from 'graphql';
import type { DocumentNode, GraphQLSchema, ParseOptions, Source } from 'graphql';
import { toGraphQLError } from '../schema/errors.ts';
import { asLimitOf, documentLimitsRule, limitExceeded } from './limits.ts';
import type { DocumentLimits, OnLimit } from './limits.ts';

const MAX_VALIDATION_ERRORS = 20;

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

/** The rules of the language and our limits, as one function for both transports. */
export function documentValidator(introspection: boolean, limits: DocumentLimits) {
  const limitsRule = documentLimitsRule(limits);
  const rules = [...specifiedRules, limitsRule, ...(introspection ? [] : [NoSchemaIntrospectionCustomRule])];
  const options = { maxErrors: MAX_VALIDATION_ERRORS, hideSuggestions: !introspection };
  return (schema: GraphQLSchema, document: DocumentNode): GraphQLError[] =>
    validate(schema, document, rules, options).map((error) => asLimitOf(error, refusedDocument(toGraphQLError(error))));
}

function isTooLong(error: unknown, maxTokens: number): boolean {
  return error instanceof GraphQLError && error.message.includes(`more than ${maxTokens} tokens`);
}

/** GraphQL over HTTP answers a document that cannot be executed with 400; `http` never reaches the client. */
function refusedDocument({ message, nodes, source, positions, extensions }: GraphQLError): GraphQLError {
  const http = { spec: true, status: 400 };
  return new GraphQLError(message, { nodes, source, positions, extensions: { ...extensions, http } });
}
