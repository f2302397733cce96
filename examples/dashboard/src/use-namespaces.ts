import { useEffect, useState } from 'react';
import { Namespaces } from '../../../client/generated.ts';
import type { Api } from './api.ts';

/** Undefined while unknown, and for those who may not list them: they type the name. */
export function useNamespaces(api: Api, agentId: string, connected: boolean): readonly string[] | undefined {
  const key = `${api.key} ${agentId}`;
  const [known, setKnown] = useState<{ key: string; names: readonly string[] }>();
  useEffect(() => {
    let wanted = true;
    const load = async () => {
      const { k8sNamespaces } = await api.ask(Namespaces, { agentId });
      if (wanted) setKnown({ key, names: k8sNamespaces.map(({ metadata }) => metadata.name) });
    };
    load().catch(() => {}); // who may not list them is none the worse
    return () => {
      wanted = false;
    };
  }, [key, connected]); // once more when the agent is back
  return known?.key === key ? known.names : undefined;
}
