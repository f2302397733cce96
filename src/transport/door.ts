import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/**
 * Which pages may speak to us. A browser names the page's origin on every cross-site request and on every WebSocket;
 * whoever is no browser has no cookies that could be misused, and no need of an origin.
 */
export function originAllowed(headers: IncomingHttpHeaders, allowedOrigins: readonly string[]): boolean {
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
  'access-control-allow-headers': 'accept, authorization, content-type, x-csrf-token',
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
