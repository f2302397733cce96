import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { makeServer } from 'graphql-ws';
import type { Context, Server, SubscribePayload } from 'graphql-ws';
import type { ExecutionArgs, ExecutionResult, GraphQLError } from 'graphql';
import type { Counters } from '../counters.ts';
import { ApiError } from '../errors.ts';
import type { Credentials } from '../sources/credentials.ts';
import { socketCredentials } from './client-credentials.ts';
import { InvalidDocument } from './execution.ts';
import type { Execution, PreparedOperation } from './execution.ts';
import { Life } from './fanout/life.ts';
import type { Outlet } from './fanout/outlet.ts';
import { limitExceeded } from './limits.ts';
import { liveResults } from './live.ts';
import { shownError } from './shown-error.ts';
import type { SocketCount } from './socket-count.ts';

/** What is known of one connection. */
export interface Connection {
  readonly upgrade: IncomingMessage;
  /** Operations that run or have an answer on its way. */
  operations: number;
  credentials: Credentials | undefined;
  /** Gives back the viewer's place among their sockets. */
  leave: (() => void) | undefined;
  close(code: number, reason: string): void;
  /** Where finished messages of an operation go. */
  outlet(id: string): Outlet;
}

export interface ProtocolOptions {
  readonly execution: Execution;
  readonly socketsOfViewer: SocketCount;
  readonly maxOperationsPerSocket: number;
  readonly counters: Counters;
}

const INIT_TIMEOUT_MS = 3_000;

type OfConnection = Context<Record<string, unknown>, Connection>;

/** The graphql-transport-ws protocol, apart from what carries its messages. */
export function createProtocol(options: ProtocolOptions): Server<Connection> {
  const { execution } = options;
  return makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    onConnect: (context) => admit(context, options),
    onSubscribe: ({ extra }, id, payload) => prepare(extra, id, payload, options),
    execute: (args) => run(args),
    subscribe: (args) => run(args),
    onError: (_context, _id, _payload, errors) => errors.map((error) => shownError(execution.clientError(error))),
    // Not before the last answer has left: a client that asks and never reads would pile them up here.
    onComplete: ({ extra }) => void (extra.operations -= 1),
  });
}

/** False closes with 4403: clients come back, with fresh credentials if they can. No credentials at all is no error yet. */
function admit({ extra, connectionParams }: OfConnection, { socketsOfViewer, counters }: ProtocolOptions): boolean {
  try {
    extra.credentials = socketCredentials(extra.upgrade, connectionParams);
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
  if (!extra.credentials) return true;
  extra.leave = socketsOfViewer.enter(ownerOf(extra.credentials));
  // 1013 "try again later": it heals when another tab closes, and clients retry it. 4429 would stop them for good.
  if (extra.leave) return true;
  counters.add('limits_hit', { limit: 'MAX_SOCKETS_PER_VIEWER' });
  extra.close(1013, 'Too many connections');
  return false;
}

/** GitLab's CSRF token is another on every page; the session it belongs to is not. */
function ownerOf(credentials: Credentials): string {
  const secret = credentials.kind === 'bearer' ? credentials.token : credentials.cookie;
  return createHash('sha256').update(secret).digest('base64');
}

async function prepare(
  connection: Connection,
  id: string,
  payload: SubscribePayload,
  { execution, maxOperationsPerSocket, counters }: ProtocolOptions,
): Promise<PreparedOperation | GraphQLError[]> {
  connection.operations += 1;
  try {
    if (connection.operations > maxOperationsPerSocket) {
      counters.add('limits_hit', { limit: 'MAX_OPERATIONS_PER_SOCKET' });
      throw limitExceeded(
        `This connection carries ${maxOperationsPerSocket} operations already (MAX_OPERATIONS_PER_SOCKET).`,
      );
    }
    const operation = await execution.prepare(payload, () => connection.credentials);
    return { ...operation, run: () => operation.run(connection.outlet(id)) };
  } catch (error) {
    connection.operations -= 1;
    return error instanceof InvalidDocument ? [...error.errors] : [execution.clientError(error)];
  }
}

async function run(args: ExecutionArgs): Promise<ExecutionResult | AsyncGenerator<ExecutionResult>> {
  const result = await (args as PreparedOperation).run();
  if (result instanceof Life || !(Symbol.asyncIterator in result)) return result;
  return liveResults(result);
}
