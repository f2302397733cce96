import { createHmac, randomBytes } from 'node:crypto';
import type { Credentials } from '../sources/credentials.ts';

/** Made anew in each process, so that the digests in a log cannot be tried against guessed tokens. */
const KEY = randomBytes(32);

/** The person behind a request. */
export class Viewer {
  readonly credentials: Credentials;
  /** Tells viewers apart, and is safe to log: a keyed digest of the credentials, equal for equal ones. */
  readonly id: string;
  /**
   * Whose limits count: the same for all that one token or session can do. GitLab gives each page a CSRF token of its
   * own, and a token may come bound to an agent or not; that makes nobody two people.
   */
  readonly owner: string;

  constructor(credentials: Credentials) {
    this.credentials = credentials;
    this.id = digest(secretsOf(credentials));
    this.owner = digest([credentials.kind === 'cookie' ? credentials.cookie : credentials.token]);
  }

  /** Keeps secrets out of anything that prints a viewer by accident. */
  toJSON(): { id: string } {
    return { id: this.id };
  }
}

function digest(secrets: readonly (string | undefined)[]): string {
  return createHmac('sha256', KEY).update(JSON.stringify(secrets)).digest('base64url').slice(0, 22);
}

function secretsOf(credentials: Credentials): readonly (string | undefined)[] {
  return credentials.kind === 'cookie'
    ? ['cookie', credentials.cookie, credentials.csrfToken]
    : ['bearer', credentials.tokenType, credentials.agentId, credentials.token];
}
