import type { Update } from '../pubsub/updates.ts';
import { builder, type KubernetesRef } from './builder.ts';
import type { Kind } from './kind.ts';

export const K8sUpdateType = builder.enumType('K8sUpdateType', {
  description: 'What an update replaces.',
  values: {
    SNAPSHOT: { description: 'The whole set: forget what you had.' },
    CHANGES: { description: 'What changed since the update before.' },
  },
});

export const K8sResyncReason = builder.enumType('K8sResyncReason', {
  description: 'Why a SNAPSHOT came where CHANGES could have been expected.',
  values: {
    HISTORY_EXPIRED: { description: 'The changes since the cursor are no longer kept.' },
    CURSOR_INVALID: { description: 'The cursor is damaged, or belongs to another collection, filter or data set.' },
    UPSTREAM_RESET: { description: 'The cluster made the watch start over.' },
    SLOW_CONSUMER: { description: 'This reader was too slow for the changes in between.' },
  },
});

/** `K8sPodsUpdate` for `k8sPods`: what a subscription to a collection sends. */
export function updateType(kind: Kind, object: KubernetesRef) {
  const { field } = kind.resource;
  return builder.objectRef<Update>(`${field[0]?.toUpperCase()}${field.slice(1)}Update`).implement({
    description: `One message of the subscription \`${field}\`: the whole set, or what changed in it.`,
    fields: (t) => ({
      type: t.expose('type', { type: K8sUpdateType, description: 'Whether this is the whole set or a difference.' }),
      upserted: t.field({
        type: [object],
        description: `SNAPSHOT: all ${kind.noun.many}, [] when there are none. CHANGES: those added or modified, in their latest state, each once.`,
        resolve: (update) => update.upserted,
      }),
      removed: t.idList({
        description:
          'Ids to remove, before `upserted` is applied: the object is gone for good, or it no longer matches the filter. [] in a SNAPSHOT.',
        resolve: (update) => update.removed,
      }),
      cursor: t.exposeString('cursor', {
        description: 'Pass the last one as `resume` to go on from here, on any replica. Opaque; carries no authority.',
      }),
      resyncReason: t.expose('resyncReason', {
        type: K8sResyncReason,
        nullable: true,
        description: 'Set on a SNAPSHOT that answers `resume` or replaces a broken stream; otherwise null.',
      }),
      total: t.exposeInt('total', { description: `The number of ${kind.noun.many} in the set after this update.` }),
      freshAsOf: t.expose('freshAsOf', {
        type: 'DateTime',
        description: 'The last proof that the watch behind this was alive and complete.',
      }),
    }),
  });
}
