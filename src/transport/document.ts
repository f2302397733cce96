import { GraphQLError, NoSchemaIntrospectionCustomRule, parse, specifiedRules, validate } from 'graphql';
import type { DocumentNode, GraphQLSchema, ParseOptions, Source } from 'graphql';
import { toGraphQLError } from '../schema/errors.ts';
import { DOCUMENT_LIMITS, DocumentLimitsRule, limitExceeded } from './limits.ts';

const MAX_VALIDATION_ERRORS = 20;

/** Parses within the token limit. What it throws has a code and is meant for the client. */
export function parseDocument(source: string | Source, options?: ParseOptions): DocumentNode {
  try {
    return parse(source, { ...options, maxTokens: DOCUMENT_LIMITS.tokens });
  } catch (error) {
    throw refusedDocument(tooManyTokens(error) ?? toGraphQLError(error));
  }
}

/** The rules of the language and our limits, as one function for both transports. */
export function documentValidator(introspection: boolean) {
  const rules = [...specifiedRules, DocumentLimitsRule, ...(introspection ? [] : [NoSchemaIntrospectionCustomRule])];
  const options = { maxErrors: MAX_VALIDATION_ERRORS, hideSuggestions: !introspection };
  return (schema: GraphQLSchema, document: DocumentNode): GraphQLError[] =>
    validate(schema, document, rules, options).map((error) => refusedDocument(toGraphQLError(error)));
}

function tooManyTokens(error: unknown): GraphQLError | undefined {
  if (!(error instanceof GraphQLError) || !error.message.includes(`more than ${DOCUMENT_LIMITS.tokens} tokens`))
    return undefined;
  return limitExceeded(`The document has more than ${DOCUMENT_LIMITS.tokens} tokens.`);
}

/** GraphQL over HTTP answers a document that cannot be executed with 400; `http` never reaches the client. */
function refusedDocument({ message, nodes, source, positions, extensions }: GraphQLError): GraphQLError {
  const http = { spec: true, status: 400 };
  return new GraphQLError(message, { nodes, source, positions, extensions: { ...extensions, http } });
}
