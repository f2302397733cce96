import { ApiError } from '../errors.ts';
import type { FeedKey } from '../pubsub/feed.ts';
import type { Caller, Source } from '../sources/source.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { auditEntry, type Audit } from './audit.ts';
import type { Viewer } from './viewer.ts';

/** Single requests made for one viewer, with that viewer's own credentials. */
export class ViewerCalls {
  readonly #source: Source;
  readonly #audit: Audit;
  readonly #onRefused: (viewer: Viewer, error: UpstreamError) => void;

  /** `onRefused` is called when GitLab does not accept a viewer's credentials any more. */
  constructor(source: Source, audit: Audit, onRefused: (viewer: Viewer, error: UpstreamError) => void) {
    this.#source = source;
    this.#audit = audit;
    this.#onRefused = onRefused;
  }

  read<T>(viewer: Viewer, agentId: string, call: (caller: Caller) => Promise<T>): Promise<T> {
    return this.endingIfRefused(viewer, call(this.#source.caller(agentId, viewer.credentials)));
  }

  /** The same for a change: it is audited, whatever becomes of it, and never tried twice. */
  async mutate<T>(
    viewer: Viewer,
    key: FeedKey,
    name: string,
    verb: string,
    call: (caller: Caller) => Promise<T>,
  ): Promise<T> {
    try {
      const result = await this.read(viewer, key.agentId, call);
      this.#audit(auditEntry(viewer, key, { event: 'mutate', verb, name, decision: 'allowed' }));
      return result;
    } catch (error) {
      const { code, upstream } = error instanceof ApiError ? error : {};
      const decision = code === 'FORBIDDEN' ? 'denied' : 'failed';
      this.#audit(auditEntry(viewer, key, { event: 'mutate', verb, name, decision, code, traceId: upstream?.traceId }));
      throw error;
    }
  }

  /** Who the cluster takes the viewer for. That it cannot be found out is no reason to fail. */
  async nameOf(viewer: Viewer, agentId: string): Promise<string | undefined> {
    try {
      return (await this.#source.caller(agentId, viewer.credentials).whoAmI()).username;
    } catch {
      return undefined;
    }
  }

  /** Waits for something done with the viewer's credentials, and notices when they are not accepted. */
  async endingIfRefused<T>(viewer: Viewer, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'gitlabUnauthorized') this.#onRefused(viewer, error);
      throw error;
    }
  }
}
