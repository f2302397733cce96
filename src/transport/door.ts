import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isLoopback } from '../loopback.ts';
import type { Refusal } from './respond.ts';

export interface DoorOptions {
  /** Exact origins. Empty: only the origin the request itself was sent to. */
  readonly allowedOrigins: readonly string[];
  /** Only requests sent to a name of this machine are answered. */
  readonly loopbackOnly?: boolean;
}

const NOT_LOOPBACK: Refusal = {
  code: 'FORBIDDEN',
  message: 'With KUBECONFIG_SOURCE only requests to localhost, or to a loopback address, are answered.',
  remedy: 'Use http://localhost or http://127.0.0.1, on the machine that Kascade runs on.',
};
const OTHER_ORIGIN: Refusal = {
  code: 'FORBIDDEN',
  message: 'The origin of this page is not in ALLOWED_ORIGINS.',
  remedy: 'Ask the operator to name this origin in ALLOWED_ORIGINS.',
};

/** Why these headers are not let in, if they are not. */
export function refusedAtDoor(
  headers: IncomingHttpHeaders,
  { allowedOrigins, loopbackOnly = false }: DoorOptions,
): Refusal | undefined {
  if (loopbackOnly && !isSentToLoopback(headers.host)) return NOT_LOOPBACK;
  return originAllowed(headers, allowedOrigins) ? undefined : OTHER_ORIGIN;
}

/**
 * A page can make the name of its own server point to 127.0.0.1 after it was loaded ("DNS rebinding"); to the browser
 * it is then of the same origin as we are. It cannot choose what the browser writes into Host.
 */
function isSentToLoopback(host: string | undefined): boolean {
  const address = `http://${host ?? ''}`;
  return /^[\w.:[\]-]+$/.test(host ?? '') && URL.canParse(address) && isLoopback(new URL(address).hostname);
}

/**
 * Which pages may speak to us. A browser names the page's origin on every cross-site request and on every WebSocket;
 * whoever is no browser has no cookies that could be misused, and no need of an origin.
 */
function originAllowed(headers: IncomingHttpHeaders, allowedOrigins: readonly string[]): boolean {
  const { origin } = headers;
  if (origin === undefined) return true;
  return allowedOrigins.length > 0 ? allowedOrigins.includes(origin) : isSameOrigin(origin, headers.host);
}

/** Only the host is compared: behind a proxy that ends TLS the scheme is not known here. */
function isSameOrigin(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin) || host === undefined) return false;
  const page = new URL(origin);
  const server = `${page.protocol}//${host}`;
  return /^https?:$/.test(page.protocol) && URL.canParse(server) && new URL(server).host === page.host;
}

/** Lets an allowed page of another origin read the answer. */
export function corsHeaders(origin: string | undefined): Record<string, string> {
  if (origin === undefined) return {};
  return { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', vary: 'Origin' };
}

export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': 'accept, authorization, content-type, traceparent, x-csrf-token',
  'access-control-max-age': '600',
};

/** On every answer. Whatever we send is data to be read by a program, except GraphiQL, which brings its own policy. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

export function isJson(headers: IncomingHttpHeaders): boolean {
  return /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '');
}

export function accepts(headers: IncomingHttpHeaders, mediaType: string): boolean {
  return (headers.accept ?? '').toLowerCase().includes(mediaType);
}

/**
 * Whether an answer as event stream would be taken. Whoever leaves the choice to us takes it: curl and most HTTP clients
 * accept anything when they are told nothing, and a subscription has no other form over HTTP.
 */
export function takesEvents({ accept = '*/*' }: IncomingHttpHeaders): boolean {
  const ranges = accept.toLowerCase().replaceAll(/\s/g, '').split(',');
  return ranges.some((range) => {
    const [mediaType = '', ...parameters] = range.split(';');
    return EVENT_RANGES.has(mediaType) && !parameters.some((each) => /^q=0(\.0*)?$/.test(each));
  });
}

const EVENT_RANGES: ReadonlySet<string> = new Set(['text/event-stream', 'text/*', '*/*', '']);
