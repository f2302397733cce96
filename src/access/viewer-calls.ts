import type { MutationVerb } from '../metric-catalogue.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import type { Caller, Source } from '../sources/source.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { forbidden } from './forbidden.ts';
import type { Identities } from './identities.ts';
import type { Journal } from './journal.ts';
import type { Viewer } from './viewer.ts';

export interface ViewerCallsOptions {
  readonly source: Source;
  readonly identities: Identities;
  readonly journal: Journal;
  /** Called when somebody's credentials are not accepted any more: by GitLab, or by one agent's cluster. */
  readonly onRefused: (viewer: Viewer, agentId: string, error: UpstreamError) => void;
}

/** Single requests made for one viewer, with that viewer's own credentials. */
export class ViewerCalls {
  readonly #options: ViewerCallsOptions;

  constructor(options: ViewerCallsOptions) {
    this.#options = options;
  }

  /** Reads one object. */
  async read<T>(viewer: Viewer, key: FeedKey, name: string, call: (caller: Caller) => Promise<T>): Promise<T> {
    try {
      return await this.#call(viewer, key.agentId, call);
    } catch (error) {
      const told = await this.#named(viewer, key, 'get', name, error);
      if (told !== error) this.#options.journal.denied(viewer, key, 'get', told, name);
      throw told;
    }
  }

  /** Reads a collection, without a watch. */
  async list<T>(viewer: Viewer, key: FeedKey, call: (caller: Caller) => Promise<T>): Promise<T> {
    try {
      return await this.#call(viewer, key.agentId, call);
    } catch (error) {
      const told = await this.#named(viewer, key, 'list', undefined, error);
      if (told !== error) this.#options.journal.denied(viewer, key, 'list', told);
      throw told;
    }
  }

  /** A change: it is audited, whatever becomes of it, and never tried twice. */
  async mutate<T>(
    viewer: Viewer,
    key: FeedKey,
    name: string,
    verb: MutationVerb,
    call: (caller: Caller) => Promise<T>,
  ): Promise<T> {
    const { journal } = this.#options;
    try {
      const result = await this.#call(viewer, key.agentId, call);
      journal.mutated(viewer, key, verb, name);
      return result;
    } catch (error) {
      const told = await this.#named(viewer, key, verb, name, error);
      journal.mutated(viewer, key, verb, name, told);
      throw told;
    }
  }

  /** Waits for something done with the viewer's credentials, and notices when they are not accepted. */
  async endingIfRefused<T>(viewer: Viewer, agentId: string, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      this.noticeRefusal(viewer, agentId, error);
      throw error;
    }
  }

  noticeRefusal(viewer: Viewer, agentId: string, error: unknown): void {
    if (!(error instanceof UpstreamError)) return;
    if (error.failure === 'gitlabUnauthorized' || error.failure === 'unauthorized') {
      this.#options.onRefused(viewer, agentId, error);
    }
  }

  #call<T>(viewer: Viewer, agentId: string, call: (caller: Caller) => Promise<T>): Promise<T> {
    return this.endingIfRefused(viewer, agentId, call(this.#options.source.caller(agentId, viewer.credentials)));
  }

  /** The cluster's refusal, told with who was refused. Every other error as it is. */
  async #named(viewer: Viewer, key: FeedKey, verb: string, name: string | undefined, error: unknown): Promise<unknown> {
    if (!(error instanceof UpstreamError) || error.failure !== 'forbidden') return error;
    const user = await this.#options.identities.nameOf(viewer, key.agentId);
    return forbidden({ key, verb, name, user, upstream: error.upstream, cause: error });
  }
}
