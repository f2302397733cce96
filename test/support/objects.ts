import type { KubernetesObject } from '../../src/kubernetes/object.ts';

export interface PodOptions {
  readonly uid?: string;
  readonly resourceVersion?: string | number;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A pod with as little as the core looks at. Its uid is made of its name unless one is given. */
export function pod(name: string, options: PodOptions = {}): KubernetesObject {
  const { uid = `uid-${name}`, resourceVersion = '1', namespace = 'shop', labels } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion: String(resourceVersion),
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(labels && { labels }),
    },
  };
}

/** `name@resourceVersion` of each, sorted: what a collection holds, at a glance. */
export function names(objects: Iterable<KubernetesObject>): string[] {
  return Array.from(objects, ({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).toSorted();
}
