import type { Credentials } from '../credentials.ts';
import { UpstreamError } from '../upstream-error.ts';

/** The headers that prove to KAS who asks, and for which agent. Throws UNAUTHENTICATED for another agent's token. */
export function authHeaders(credentials: Credentials, agentId: string): Record<string, string> {
  if (credentials.kind === 'cookie') {
    return {
      cookie: `_gitlab_kas=${credentials.cookie}`,
      'x-csrf-token': credentials.csrfToken,
      'gitlab-agent-id': agentId,
    };
  }
  if (credentials.kind === 'local') {
    throw new UpstreamError('noIdentity', 'KAS wants credentials of somebody, and there are none.');
  }
  if (credentials.agentId !== undefined && credentials.agentId !== agentId) {
    throw new UpstreamError(
      'unauthorized',
      `The token was given for agent ${credentials.agentId}, not for ${agentId}.`,
      {
        hop: 'server',
        remedy: 'Send the token without its "pat:<agent>:" prefix, or ask for the agent that it names.',
      },
    );
  }
  return { authorization: `Bearer ${credentials.tokenType}:${agentId}:${credentials.token}` };
}
