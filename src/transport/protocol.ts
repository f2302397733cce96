import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { makeServer } from 'graphql-ws';
import type { Context, Server, SubscribePayload } from 'graphql-ws';
import type { ExecutionArgs, ExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import { ApiError } from '../errors.ts';
import type { Credentials } from '../sources/credentials.ts';
import { socketCredentials } from './client-credentials.ts';
import { InvalidDocument } from './execution.ts';
import type { Execution, PreparedOperation } from './execution.ts';
import { limitExceeded } from './limits.ts';
import { liveResults } from './live.ts';
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
}

export interface ProtocolOptions {
  readonly execution: Execution;
  readonly socketsOfViewer: SocketCount;
  readonly maxOperationsPerSocket: number;
}

const INIT_TIMEOUT_MS = 3_000;

type OfConnection = Context<Record<string, unknown>, Connection>;

/** The graphql-transport-ws protocol, apart from what carries its messages. */
export function createProtocol(options: ProtocolOptions): Server<Connection> {
  const { execution } = options;
  return makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    onConnect: (context) => admit(context, options),
    onSubscribe: ({ extra }, _id, payload) => prepare(extra, payload, options),
    execute: (args) => run(args),
    subscribe: (args) => run(args),
    onError: (_context, _id, _payload, errors) => errors.map((error) => formatted(execution.clientError(error))),
    // Not before the last answer has left: a client that asks and never reads would pile them up here.
    onComplete: ({ extra }) => void (extra.operations -= 1),
  });
}

/** False closes with 4403: clients come back, with fresh credentials if they can. No credentials at all is no error yet. */
function admit({ extra, connectionParams }: OfConnection, { socketsOfViewer }: ProtocolOptions): boolean {
  try {
    extra.credentials = socketCredentials(extra.upgrade, connectionParams);
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
  if (!extra.credentials) return true;
  extra.leave = socketsOfViewer.enter(ownerOf(extra.credentials));
  // 1013 "try again later": it heals when another tab closes, and clients retry it. 4429 would stop them for good.
  if (!extra.leave) extra.close(1013, 'Too many connections');
  return extra.leave !== undefined;
}

/** GitLab's CSRF token is another on every page; the session it belongs to is not. */
function ownerOf(credentials: Credentials): string {
  const secret = credentials.kind === 'bearer' ? credentials.token : credentials.cookie;
  return createHash('sha256').update(secret).digest('base64');
}

async function prepare(
  connection: Connection,
  payload: SubscribePayload,
  { execution, maxOperationsPerSocket }: ProtocolOptions,
): Promise<PreparedOperation | GraphQLError[]> {
  connection.operations += 1;
  try {
    if (connection.operations > maxOperationsPerSocket) {
      throw limitExceeded(
        `This connection carries ${maxOperationsPerSocket} operations already (MAX_OPERATIONS_PER_SOCKET).`,
      );
    }
    return await execution.prepare(payload, () => connection.credentials);
  } catch (error) {
    connection.operations -= 1;
    return error instanceof InvalidDocument ? [...error.errors] : [execution.clientError(error)];
  }
}

async function run(args: ExecutionArgs): Promise<ExecutionResult | AsyncGenerator<ExecutionResult>> {
  const result = await (args as PreparedOperation).run();
  return Symbol.asyncIterator in result ? liveResults(result) : result;
}

/** `http` tells the HTTP transport which status to answer with, and is nobody else's business. */
function formatted(error: GraphQLError): GraphQLFormattedError {
  const { extensions, ...rest } = error.toJSON();
  const { http: _http, ...shown } = extensions ?? {};
  return { ...rest, extensions: shown };
}
