import { randomBytes } from 'node:crypto';
import type { GitlabUser } from '../users.ts';

/** How long a token may be used, in milliseconds. */
const LIFE_MS = 30_000;

/** Who may open a WebSocket, and to which agent. */
export interface Grant {
  readonly user: GitlabUser;
  readonly agentId: number;
}

/** Tokens that stand for credentials on a WebSocket, where browsers cannot send any. Short-lived, for one use. */
export class WatchTokens {
  issued = 0;
  used = 0;
  readonly #grants = new Map<string, Grant & { readonly until: number }>();

  /** Tokens that could still be used. */
  get pending(): number {
    const now = Date.now();
    return [...this.#grants.values()].filter(({ until }) => until > now).length;
  }

  issue(grant: Grant): string {
    const token = randomBytes(24).toString('base64url');
    this.#grants.set(token, { ...grant, until: Date.now() + LIFE_MS });
    this.issued += 1;
    return token;
  }

  redeem(token: string): Grant | undefined {
    const grant = this.#grants.get(token);
    this.#grants.delete(token);
    if (grant === undefined || grant.until <= Date.now()) return undefined;
    this.used += 1;
    return grant;
  }
}
