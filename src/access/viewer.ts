import { createHmac, randomBytes } from 'node:crypto';
import type { Credentials } from '../sources/credentials.ts';

/** Made anew in each process, so that the digests in a log cannot be tried against guessed tokens. */
const KEY = randomBytes(32);

/** The person behind a request. */
export class Viewer {
  readonly credentials: Credentials;
  /** Tells viewers apart, and is safe to log: a keyed digest of the credentials, equal for equal ones. */
  readonly id: string;

  constructor(credentials: Credentials) {
    this.credentials = credentials;
    this.id = createHmac('sha256', KEY)
      .update(JSON.stringify(secretsOf(credentials)))
      .digest('base64url')
      .slice(0, 22);
  }

  /** Keeps secrets out of anything that prints a viewer by accident. */
  toJSON(): { id: string } {
    return { id: this.id };
  }
}

function secretsOf(credentials: Credentials): readonly (string | undefined)[] {
  return credentials.kind === 'cookie'
    ? ['cookie', credentials.cookie, credentials.csrfToken]
    : ['bearer', credentials.tokenType, credentials.agentId, credentials.token];
}
