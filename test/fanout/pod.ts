import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** The `index`-th pod in its `version`-th state, which its labels show. */
export function podOf(index: number, version: number): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      uid: `uid-${index}`,
      name: `pod-${index}`,
      namespace: 'shop',
      resourceVersion: String(1_000 * version + 1),
      creationTimestamp: '2026-11-20T08:00:00Z',
      labels: { version: String(version) },
    },
  };
}
