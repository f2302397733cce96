import { GraphQLError } from 'graphql';
import { ApiError } from '../errors.ts';

/**
 * Turns anything thrown into the error a client sees; both transports send every error through here.
 *
 * - Our own `ApiError` keeps its message and becomes extensions { code, retryable, remedy, upstream? }.
 * - What GraphQL itself says about the document or its variables is the client's mistake: BAD_USER_INPUT.
 * - Everything else is a defect of ours: masked, with what was thrown in `cause` for the log.
 */
export function toGraphQLError(thrown: unknown): GraphQLError {
  const root = rootOf(thrown);
  if (root instanceof ApiError) return located(thrown, root.message, publicDetails(root), root);
  if (root instanceof GraphQLError && typeof root.extensions['code'] === 'string') return root;
  if (root instanceof GraphQLError && isClientMistake(thrown, root)) {
    return located(thrown, root.message, { ...root.extensions, ...CLIENT_MISTAKE }, root);
  }
  return located(thrown, 'Unexpected error.', DEFECT, root);
}

/** True for an error that `toGraphQLError` masked: its `cause` belongs in the log. */
export function isMasked(error: GraphQLError): boolean {
  return error.extensions['code'] === DEFECT.code;
}

const CLIENT_MISTAKE = {
  code: 'BAD_USER_INPUT',
  retryable: false,
  remedy: 'Correct the document or its variables as the message says.',
} as const;

const DEFECT = {
  code: 'INTERNAL',
  retryable: false,
  remedy: 'Report this to the operator, with the time and the name of the operation.',
} as const;

/** GraphQL wraps what a resolver threw, sometimes more than once. */
function rootOf(thrown: unknown): unknown {
  let root = thrown;
  while (root instanceof GraphQLError && root.originalError !== undefined) root = root.originalError;
  return root;
}

/**
 * Errors of parsing, validation and variables have no path. Errors of arguments have one, and point at the document
 * themselves. A result that a scalar refuses has neither of its own: that is our defect.
 */
function isClientMistake(thrown: unknown, root: GraphQLError): boolean {
  const path = thrown instanceof GraphQLError ? thrown.path : undefined;
  return path === undefined || root.nodes !== undefined;
}

function publicDetails(error: ApiError): Record<string, unknown> {
  const { code, retryable, remedy, upstream } = error;
  return { code, retryable, remedy, ...(upstream && { upstream }) };
}

function located(thrown: unknown, message: string, extensions: Record<string, unknown>, cause: unknown): GraphQLError {
  if (!(thrown instanceof GraphQLError)) return new GraphQLError(message, { extensions, cause });
  const { nodes, source, positions, path } = thrown;
  return new GraphQLError(message, { nodes, source, positions, path, extensions, cause });
}
