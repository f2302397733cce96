import { readFileSync } from 'node:fs';
import type { Counters } from '../counters.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import type { Credentials } from '../sources/credentials.ts';
import type { Donor } from '../sources/source.ts';
import type { UpstreamError } from '../sources/upstream-error.ts';
import { credentialsFromHeaders } from './credentials.ts';

export interface ServiceTokenOptions {
  readonly file: string;
  readonly counters: Counters;
  /** Told what is wrong with it: once when the file becomes unreadable, and at each refusal. */
  readonly onProblem: (problem: string, about: { readonly key?: FeedKey; readonly code?: string }) => void;
}

/**
 * A token of no person, which opens shared watches in place of a viewer's. It lends its credentials to nothing else:
 * who may see what, and every action, goes by the viewer's own.
 *
 * The file is read whenever a watch is opened, so that a new token in it is used without a restart.
 */
export class ServiceToken {
  readonly #options: ServiceTokenOptions;
  #isUnreadable = false;
  #known: { readonly text: string; readonly credentials: Credentials } | undefined;

  constructor(options: ServiceTokenOptions) {
    this.#options = options;
  }

  /** False when there is no token in the file. */
  get isReadable(): boolean {
    return this.#read() !== undefined;
  }

  /** Who lends the token to this feed at the moment; undefined when there is none for it. */
  donor(key: FeedKey): Donor | undefined {
    const credentials = this.#read();
    const isForAnother =
      credentials?.kind === 'bearer' && credentials.agentId !== undefined && credentials.agentId !== key.agentId;
    if (credentials === undefined || isForAnother) return undefined;
    return { credentials, refused: (error) => this.#refused(key, error) };
  }

  #read(): Credentials | undefined {
    try {
      const text = readFileSync(this.#options.file, 'utf8').trim();
      if (this.#known?.text === text) return this.#known.credentials;
      const credentials = credentialsFromHeaders({ authorization: `Bearer ${text}` });
      if (credentials === undefined) return undefined;
      this.#known = { text, credentials };
      this.#isUnreadable = false;
      return credentials;
    } catch {
      // Not the error itself: it may hold what was in the file.
      this.#unreadable();
      return undefined;
    }
  }

  #unreadable(): void {
    this.#known = undefined;
    if (this.#isUnreadable) return;
    this.#isUnreadable = true;
    this.#options.counters.add('service_token_problems', { problem: 'unreadable' });
    this.#options.onProblem('SERVICE_TOKEN_FILE holds no token that could be read. Viewers lend theirs.', {});
  }

  #refused(key: FeedKey, { code }: UpstreamError): void {
    this.#options.counters.add('service_token_problems', { problem: 'refused' });
    this.#options.onProblem('The service token was refused. Viewers lend theirs, and it is tried again later.', {
      key,
      code,
    });
  }
}
