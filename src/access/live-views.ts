import type { ApiError } from '../errors.ts';
import { feedId, type FeedKey } from '../pubsub/feed-key.ts';
import type { AuditScope } from './audit.ts';
import type { Viewer } from './viewer.ts';

/** A subscription that can be ended from outside. */
export interface Endable {
  fail(error: ApiError): void;
}

/** What somebody is looking at: a feed, or with no resource the connection of a scope. */
export interface View {
  readonly scope: AuditScope & Partial<FeedKey>;
  readonly stream: Endable;
}

/** The live subscriptions of each viewer, so that a lost right ends exactly those that stood on it. */
export class LiveViews {
  readonly #byViewer = new Map<string, Set<View>>();

  /** Returns how to take it out again. */
  add(viewer: Viewer, scope: View['scope'], stream: Endable): () => void {
    const view = { scope, stream };
    const views = this.#byViewer.get(viewer.id) ?? new Set();
    this.#byViewer.set(viewer.id, views.add(view));
    return () => {
      views.delete(view);
      if (views.size === 0 && this.#byViewer.get(viewer.id) === views) this.#byViewer.delete(viewer.id);
    };
  }

  /** Ends what this viewer sees of one feed. */
  endFeed(viewer: Viewer, key: FeedKey, error: ApiError): void {
    this.#end(viewer, error, ({ resource, ...scope }) => {
      return resource !== undefined && feedId({ ...scope, resource }) === feedId(key);
    });
  }

  /** Ends all this viewer sees that comes from one agent. Returns what that was. */
  endAgent(viewer: Viewer, agentId: string, error: ApiError): AuditScope[] {
    return this.#end(viewer, error, (scope) => scope.agentId === agentId);
  }

  /** Viewers with a subscription, for tests. */
  get size(): number {
    return this.#byViewer.size;
  }

  #end(viewer: Viewer, error: ApiError, isMeant: (scope: View['scope']) => boolean): AuditScope[] {
    const views = [...(this.#byViewer.get(viewer.id) ?? [])].filter(({ scope }) => isMeant(scope));
    for (const { stream } of views) stream.fail(error);
    return views.map(({ scope }) => scope);
  }
}
