import type { GraphQLError, GraphQLFormattedError } from 'graphql';

/** `http` tells the HTTP transport which status to answer with, and is nobody else's business. */
export function shownError(error: GraphQLError): GraphQLFormattedError {
  const { extensions, ...rest } = error.toJSON();
  const { http: _http, ...shown } = extensions ?? {};
  return { ...rest, extensions: shown };
}
