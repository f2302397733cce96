import type { JsonObject, KubernetesObject, ObjectMeta } from '../../kubernetes/object.ts';

interface Parts {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
}

function object(kind: string, name: string, { metadata, ...parts }: Parts): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      ...(kind !== 'Namespace' && { namespace: 'default' }),
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    ...parts,
  };
}

export function pod(name: string, parts: Parts = {}): KubernetesObject {
  return object('Pod', name, { status: { phase: 'Running' }, ...parts });
}

export function service(name: string, parts: Parts = {}): KubernetesObject {
  return object('Service', name, { spec: { type: 'ClusterIP' }, ...parts });
}

export function namespace(name: string, parts: Parts = {}): KubernetesObject {
  return object('Namespace', name, parts);
}
