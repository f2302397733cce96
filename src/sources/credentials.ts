/**
 * What a viewer proves their identity with. Held in memory only: never logged, stored or sent anywhere but to KAS.
 */
export type KasCredentials =
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

/** `local`: nothing, since the server's own credentials serve everybody who reaches it. */
export type Credentials = KasCredentials | { readonly kind: 'local' };

/** Whether both prove the same: the same token for the same agent, or the same session. */
export function sameCredentials(a: Credentials, b: Credentials): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case 'local':
      return b.kind === 'local';
    case 'cookie':
      return b.kind === 'cookie' && a.cookie === b.cookie && a.csrfToken === b.csrfToken;
    case 'bearer':
      return b.kind === 'bearer' && a.token === b.token && a.tokenType === b.tokenType && a.agentId === b.agentId;
    default:
      return a satisfies never;
  }
}
