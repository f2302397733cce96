import type { IncomingMessage } from 'node:http';
import { credentialsFromHeaders } from '../access/credentials.ts';
import type { SentCredentials } from '../access/credentials.ts';
import type { Credentials } from '../sources/credentials.ts';

/** How those who ask are told apart. Undefined when there are no credentials; throws an `ApiError` for unreadable ones. */
export interface Identify {
  onRequest(request: IncomingMessage): Credentials | undefined;
  /** `connectionParams`: the payload of `connection_init`. */
  onSocket(
    upgrade: IncomingMessage,
    connectionParams: Readonly<Record<string, unknown>> | undefined,
  ): Credentials | undefined;
}

export const bySentCredentials: Identify = { onRequest: requestCredentials, onSocket: socketCredentials };

/** Whoever reaches the server is the same one viewer, whatever they send. */
export const everybodyLocal: Identify = { onRequest: () => LOCAL, onSocket: () => LOCAL };

const LOCAL: Credentials = { kind: 'local' };

function requestCredentials(request: IncomingMessage): Credentials | undefined {
  return credentialsFromHeaders({ ...cookieOf(request), ...namedCredentials(request.headers) });
}

/**
 * A browser can set no headers on a WebSocket: they are in the payload of `connection_init`, under the same names.
 * The cookie is the upgrade request's; without the CSRF token beside it, it proves nothing.
 */
function socketCredentials(
  upgrade: IncomingMessage,
  connectionParams: Readonly<Record<string, unknown>> | undefined,
): Credentials | undefined {
  return credentialsFromHeaders({ ...cookieOf(upgrade), ...namedCredentials(connectionParams ?? {}) });
}

function cookieOf({ headers }: IncomingMessage): SentCredentials {
  return headers.cookie === undefined ? {} : { cookie: headers.cookie };
}

function namedCredentials(fields: Readonly<Record<string, unknown>>): SentCredentials {
  const authorization = textOf(fields, 'authorization');
  const csrfToken = textOf(fields, 'x-csrf-token');
  return { ...(authorization !== undefined && { authorization }), ...(csrfToken !== undefined && { csrfToken }) };
}

function textOf(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const [, value] = Object.entries(fields).find(([key]) => key.toLowerCase() === name) ?? [];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : ''; // sent, but not readable: not the same as not sent
}
