import type { KascadeError } from './errors.ts';

/**
 * - `connecting`: asked, no answer yet
 * - `live`: what is shown follows the server
 * - `retrying`: it does not at the moment, and is tried again at `retryAt`
 * - `failed`: it does not, and trying again would not help; `error` says what would
 * - `ended`: the server said that this was all
 * - `stopped`: `stop()` was called
 */
export type LiveStatus = 'connecting' | 'live' | 'retrying' | 'failed' | 'ended' | 'stopped';

export interface LiveState<Value> {
  readonly status: LiveStatus;
  /** The latest value; it stays while the connection is away. */
  readonly value: Value;
  /** Whether `value` ever came from the server. "Empty" is an answer only then. */
  readonly loaded: boolean;
  /** The last thing that went wrong; gone when live again. */
  readonly error: KascadeError | undefined;
  /** Tries that failed since it was last live. */
  readonly attempts: number;
  /** When it is tried again, in milliseconds since 1970. */
  readonly retryAt: number | undefined;
}

/** Fits React's useSyncExternalStore(store.subscribe, store.get) as it is, and anything else that can be called back. */
export interface LiveStore<Value> {
  /** The same object until something changes. */
  readonly get: () => LiveState<Value>;
  /** Answers how to stop being told. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Tries now instead of at `retryAt`, also after `failed`. Does nothing while it is live. */
  readonly retryNow: () => void;
  /** Ends it for good. */
  readonly stop: () => void;
}

export interface MutableStore<Value> {
  readonly get: () => LiveState<Value>;
  readonly set: (change: Partial<LiveState<Value>>) => void;
  readonly subscribe: (listener: () => void) => () => void;
}

export function createStore<Value>(value: Value): MutableStore<Value> {
  const listeners = new Set<() => void>();
  let state: LiveState<Value> = {
    status: 'connecting',
    value,
    loaded: false,
    error: undefined,
    attempts: 0,
    retryAt: undefined,
  };
  return {
    get: () => state,
    set: (change) => {
      state = { ...state, ...change };
      for (const listener of listeners) listener();
    },
    subscribe: (listener) => {
      const own = () => listener(); // the same function may listen twice
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}
