import { createHash, createHmac, randomBytes } from 'node:crypto';
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
   * own, and a token may come bound to an agent or not; that makes nobody two people. The same on every replica,
   * because limits hold over all of them; so it is no keyed digest, and not for a log.
   */
  readonly owner: string;

  constructor(credentials: Credentials) {
    this.credentials = credentials;
    this.id = digest(secretsOf(credentials));
    this.owner = ownerOf(credentials);
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
  switch (credentials.kind) {
    case 'cookie':
      return ['cookie', credentials.cookie, credentials.csrfToken];
    case 'bearer':
      return ['bearer', credentials.tokenType, credentials.agentId, credentials.token];
    case 'local':
      return ['local'];
    default:
      return credentials satisfies never;
  }
}

/** What a viewer's limits are counted by, on every replica: see `Viewer.owner`. */
export function ownerOf(credentials: Credentials): string {
  return createHash('sha256').update(secretOf(credentials)).digest('base64');
}

/** What stays the same however credentials are wrapped. */
function secretOf(credentials: Credentials): string {
  switch (credentials.kind) {
    case 'cookie':
      return credentials.cookie;
    case 'bearer':
      return credentials.token;
    case 'local':
      return '';
    default:
      return credentials satisfies never;
  }
}
