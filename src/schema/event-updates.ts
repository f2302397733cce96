import type { FoldedEvent } from '../kubernetes/folded-events.ts';
import { EventGroups } from '../pubsub/event-groups.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import { Mapped } from '../pubsub/mapped.ts';
import type { ObjectFilter, Update } from '../pubsub/updates.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { idOfKey, K8sEvent } from './event-types.ts';
import { K8sResyncReason, K8sUpdateType } from './updates.ts';

export interface EventsUpdate extends Pick<Update, 'type' | 'cursor' | 'resyncReason' | 'total' | 'freshAsOf'> {
  readonly upserted: readonly FoldedEvent[];
  readonly removed: readonly string[];
}

export const K8sEventsUpdate = builder.objectRef<EventsUpdate>('K8sEventsUpdate').implement({
  description: 'One message of the subscription `k8sEvents`: the whole set, or what changed in it.',
  fields: (t) => ({
    type: t.expose('type', { type: K8sUpdateType, description: 'Whether this is the whole set or a difference.' }),
    upserted: t.field({
      type: [K8sEvent],
      description: 'Events that are new or happened again, as they are now, the newest first; [] when there are none.',
      resolve: ({ upserted }) => upserted,
    }),
    removed: t.idList({
      description: 'Ids to remove, before `upserted` is applied: clusters forget events, mostly after an hour.',
      resolve: ({ removed }) => removed,
    }),
    cursor: t.exposeString('cursor', { description: 'Pass the last one as `resume` to go on from here. Opaque.' }),
    resyncReason: t.expose('resyncReason', {
      type: K8sResyncReason,
      nullable: true,
      description: 'Set on a SNAPSHOT that answers `resume` or replaces a broken stream; otherwise null.',
    }),
    total: t.exposeInt('total', { description: 'The number of events in the set after this update, folded.' }),
    freshAsOf: t.expose('freshAsOf', {
      type: 'DateTime',
      description: 'The last proof that the watch behind this was alive and complete.',
    }),
  }),
});

/** The events of a view, folded, live. */
export async function followEvents(
  context: Context,
  key: FeedKey,
  filter: ObjectFilter | undefined,
  resume: string | undefined,
): Promise<AsyncIterableIterator<EventsUpdate>> {
  const viewer = context.viewer();
  const groups = new EventGroups();
  // What a resumed client holds is folded of events that only the feed knows.
  const before = resume === undefined ? undefined : await context.gate.attach(viewer, key);
  try {
    const updates = await context.gate.subscribe(viewer, key, { ...(filter && { filter }), resume });
    let isFirst = true;
    return new Mapped(
      updates,
      (update) => {
        const wasFirst = isFirst;
        isFirst = false;
        if (update.type === 'SNAPSHOT') {
          groups.replace(update.upserted);
          return { value: snapshot(update, groups) };
        }
        if (wasFirst && before !== undefined) {
          const objects = [...before.feed.objects()];
          before.release();
          groups.replace(filter === undefined ? objects : objects.filter(filter.matches));
        }
        // What was folded into an event that is gone is not known any more, nor is its id.
        if (update.removed.some((uid) => !groups.has(uid)) && wasFirst) {
          return { value: { ...snapshot(update, groups), resyncReason: 'HISTORY_EXPIRED' } };
        }
        const { upserted, removed } = groups.apply(update.upserted, update.removed);
        return { value: { ...update, upserted, removed: removed.map(idOfKey), total: groups.size } };
      },
      () => before?.release(),
    );
  } catch (error) {
    before?.release();
    throw error;
  }
}

function snapshot(update: Update, groups: EventGroups): EventsUpdate {
  return { ...update, type: 'SNAPSHOT', upserted: groups.all(), removed: [], total: groups.size };
}
