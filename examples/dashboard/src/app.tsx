import { useEffect, useMemo, useState } from 'react';
import { createApi } from './api.ts';
import { ActionsProvider } from './actions.tsx';
import type { PageConfig } from './config.ts';
import { Namespace } from './namespace.tsx';
import { useSelection } from './selection.ts';
import { TopBar } from './top-bar.tsx';
import { useNamespaces } from './use-namespaces.ts';
import { useConnection } from './use-connection.ts';
import { ConnectionBadge } from './connection-badge.tsx';

const TOKEN = 'kascade-token';

export function App({ config }: { readonly config: PageConfig }) {
  const [selection, select] = useSelection({
    agentId: config.agents[0]?.id ?? '1',
    namespace: config.namespace,
    tab: 'pods',
  });
  const [token, setToken] = useToken(config.viewers[0]?.token ?? '');
  const api = useMemo(() => createApi(config.graphql, token), [config.graphql, token]);
  useEffect(() => () => api.close(), [api]);
  const { agentId, namespace } = selection;
  const connection = useConnection(api, agentId, namespace);
  const connected = connection.state?.value?.status === 'CONNECTED';
  const namespaces = useNamespaces(api, agentId, connected);
  return (
    <ActionsProvider api={api} agentId={agentId}>
      <TopBar
        config={config}
        selection={selection}
        select={select}
        namespaces={namespaces}
        token={token}
        setToken={setToken}
      >
        <ConnectionBadge live={connection} namespace={namespace} />
      </TopBar>
      <Namespace key={`${api.key} ${agentId} ${namespace}`} api={api} selection={selection} select={select} />
    </ActionsProvider>
  );
}

/** For as long as this tab lives, and in no address, log or file. */
function useToken(initial: string): [string, (token: string) => void] {
  const [token, setToken] = useState(() => sessionStorage.getItem(TOKEN) ?? initial);
  return [
    token,
    (next) => {
      sessionStorage.setItem(TOKEN, next);
      setToken(next);
    },
  ];
}
