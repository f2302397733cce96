import type { ApiError } from '../errors.ts';
import type { FeedKey } from '../pubsub/feed.ts';
import type { Viewer } from './viewer.ts';

/** A subscription that can be ended from outside. */
export interface Endable {
  fail(error: ApiError): void;
}

interface View {
  /** Undefined for what belongs to no single feed. */
  readonly key: FeedKey | undefined;
  readonly stream: Endable;
}

/** The live subscriptions of each viewer, so that a lost right ends exactly those that stood on it. */
export class LiveViews {
  readonly #byViewer = new Map<string, Set<View>>();

  /** Returns how to take it out again. */
  add(viewer: Viewer, key: FeedKey | undefined, stream: Endable): () => void {
    const view = { key, stream };
    const views = this.#byViewer.get(viewer.id) ?? new Set();
    this.#byViewer.set(viewer.id, views.add(view));
    return () => {
      views.delete(view);
      if (views.size === 0) this.#byViewer.delete(viewer.id);
    };
  }

  /** Ends what this viewer sees of one feed. */
  endView(viewer: Viewer, key: FeedKey, error: ApiError): void {
    for (const view of this.#byViewer.get(viewer.id) ?? []) {
      if (view.key !== undefined && isSame(view.key, key)) view.stream.fail(error);
    }
  }

  /** Ends everything this viewer sees. */
  endViewer(viewer: Viewer, error: ApiError): void {
    for (const { stream } of this.#byViewer.get(viewer.id) ?? []) stream.fail(error);
  }
}

function isSame(a: FeedKey, b: FeedKey): boolean {
  return (
    a.agentId === b.agentId &&
    a.namespace === b.namespace &&
    a.resource.group === b.resource.group &&
    a.resource.plural === b.resource.plural
  );
}
