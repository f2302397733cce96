import type { Clock } from '../clock.ts';
import type { Identity, Source } from '../sources/source.ts';
import { ApiError } from '../errors.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import type { Viewer } from './viewer.ts';

/** Identities remembered at most; the oldest go first. */
export const MAX_IDENTITIES = 10_000;
/** How long it is not tried again in passing after it could not be found out, in milliseconds. */
const RETRY_MS = 600_000;
/** How long a failure is the answer for those who do ask, in milliseconds. */
const FAILED_MS = 5_000;

interface Entry {
  readonly asked: Promise<Identity>;
  /** Monotonic milliseconds. */
  readonly at: number;
  identity: Identity | undefined;
  hasFailed: boolean;
}

export interface IdentitiesOptions {
  readonly source: Source;
  readonly clock: Clock;
  /** How long an answer is given again without asking, in milliseconds. As a name in the audit it is good for longer. */
  readonly freshMs: number;
  /** Told when it was found out who somebody is. */
  readonly onLearned: (viewer: Viewer, agentId: string) => void;
  /** Told when it could not be found out. */
  readonly onFailed: (viewer: Viewer, agentId: string, error: unknown) => void;
}

/** Who clusters take viewers for (SelfSubjectReview), asked with their own credentials. */
export class Identities {
  readonly #options: IdentitiesOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: IdentitiesOptions) {
    this.#options = options;
  }

  /** Rejects when it cannot be found out. */
  of(viewer: Viewer, agentId: string): Promise<Identity> {
    const entry = this.#entries.get(keyOf(viewer, agentId));
    const age = this.#options.clock.monotonic() - (entry?.at ?? Number.NEGATIVE_INFINITY);
    const lifetime = entry?.hasFailed === true ? FAILED_MS : this.#options.freshMs;
    return entry !== undefined && age < lifetime ? entry.asked : this.#ask(viewer, agentId);
  }

  /** The same for messages, where not knowing is no reason to fail. */
  async nameOf(viewer: Viewer, agentId: string): Promise<string | undefined> {
    try {
      return (await this.of(viewer, agentId)).username;
    } catch {
      return undefined;
    }
  }

  /** What is known without asking. */
  known(viewer: Viewer, agentId: string): string | undefined {
    return this.#entries.get(keyOf(viewer, agentId))?.identity?.username;
  }

  /** Finds out in passing, once: nobody waits for it, and it may fail. */
  learn(viewer: Viewer, agentId: string): void {
    const entry = this.#entries.get(keyOf(viewer, agentId));
    if (entry?.identity !== undefined) return;
    if (entry !== undefined && this.#options.clock.monotonic() - entry.at < RETRY_MS) return;
    this.#ask(viewer, agentId).catch(() => undefined);
  }

  /** Forgets a viewer whose credentials are not accepted any more. */
  forget(viewer: Viewer): void {
    const prefix = keyOf(viewer, '');
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }

  #ask(viewer: Viewer, agentId: string): Promise<Identity> {
    const { source, clock } = this.#options;
    const key = keyOf(viewer, agentId);
    const before = this.#entries.get(key)?.identity;
    const asked = whoIs(source, viewer, agentId);
    const entry: Entry = { asked, at: clock.monotonic(), identity: before, hasFailed: false };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_IDENTITIES && oldest !== undefined) this.#entries.delete(oldest);
    void this.#note(viewer, agentId, entry);
    return asked;
  }

  async #note(viewer: Viewer, agentId: string, entry: Entry): Promise<void> {
    const before = entry.identity?.username;
    try {
      entry.identity = await entry.asked;
      const isCurrent = this.#entries.get(keyOf(viewer, agentId)) === entry;
      if (isCurrent && entry.identity.username !== before) this.#options.onLearned(viewer, agentId);
    } catch (error) {
      entry.hasFailed = true;
      this.#options.onFailed(viewer, agentId, error);
    }
  }
}

async function whoIs(source: Source, viewer: Viewer, agentId: string): Promise<Identity> {
  try {
    return await source.caller(agentId, viewer.credentials).whoAmI();
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.failure !== 'notFound') throw error;
    throw new ApiError('NOT_FOUND', 'This cluster does not say who you are: it serves no SelfSubjectReview.', {
      remedy: 'Kubernetes does so since version 1.28.',
      cause: error,
    });
  }
}

function keyOf(viewer: Viewer, agentId: string): string {
  return `${viewer.id} ${agentId}`;
}
