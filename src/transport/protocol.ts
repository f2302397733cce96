import { makeServer } from 'graphql-ws';
import type { Context, Server, SubscribePayload } from 'graphql-ws';
import type { ExecutionArgs, ExecutionResult, GraphQLError } from 'graphql';
import type { Counters } from '../counters.ts';
import { ownerOf } from '../access/viewer.ts';
import { ApiError } from '../errors.ts';
import { inTrace } from '../tracing/tracing.ts';
import { bySentCredentials, type Identify } from './client-credentials.ts';
import { socketTrace } from './client-trace.ts';
import { InvalidDocument } from './execution.ts';
import type { Execution, PreparedOperation } from './execution.ts';
import { Life } from './fanout/life.ts';
import { limitExceeded } from './limits.ts';
import { liveResults } from './live.ts';
import { shownError } from './shown-error.ts';
import type { SocketConnection } from './socket-connection.ts';
import type { SocketCount } from './socket-count.ts';

export interface ProtocolOptions {
  readonly execution: Execution;
  readonly socketsOfViewer: SocketCount;
  /** Who asks; by what they send when left out. */
  readonly identify?: Identify;
  readonly maxOperationsPerSocket: number;
  readonly counters: Counters;
}

const INIT_TIMEOUT_MS = 3_000;

type OfConnection = Context<Record<string, unknown>, SocketConnection>;

/** The graphql-transport-ws protocol, apart from what carries its messages. */
export function createProtocol(options: ProtocolOptions): Server<SocketConnection> {
  const { execution, counters } = options;
  const delivered = counters.series('deliveries', { transport: 'websocket', mode: 'plain' });
  return makeServer<Record<string, unknown>, SocketConnection>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    onConnect: (context) => admit(context, options),
    onSubscribe: ({ extra }, id, payload) => prepare(extra, id, payload, options),
    execute: (args) => run(args),
    subscribe: (args) => run(args),
    // What is shared does not come this way.
    onNext: (_context, _id, _payload, args) => {
      if ((args as PreparedOperation).isLive) delivered.value += 1;
    },
    onError: (_context, _id, _payload, errors) => errors.map((error) => shownError(execution.clientError(error))),
    // Not before the last answer has left: a client that asks and never reads would pile them up here.
    onComplete: ({ extra }, id) => {
      extra.operations -= 1;
      setImmediate(() => extra.answers.settle(id)); // `complete` is sent right after this
    },
  });
}

/** False closes with 4403: clients come back, with fresh credentials if they can. No credentials at all is no error yet. */
async function admit({ extra, connectionParams }: OfConnection, options: ProtocolOptions): Promise<boolean> {
  const { socketsOfViewer, identify = bySentCredentials, counters } = options;
  const upgrade = extra.takeUpgrade();
  extra.trace = socketTrace(upgrade, connectionParams);
  try {
    extra.credentials = identify.onSocket(upgrade, connectionParams);
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
  if (!extra.credentials) return true;
  const leave = await socketsOfViewer.enterAnywhere(ownerOf(extra.credentials));
  if (leave !== undefined) {
    extra.untilGone(leave);
    return true;
  }
  // 1013 "try again later": it heals when another tab closes, and clients retry it. 4429 would stop them for good.
  counters.add('limits_hit', { limit: 'MAX_SOCKETS_PER_VIEWER' });
  extra.close(1013, 'Too many connections');
  return false;
}

async function prepare(
  connection: SocketConnection,
  id: string,
  payload: SubscribePayload,
  { execution, maxOperationsPerSocket, counters }: ProtocolOptions,
): Promise<PreparedOperation | GraphQLError[]> {
  connection.operations += 1;
  connection.answers.owe(id);
  try {
    if (connection.operations > maxOperationsPerSocket) {
      counters.add('limits_hit', { limit: 'MAX_OPERATIONS_PER_SOCKET' });
      throw limitExceeded(
        `This connection carries ${maxOperationsPerSocket} operations already (MAX_OPERATIONS_PER_SOCKET).`,
      );
    }
    const operation = await execution.prepare(payload, () => connection.credentials);
    if (operation.isLive) connection.answers.settle(id);
    return { ...operation, run: () => inTrace(connection.trace, () => operation.run(connection.outlet(id))) };
  } catch (error) {
    connection.operations -= 1;
    setImmediate(() => connection.answers.settle(id)); // the error is sent right after this
    return error instanceof InvalidDocument ? [...error.errors] : [execution.clientError(error)];
  }
}

async function run(args: ExecutionArgs): Promise<ExecutionResult | AsyncGenerator<ExecutionResult>> {
  const result = await (args as PreparedOperation).run();
  if (result instanceof Life || !(Symbol.asyncIterator in result)) return result;
  return liveResults(result);
}
