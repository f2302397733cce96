import { useEffect, useState } from 'react';
import type { LiveState, LiveStore } from '../../../client/index.ts';

export interface Live<Value> {
  /** Undefined until it was opened. */
  readonly state: LiveState<Value> | undefined;
  readonly retryNow: () => void;
}

/** A live store for as long as `key` stays the same and the component is shown. */
export function useLive<Value>(key: string, open: () => LiveStore<Value>): Live<Value> {
  const [shown, setShown] = useState<{ key: string; store: LiveStore<Value>; state: LiveState<Value> }>();
  useEffect(() => {
    const store = open();
    const show = () => setShown({ key, store, state: store.get() });
    const leave = store.subscribe(show);
    show();
    return () => {
      leave();
      store.stop();
    };
    // `key` stands for everything that `open` uses.
  }, [key]);
  return shown?.key === key
    ? { state: shown.state, retryNow: shown.store.retryNow }
    : { state: undefined, retryNow: () => {} };
}
