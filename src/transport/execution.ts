import { GraphQLError, execute, getOperationAST, subscribe } from 'graphql';
import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Plugin } from 'graphql-yoga';
import type { Log } from '../log.ts';
import { isMasked, toGraphQLError } from '../schema/errors.ts';
import type { Credentials } from '../sources/credentials.ts';
import { documentValidator, parseDocument } from './document.ts';
import { liveResults } from './live.ts';
import { RecentMap } from './recent-map.ts';

export interface ExecutionOptions {
  readonly schema: GraphQLSchema;
  /** What an operation is executed with. Asks for credentials when a resolver does: that may throw, they may be absent. */
  readonly contextFor: (credentials: CredentialsOf) => object;
  readonly introspection: boolean;
  readonly log: Log;
}

export type CredentialsOf = () => Credentials | undefined;

export interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

/** An operation that was found good, with what it takes to run it. */
export interface PreparedOperation extends ExecutionArgs {
  run(): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
}

/** The one place where documents are parsed, validated, limited, executed and their errors masked. */
export interface Execution {
  /** For HTTP: queries and mutations as JSON, anything as server-sent events. */
  respond(request: Request, credentials: CredentialsOf): Promise<Response>;
  /** For sockets. Throws only errors meant for the client. */
  prepare(request: OperationRequest, credentials: CredentialsOf): Promise<PreparedOperation>;
  /** What a client is shown of anything thrown. Defects are logged on the way. */
  clientError(thrown: unknown): GraphQLError;
}

/** Documents worth remembering parsed and validated. Bounded, since anybody can invent new ones. */
const REMEMBERED_DOCUMENTS = 200;

export function createExecution({ schema, contextFor, introspection, log }: ExecutionOptions): Execution {
  const maskError = errorMask(log);
  const yoga = createYoga<{ credentials: CredentialsOf }>({
    schema,
    context: ({ credentials }) => contextFor(credentials),
    plugins: [graphqlEngine(introspection), failuresAreNotHttpFailures, endWithTheRequest],
    maskedErrors: { maskError },
    parserAndValidationCache: {
      documentCache: new RecentMap<string, DocumentNode>(REMEMBERED_DOCUMENTS),
      errorCache: NOTHING,
    },
    graphqlEndpoint: '/*', // the HTTP server has looked at the path before
    batching: false,
    multipart: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    maxRequestBodySize: false, // read and limited before
  });

  async function prepare(request: OperationRequest, credentials: CredentialsOf): Promise<PreparedOperation> {
    const enveloped = yoga.getEnveloped({ credentials });
    const document: DocumentNode = enveloped.parse(request.query);
    const [invalid, ...others] = enveloped.validate(enveloped.schema, document) as GraphQLError[];
    if (invalid) throw new InvalidDocument([invalid, ...others]);
    const operation = getOperationAST(document, request.operationName);
    if (!operation) throw new GraphQLError('operationName must name one of the operations of the document.');
    const args: ExecutionArgs = {
      schema: enveloped.schema,
      document,
      operationName: request.operationName,
      variableValues: request.variables,
      contextValue: await enveloped.contextFactory(),
    };
    const isLive = operation.operation === 'subscription';
    return { ...args, run: async () => (isLive ? enveloped.subscribe(args) : enveloped.execute(args)) };
  }

  return {
    respond: async (request, credentials) => yoga.fetch(request, { credentials }),
    prepare,
    clientError: maskError,
  };
}

/** A document with several things wrong; all are told at once. */
export class InvalidDocument extends Error {
  readonly errors: readonly GraphQLError[];

  constructor(errors: readonly GraphQLError[]) {
    super('The document is invalid.');
    this.errors = errors;
  }
}

function graphqlEngine(introspection: boolean): Plugin {
  const validateDocument = documentValidator(introspection);
  return {
    onParse: ({ setParseFn }) => setParseFn(parseDocument),
    onValidate: ({ setValidationFn }) => setValidationFn(validateDocument),
    onExecute: ({ setExecuteFn }) => setExecuteFn(execute),
    onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(subscribe),
  };
}

/** An operation that was refused was answered: without this a subscription refused before its start is a 500. */
const failuresAreNotHttpFailures: Plugin = {
  onExecutionResult(operation) {
    const { result } = operation;
    if (!result || Array.isArray(result) || Symbol.asyncIterator in result || !result.errors) return;
    if (result.errors.some((error) => error.extensions.http ?? isMasked(error))) return;
    operation.setResult({ ...result, extensions: { ...result.extensions, http: { status: 200 } } });
  },
};

/** A client that goes away ends its operation now, however long the source would be quiet. */
const endWithTheRequest: Plugin = {
  onExecutionResult(operation) {
    const { result, request } = operation;
    if (!result || Array.isArray(result) || !(Symbol.asyncIterator in result)) return;
    const stop = () => void results.return(undefined);
    const results = liveResults(result, () => request.signal.removeEventListener('abort', stop));
    if (request.signal.aborted) stop();
    request.signal.addEventListener('abort', stop);
    operation.setResult(results);
  },
};

function errorMask(log: Log): (thrown: unknown) => GraphQLError {
  const logged = new WeakSet<object>(); // an error passes here at every layer that touches it
  return (thrown) => {
    const error = inOurWords(toGraphQLError(thrown));
    const defect = isMasked(error) ? new Object(error.cause) : undefined;
    if (defect && !logged.has(defect)) {
      logged.add(defect);
      log.error({ error: error.cause }, 'An operation failed unexpectedly.');
    }
    return error;
  };
}

/** Yoga has codes of its own for requests that are not GraphQL, and answers some of them with 200. */
function inOurWords(error: GraphQLError): GraphQLError {
  if (typeof error.extensions['remedy'] === 'string') return error;
  const { extensions } = toGraphQLError(new GraphQLError(error.message));
  return new GraphQLError(error.message, {
    extensions: { ...extensions, http: { status: error.extensions.http?.status ?? 400 } },
  });
}

const NOTHING = { get: () => undefined, set: () => undefined };
