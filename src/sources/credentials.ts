/**
 * What a viewer proves their identity with. Held in memory only: never logged, stored or sent anywhere but to KAS.
 */
export type Credentials =
  | {
      readonly kind: 'bearer';
      /** Set when the client's token was already bound to an agent (`pat:<agent>:<token>`). */
      readonly agentId: string | undefined;
      readonly tokenType: 'pat' | 'ci';
      readonly token: string;
    }
  | {
      readonly kind: 'cookie';
      /** The value of `_gitlab_kas`, as the browser sent it. */
      readonly cookie: string;
      readonly csrfToken: string;
    };

/** Whether both prove the same: the same token for the same agent, or the same session. */
export function sameCredentials(a: Credentials, b: Credentials): boolean {
  if (a === b) return true;
  if (a.kind === 'cookie') return b.kind === 'cookie' && a.cookie === b.cookie && a.csrfToken === b.csrfToken;
  return b.kind === 'bearer' && a.token === b.token && a.tokenType === b.tokenType && a.agentId === b.agentId;
}
