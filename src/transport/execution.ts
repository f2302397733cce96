import { GraphQLError, execute, getOperationAST } from 'graphql';
import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Plugin } from 'graphql-yoga';
import type { Clock } from '../clock.ts';
import type { Counters } from '../counters.ts';
import type { Log } from '../log.ts';
import { ApiError } from '../errors.ts';
import { isMasked, toGraphQLError } from '../schema/errors.ts';
import type { Credentials } from '../sources/credentials.ts';
import type { Tracer } from '../tracing/tracing.ts';
import { documentParser, documentValidator } from './document.ts';
import { FanOut } from './fanout/fan-out.ts';
import type { Outlet } from './fanout/outlet.ts';
import { subscribeAlone, subscribeTogether } from './fanout/subscribe.ts';
import { limitOf } from './limits.ts';
import type { DocumentLimits, OnLimit } from './limits.ts';
import { masked } from './masked.ts';
import { operationRecorder } from './operation-recorder.ts';
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
  readonly tracer?: Tracer;
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
  /** For HTTP: queries and mutations. Subscriptions are refused: whoever takes event streams has them from `prepare`. */
  respond(request: Request, credentials: CredentialsOf): Promise<Response>;
  /** For sockets and event streams. Throws only errors meant for the client. */
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
  const maskError = errorMask(log, options.counters);
  const onLimit: OnLimit = (limit) => options.counters.add('limits_hit', { limit });
  const onLate = () => onLimit('MAX_REQUEST_SECONDS');
  const recorded = operationRecorder(options);
  const fanOut = new FanOut({
    counters: options.counters,
    sharedContext: contextFor(nobody),
    mask: (thrown) => shownError(maskError(thrown)),
    onTooManyShapes: () => onLimit('MAX_SHAPES_PER_FEED'),
  });
  const yoga = createYoga<{ credentials: CredentialsOf }>({
    schema,
    context: ({ credentials }) => contextFor(credentials),
    plugins: [graphqlEngine(options), failuresAreNotHttpFailures],
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
      const open = () => (outlet === undefined ? subscribeAlone(args) : subscribeTogether(args, fanOut, outlet));
      const opened = recorded(args, () => inTime(options.clock, options.maxRequestSeconds, args, open(), onLate));
      return masked(await opened, maskError);
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
  const recorded = operationRecorder(options);
  const onLimit: OnLimit = (limit) => counters.add('limits_hit', { limit });
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
      setExecuteFn((args: ExecutionArgs) =>
        recorded(args, () => inTime(clock, maxRequestSeconds, args, execute(args), onLate)),
      ),
    onSubscribe: ({ setSubscribeFn }) =>
      setSubscribeFn((args: ExecutionArgs) => recorded(args, () => ({ errors: [notAStream()] }))),
  };
}

/** Yoga would stream it, but not as long as we want, nor would it tell us when it is to end. */
function notAStream(): GraphQLError {
  const message =
    'A subscription is answered as an event stream: send "Accept: text/event-stream", or use a WebSocket.';
  const { extensions } = toGraphQLError(new ApiError('BAD_USER_INPUT', message));
  return new GraphQLError(message, { extensions: { ...extensions, http: { status: 406 } } });
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

function errorMask(log: Log, counters: Counters): (thrown: unknown) => GraphQLError {
  const logged = new WeakSet<object>(); // an error passes here at every layer that touches it
  return (thrown) => {
    const error = inOurWords(toGraphQLError(thrown));
    const defect = isMasked(error) ? new Object(error.cause) : undefined;
    if (defect && !logged.has(defect)) {
      logged.add(defect);
      counters.add('defects', { where: 'operation' });
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
