/** What viewers ask for. Those who follow a set select at least what `LiveSet` needs. */

const SET = 'type removed cursor resyncReason total';
const ARGUMENTS = '$agentId: ID!, $namespace: String, $resume: String, $maxRate: Float';
const PODS = 'k8sPods(agentId: $agentId, namespace: $namespace, resume: $resume, maxRate: $maxRate)';

export const DOCUMENTS = {
  small: `subscription (${ARGUMENTS}) { ${PODS} { ${SET} upserted { id metadata { resourceVersion } } } }`,
  /** What a list of pods shows. */
  list: `subscription (${ARGUMENTS}) {
    ${PODS} {
      ${SET}
      upserted {
        id phase displayStatus restarts reason nodeName podIP
        metadata { name namespace resourceVersion creationTimestamp labels }
        ready { ready total }
        health { level reason message }
        containers { name state ready }
      }
    }
  }`,
  connection: `subscription ($agentId: ID!, $namespace: String) {
    k8sConnection(agentId: $agentId, namespace: $namespace) { status reason }
  }`,
  logs: `subscription ($agentId: ID!, $namespace: String!) {
    k8sLogs(agentId: $agentId, namespace: $namespace, podName: "pod-0", tailLines: 10) { __typename }
  }`,
  query: `query ($agentId: ID!, $namespace: String) {
    k8sPods(agentId: $agentId, namespace: $namespace) { totalCount nodes { id metadata { name } } }
  }`,
} as const;

export type DocumentName = keyof typeof DOCUMENTS;

/** Whether its viewers keep a set that can be compared with the cluster's. */
export function followsSet(name: DocumentName): boolean {
  return name === 'small' || name === 'list';
}
