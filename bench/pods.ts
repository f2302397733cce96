import { makePod } from '../demo/apiserver/objects.ts';
import type { KubernetesObject } from '../src/kubernetes/object.ts';
import { trim } from '../src/kubernetes/trim.ts';

export const NAMESPACE = 'shop';

/** Nineteen values a pod: what a list of pods shows. */
const FIELDS = `
  type removed cursor total
  upserted {
    id phase displayStatus restarts reason nodeName podIP
    metadata { name namespace resourceVersion creationTimestamp labels }
    ready { ready total }
    health { level reason message }
    containers { name state ready }
  }`;

/** The same selection under another operation name is another shape. */
export function podsDocument(shape = 0): string {
  return `subscription Shape${shape} ($agentId: ID!, $namespace: String) {
    k8sPods(agentId: $agentId, namespace: $namespace) { ${FIELDS} }
  }`;
}

export const VARIABLES = { agentId: '1', namespace: NAMESPACE };

/** As they come out of a watch: parsed from their text, and trimmed. */
export function makePods(count: number): KubernetesObject[] {
  return Array.from({ length: count }, (_, index) => podAt(index, 1));
}

/** The pod at its `version`-th state; what a list shows of it differs each time. */
export function podAt(index: number, version: number): KubernetesObject {
  const name = `web-7d9c5b8f4-${index.toString(36).padStart(5, 'x')}`;
  const made = makePod({ name, namespace: NAMESPACE, labels: { tier: 'front', version: String(version) } });
  const metadata = {
    ...made.metadata,
    uid: `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
    resourceVersion: String(1_000_000 + version * 100_000 + index),
    creationTimestamp: '2026-11-20T08:00:00Z',
  };
  return trim(JSON.parse(JSON.stringify({ ...made, metadata })) as KubernetesObject);
}
