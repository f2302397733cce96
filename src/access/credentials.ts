import { ApiError } from '../errors.ts';
import type { KasCredentials } from '../sources/credentials.ts';

/** What a request brought along, in HTTP headers or under the same names in `connection_init`. */
export interface SentCredentials {
  readonly authorization?: string;
  /** The whole Cookie header. */
  readonly cookie?: string;
  readonly csrfToken?: string;
}

const MAX_TOKEN_LENGTH = 8_192;
/** What a header value may hold: visible ASCII without spaces, so that nothing can be smuggled into the next header. */
const TOKEN = /^[\x21-\x7e]+$/;
/** As GitLab's agent server reads it: type, agent, token. */
const BOUND_TOKEN = /^(pat|ci):([1-9][0-9]{0,17}):(.+)$/;

/**
 * The credentials in a request, or undefined when it has none. `Authorization` comes first, and when it is there
 * the cookie is not looked at. Throws UNAUTHENTICATED for what cannot be read, without repeating it.
 */
export function credentialsFromHeaders(sent: SentCredentials): KasCredentials | undefined {
  if (sent.authorization !== undefined) return bearer(sent.authorization);
  const cookie = cookieValue(sent.cookie ?? '', '_gitlab_kas');
  // A cookie alone is what any page can make a browser send: without the token of GitLab's page it proves nothing.
  if (cookie === undefined || sent.csrfToken === undefined) return undefined;
  return {
    kind: 'cookie',
    cookie: checkToken(cookie, 'cookie'),
    csrfToken: checkToken(sent.csrfToken, 'X-CSRF-Token'),
  };
}

function bearer(authorization: string): KasCredentials {
  const token = /^Bearer +([^ ]+)$/i.exec(authorization.trim())?.[1];
  if (token === undefined) throw new ApiError('UNAUTHENTICATED', 'Authorization must be "Bearer <token>".');
  checkToken(token, 'Authorization');
  const bound = BOUND_TOKEN.exec(token);
  if (bound?.[1] === undefined || bound[3] === undefined) {
    return { kind: 'bearer', agentId: undefined, tokenType: 'pat', token };
  }
  return { kind: 'bearer', agentId: bound[2], tokenType: bound[1] === 'ci' ? 'ci' : 'pat', token: bound[3] };
}

function checkToken(value: string, where: string): string {
  if (value.length > MAX_TOKEN_LENGTH || !TOKEN.test(value) || value.includes(';')) {
    throw new ApiError('UNAUTHENTICATED', `${where} holds no token that could be read.`);
  }
  return value;
}

function cookieValue(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const separator = pair.indexOf('=');
    if (separator > 0 && pair.slice(0, separator).trim() === name) return pair.slice(separator + 1).trim();
  }
  return undefined;
}
