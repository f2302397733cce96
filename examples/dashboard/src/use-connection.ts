import { liveValue } from '../../../client/index.ts';
import { LiveConnection, type Connection } from '../../../client/generated.ts';
import type { Api } from './api.ts';
import { useLive, type Live } from './use-live.ts';

export function useConnection(api: Api, agentId: string, namespace: string): Live<Connection | undefined> {
  return useLive(`${api.key} ${agentId} ${namespace}`, () =>
    liveValue(api.subscribe, LiveConnection, { agentId, namespace: namespace || null }),
  );
}
