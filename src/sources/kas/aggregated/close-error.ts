import { UpstreamError, type UpstreamFailure } from '../../upstream-error.ts';

/** How a WebSocket of KAS's was closed. The texts of close frames are not passed on. `clean`: politely, to be had again. */
export function closeError(code: number): UpstreamError | 'clean' {
  const error = (failure: UpstreamFailure, what: string) =>
    new UpstreamError(failure, `The aggregated watch ${what} (${code}).`, { hop: 'kas' });
  switch (code) {
    case 1000: // done
    case 1001: // going away: KAS is being replaced, or hands us to another of its replicas
    case 1012: // restarting
      return 'clean';
    case 1002:
    case 1003:
    case 1007:
    case 1009:
      return error('malformed', 'broke the rules of the protocol, or was said to');
    case 1011:
      return error('server', 'was ended by a failure of GitLab Agent Server');
    case 1013:
      return error('unreachable', 'was ended because GitLab Agent Server has too much to do');
    default:
      return error('torn', 'was cut');
  }
}
