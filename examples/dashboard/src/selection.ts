import { useEffect, useState } from 'react';

/** What is looked at. It is in the address, so that it can be shared; tokens are not. */
export interface Selection {
  readonly agentId: string;
  /** '' for all namespaces. */
  readonly namespace: string;
  readonly tab: Tab;
}

export const TABS = ['pods', 'workloads', 'services', 'flux'] as const;
export type Tab = (typeof TABS)[number];

export function useSelection(initial: Selection): [Selection, (change: Partial<Selection>) => void] {
  const [selection, setSelection] = useState(() => fromHash(initial));
  useEffect(() => {
    const follow = () => setSelection((before) => fromHash(before));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const select = (change: Partial<Selection>) => {
    const next = { ...selection, ...change };
    history.replaceState(null, '', `#${new URLSearchParams({ ...next }).toString()}`);
    setSelection(next);
  };
  return [selection, select];
}

function fromHash(otherwise: Selection): Selection {
  const hash = new URLSearchParams(location.hash.slice(1));
  return {
    agentId: hash.get('agentId') ?? otherwise.agentId,
    namespace: hash.get('namespace') ?? otherwise.namespace,
    tab: TABS.find((tab) => tab === hash.get('tab')) ?? otherwise.tab,
  };
}
