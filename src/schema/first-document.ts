import type { KnownAgent } from '../sources/source.ts';

/** The pods of a namespace, once and live: what most people want to see first. */
export function podsDocument(agentId: string, namespace: string): string {
  const scope = `agentId: ${JSON.stringify(agentId)}, namespace: ${JSON.stringify(namespace)}`;
  return `query Pods {
  k8sPods(${scope}) {
    nodes { metadata { name } displayStatus ready { ready total } restarts }
  }
}

subscription LivePods {
  k8sPods(${scope}) {
    type
    upserted { metadata { name } displayStatus }
    removed
    total
  }
}
`;
}

const AGENTS = `query Agents {
  k8sAgents { id namespace isCurrent }
}
`;

/** What to ask first where the source knows its agents: which they are, and for the pods of the current one. */
export function agentsDocument(agents: readonly KnownAgent[]): string {
  const current = agents.find(({ isCurrent }) => isCurrent);
  if (current === undefined) return AGENTS;
  return `${AGENTS}\n${podsDocument(current.agentId, current.namespace ?? 'default')}`;
}
