import { list, optionalInteger, record, type JsonRecord } from '../../../kubernetes/json.ts';
import { UpstreamError } from '../../upstream-error.ts';
import { connectionError, refusalError } from '../../apiserver/error-map.ts';
import { KAS } from '../kas.ts';

/**
 * Why KAS ended one watch. A Status is what HTTP would have answered; without one nobody has refused anything, so it
 * is the way between KAS and the cluster that broke. `what` completes "You may not …".
 */
export function watchError(status: JsonRecord | undefined, what: string, nowMs: number): UpstreamError {
  if (status === undefined) return new UpstreamError('torn', 'The watch broke behind GitLab Agent Server.');
  if (isUndecodable(status)) return new UpstreamError('malformed', 'The watch sent something that KAS could not read.');
  const code = optionalInteger(status['code']) ?? 500;
  // A cluster's Status comes the same way, and may say that it is KAS's.
  return refusalError({ code, status, gitlabUnauthorized: false, retryAfter: undefined, nowMs }, what, KAS);
}

/** client-go's word for a watch event that it could not decode (`ClientErrorReporter`); it comes as a 500. */
function isUndecodable(status: JsonRecord): boolean {
  return list(record(status['details'])['causes']).some((cause) => record(cause)['reason'] === 'ClientWatchDecoding');
}

/** What `ws` itself found wrong with what it received, or the end of the connection. */
export function frameError(error: Error): UpstreamError {
  const code = 'code' in error ? String(error.code) : '';
  if (!code.startsWith('WS_ERR_')) return connectionError(error, KAS);
  return new UpstreamError('malformed', `The aggregated watch broke the protocol (${code}).`, { hop: 'kas' });
}
