import type { IncomingMessage } from 'node:http';
import { unauthorized } from './status.ts';

/** Who says they are who, and which agent they want. Not yet believed. */
export type Credentials =
  | { readonly kind: 'pat' | 'ci'; readonly agentId: number; readonly token: string }
  | { readonly kind: 'cookie'; readonly agentId: number; readonly cookie: string; readonly csrf: string };

const COOKIE = '_gitlab_kas';
const AGENT_PARAMETER = 'gitlab-agent-id';
const CSRF_PARAMETER = 'gitlab-csrf-token';

/** What a cluster must never see. */
export const CREDENTIAL_HEADERS: readonly string[] = ['authorization', 'cookie', 'gitlab-agent-id', 'x-csrf-token'];

/** `Authorization` first, with no way back to the cookie; then the session cookie with its two companions. */
export function readCredentials(request: IncomingMessage, query: URLSearchParams): Credentials {
  const authorization = valuesOf(request, 'authorization');
  const [header] = authorization;
  if (authorization.length > 1) {
    throw unauthorized(`Authorization header: expecting a single header, got ${authorization.length}`);
  }
  if (header !== undefined) return readBearer(header);
  const cookie = readCookie(request);
  if (cookie === undefined) throw unauthorized('no valid credentials provided');
  if (cookie === '') throw unauthorized(`${COOKIE} cookie value must not be empty`);
  const agent = exactlyOne(request, query, 'gitlab-agent-id', AGENT_PARAMETER, 'agent id');
  const csrf = exactlyOne(request, query, 'x-csrf-token', CSRF_PARAMETER, 'CSRF token');
  return { kind: 'cookie', agentId: agentIdFrom(agent), cookie, csrf };
}

/** The query without the two parameters that carry credentials; every other byte stays as it was. */
export function withoutCredentials(url: string): string {
  const mark = url.indexOf('?');
  if (mark === -1) return url;
  const kept = url
    .slice(mark + 1)
    .split('&')
    .filter((part) => ![AGENT_PARAMETER, CSRF_PARAMETER].includes(part.split('=')[0]?.toLowerCase() ?? ''));
  return kept.length === 0 ? url.slice(0, mark) : `${url.slice(0, mark)}?${kept.join('&')}`;
}

function readBearer(header: string): Credentials {
  if (!header.startsWith('Bearer ')) throw unauthorized('Authorization header: expecting Bearer token');
  const [type, agent, ...rest] = header.slice('Bearer '.length).split(':');
  if (agent === undefined) throw unauthorized('Authorization header: invalid value');
  if (type !== 'pat' && type !== 'ci') throw unauthorized('Authorization header: unknown token type');
  if (rest.length === 0) throw unauthorized('Authorization header: invalid value');
  const token = rest.join(':');
  if (token === '') throw unauthorized('Authorization header: empty token');
  return { kind: type, agentId: agentIdFrom(agent), token };
}

/** The cookie's value, which Rails escapes and KAS unescapes. */
function readCookie(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const found = pairs.find((pair) => pair.startsWith(`${COOKIE}=`));
  if (found === undefined) return undefined;
  try {
    return decodeURIComponent(found.slice(COOKIE.length + 1));
  } catch {
    throw unauthorized('invalid cookie value');
  }
}

/** Headers win over query parameters; a value given twice is refused. */
function exactlyOne(
  request: IncomingMessage,
  query: URLSearchParams,
  header: string,
  parameter: string,
  what: string,
): string {
  const inHeaders = valuesOf(request, header);
  const values = inHeaders.length > 0 ? inHeaders : query.getAll(parameter);
  const [value] = values;
  if (value === undefined || value === '' || values.length > 1) {
    throw unauthorized(
      `exactly one ${what} must be provided either in the "${header}" header or "${parameter}" query parameter`,
    );
  }
  return value;
}

function agentIdFrom(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw unauthorized(`agent id in request: invalid value: "${text}"`);
  return Number(text);
}

/** Node joins repeated headers; the raw list still knows how often one was sent. */
function valuesOf(request: IncomingMessage, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]?.toLowerCase() === name) values.push(request.rawHeaders[index + 1] ?? '');
  }
  return values;
}
