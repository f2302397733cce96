import type { Message, Shape } from './live-client.ts';

/** Ways to ask for the same pods: plain, aliased, through fragments, filtered, with less of each pod. */

interface Pod {
  readonly id: string;
  readonly metadata?: { readonly resourceVersion?: string };
}

interface Update extends Omit<Message, 'upserted'> {
  readonly upserted: readonly Pod[];
}

const HEAD = '$namespace: String, $resume: String, $maxRate: Float';
const ARGS = 'agentId: "1", namespace: $namespace, resume: $resume, maxRate: $maxRate';

function message(update: Update): Message {
  const upserted = update.upserted.map(({ id, metadata }) => {
    const version = metadata?.resourceVersion;
    return version === undefined ? { id } : { id, version };
  });
  return { ...update, upserted };
}

function plainly({ k8sPods }: { k8sPods: Update }): Message {
  return message(k8sPods);
}

export const WHOLE: Shape = {
  query: `subscription (${HEAD}) { k8sPods(${ARGS}) {
    type removed cursor total resyncReason upserted { id metadata { name resourceVersion annotations } displayStatus }
  } }`,
  read: plainly,
};

export const ALIASED: Shape = {
  query: `subscription Aliased(${HEAD}) { seen: k8sPods(${ARGS}) { ...Update why: resyncReason } }
    fragment Update on K8sPodsUpdate { kind: type ... { gone: removed } cursor total here: upserted { ...Pod } }
    fragment Pod on K8sPod { uid: id metadata { v: resourceVersion } ... on K8sObject { health { level } } }`,
  read: ({ seen }: { seen: Aliased }) => ({
    type: seen.kind,
    removed: seen.gone,
    cursor: seen.cursor,
    total: seen.total,
    resyncReason: seen.why,
    upserted: seen.here.map(({ uid, metadata }) => ({ id: uid, version: metadata.v })),
  }),
};

interface Aliased {
  readonly kind: Message['type'];
  readonly gone: readonly string[];
  readonly cursor: string;
  readonly total: number;
  readonly why: string | null;
  readonly here: readonly { readonly uid: string; readonly metadata: { readonly v: string } }[];
}

export function filtered(labelSelector: string): Shape {
  return {
    query: `subscription Filtered(${HEAD}, $filter: K8sFilter) { k8sPods(${ARGS}, filter: $filter) {
      type removed cursor total resyncReason upserted { id metadata { resourceVersion labels } }
    } }`,
    variables: { filter: { labelSelector } },
    read: plainly,
  };
}

/** Versions only if asked for; otherwise nothing of a pod that these tests ever change. */
export function included(versions: boolean): Shape {
  return {
    query: `subscription Included(${HEAD}, $versions: Boolean! = false) { k8sPods(${ARGS}) {
      type removed cursor total upserted { id metadata { name resourceVersion @include(if: $versions) } }
    } }`,
    variables: { versions },
    read: plainly,
  };
}

/** The same pods under two names, one of them without what changes. */
export const TWICE: Shape = {
  query: `subscription Twice(${HEAD}) { k8sPods(${ARGS}) {
    type removed cursor total upserted { id metadata { resourceVersion } } again: upserted { phase }
  } }`,
  read: plainly,
};
