import type { KubernetesObject } from '../kubernetes/object.ts';
import type { UpstreamError } from './upstream-error.ts';
import type { Transport } from './status.ts';

/**
 * One collection of one cluster, as a reflector sees it: it can be listed and watched. Which protocol carries
 * that, and with whose credentials, is the implementation's affair.
 */
export interface Upstream {
  /** Rejects with an UpstreamError, or with the signal's reason when it aborts. */
  list(request: ListRequest, signal: AbortSignal): Promise<ListPage>;
  /** Starts a watch. Exactly one `ended` follows, unless `close` is called first. */
  watch(request: WatchRequest, listener: WatchListener): WatchHandle;
  /** After a refusal: is somebody else's permission at hand to try with? */
  hasAnotherIdentity(): boolean;
}

export interface ListRequest {
  readonly limit?: number;
  readonly continueToken?: string;
  /** Ask for a state at least this new. Without it the list is the most recent state. */
  readonly notOlderThan?: string;
}

export interface ListPage {
  readonly items: readonly KubernetesObject[];
  readonly resourceVersion: string;
  readonly continueToken: string | undefined;
}

export interface WatchRequest {
  /** Every change after this resourceVersion, and nothing else. */
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
}

export interface WatchListener {
  /** The server has accepted the watch. */
  opened(transport: Transport): void;
  event(event: WatchEvent): void;
  /** The server has proved to be there, though this watch has nothing to say. Only after `opened`. */
  alive?(): void;
  ended(end: WatchEnd): void;
}

export interface WatchHandle {
  /** Ends the watch. The listener is not called again. */
  close(): void;
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubernetesObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** `clean`: the server finished the stream. `failed`: an ERROR event, a refusal, or a broken connection. */
export type WatchEnd = { readonly kind: 'clean' } | { readonly kind: 'failed'; readonly error: UpstreamError };
