import { GraphQLError, execute, getOperationAST } from 'graphql';
import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Plugin } from 'graphql-yoga';
import type { Clock } from '../clock.ts';
import type { Counters } from '../counters.ts';
import type { Log } from '../log.ts';
import { isMasked, toGraphQLError } from '../schema/errors.ts';
import type { Credentials } from '../sources/credentials.ts';
import { documentParser, documentValidator } from './document.ts';
import { FanOut } from './fanout/fan-out.ts';
import type { Outlet } from './fanout/outlet.ts';
import { subscribeAlone, subscribeTogether } from './fanout/subscribe.ts';
import { limitOf } from './limits.ts';
import type { DocumentLimits } from './limits.ts';
import { liveResults } from './live.ts';
import { masked } from './masked.ts';
import { RecentMap } from './recent-map.ts';
import { inTime } from './request-time.ts';
import { shownError } from './shown-error.ts';

export interface ExecutionOptions extends DocumentLimits {
  readonly schema: GraphQLSchema;
  /** What an operation is executed with. Asks for credentials when a resolver does: that may throw, they may be absent. */
  readonly contextFor: (credentials: CredentialsOf) => object;
  readonly introspection: boolean;
  /** Seconds that a query, a mutation, or the opening of a subscription may take. */
  readonly maxRequestSeconds: number;
  readonly clock: Clock;
  readonly counters: Counters;
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
  readonly isLive: boolean;
  /** `outlet`: takes finished messages of a subscription that is served together with others; then it yields none. */
  run(outlet?: Outlet): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
}

/** The one place where documents are parsed, validated, limited, executed and their errors masked. */
export interface Execution {
  /** For HTTP: queries and mutations as JSON, anything as server-sent events. */
  respond(request: Request, credentials: CredentialsOf): Promise<Response>;
  /** For sockets. Throws only errors meant for the client. */
  prepare(request: OperationRequest, credentials: CredentialsOf): Promise<PreparedOperation>;
  /** What a client is shown of anything thrown. Defects are logged on the way. */
  clientError(thrown: unknown): GraphQLError;
  /** Subscriptions that are served together. */
  readonly fanOut: FanOut;
}

/** Documents worth remembering parsed and validated. Bounded, since anybody can invent new ones. */
const REMEMBERED_DOCUMENTS = 200;

export function createExecution(options: ExecutionOptions): Execution {
  const { schema, contextFor, log } = options;
  const maskError = errorMask(log);
  const onLimit = (limit: string) => options.counters.add('limits_hit', { limit });
  const onLate = () => onLimit('MAX_REQUEST_SECONDS');
  const fanOut = new FanOut({
    sharedContext: contextFor(nobody),
    mask: (thrown) => shownError(maskError(thrown)),
    onTooManyShapes: () => onLimit('MAX_SHAPES_PER_FEED'),
  });
  const yoga = createYoga<{ credentials: CredentialsOf }>({
    schema,
    context: ({ credentials }) => contextFor(credentials),
    plugins: [graphqlEngine(options), failuresAreNotHttpFailures, endWithTheRequest],
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

  /** Not by way of yoga, which would keep a good deal in memory for each subscription as long as it lives. */
  function opener(args: ExecutionArgs): PreparedOperation['run'] {
    return async (outlet) => {
      const opening = outlet === undefined ? subscribeAlone(args) : subscribeTogether(args, fanOut, outlet);
      return masked(await inTime(options.clock, options.maxRequestSeconds, opening, onLate), maskError);
    };
  }

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
    return { ...args, isLive, run: isLive ? opener(args) : executor(enveloped.execute, args) };
  }

  return {
    respond: async (request, credentials) => yoga.fetch(request, { credentials }),
    prepare,
    clientError: maskError,
    fanOut,
  };
}

function executor(
  run: (args: ExecutionArgs) => Promise<ExecutionResult>,
  args: ExecutionArgs,
): PreparedOperation['run'] {
  return () => run(args);
}

/** A shared execution has no viewer; a resolver that asks for one must not get just anybody. */
function nobody(): never {
  throw new Error('A shared execution asked who is looking.');
}

/** A document with several things wrong; all are told at once. */
export class InvalidDocument extends Error {
  readonly errors: readonly GraphQLError[];

  constructor(errors: readonly GraphQLError[]) {
    super('The document is invalid.');
    this.errors = errors;
  }
}

function graphqlEngine(options: ExecutionOptions): Plugin {
  const { introspection, maxRequestSeconds, clock, counters } = options;
  const onLimit = (limit: string) => counters.add('limits_hit', { limit });
  const onLate = () => onLimit('MAX_REQUEST_SECONDS');
  const parseDocument = documentParser(options, onLimit);
  const validateDocument = documentValidator(introspection, options);
  return {
    onParse: ({ setParseFn }) => setParseFn(parseDocument),
    onValidate: ({ setValidationFn }) => {
      setValidationFn(validateDocument);
      // Here, since a document that was seen before is not validated again.
      return ({ result }) => {
        for (const error of result) {
          const limit = limitOf(error as GraphQLError);
          if (limit !== undefined) onLimit(limit);
        }
      };
    },
    onExecute: ({ setExecuteFn }) =>
      setExecuteFn((args: ExecutionArgs) => inTime(clock, maxRequestSeconds, execute(args), onLate)),
    onSubscribe: ({ setSubscribeFn }) =>
      setSubscribeFn((args: ExecutionArgs) => inTime(clock, maxRequestSeconds, subscribeAlone(args), onLate)),
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
