import { record, text } from '../../../kubernetes/json.ts';
import { UpstreamError } from '../../upstream-error.ts';
import type { ApiHttp } from '../../apiserver/http.ts';
import { urlOf } from '../../apiserver/paths.ts';

/** What a subprotocol may be made of, and so a token inside one (RFC 6455 4.1, RFC 9110 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8192}$/;

/**
 * Asks KAS for the token that opens one WebSocket. Undefined where KAS knows no such tokens: the connection is then
 * opened with the full credentials, as a browser could not. A token is asked for right before it is used, used
 * once, and kept nowhere. Rejects with an UpstreamError.
 */
export async function requestToken(
  http: ApiHttp,
  base: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const url = urlOf(base, { segments: ['watch'], query: { 'kas-websocket-token-request': 'true' } });
  try {
    const token = text(record(await http.call({ url, headers, what: 'open the aggregated watch' }, signal))['token']);
    if (TOKEN.test(token)) return token;
  } catch (error) {
    if (error instanceof UpstreamError && error.failure === 'notFound') return undefined;
    throw error;
  }
  throw new UpstreamError('malformed', 'GitLab Agent Server answered without a usable WebSocket token.', {
    hop: 'kas',
  });
}
