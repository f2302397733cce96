import { badInput } from '../errors.ts';
import { foldEvents } from '../kubernetes/folded-events.ts';
import { EVENTS } from '../kubernetes/resources.ts';
import { eventOf } from '../pubsub/event-groups.ts';
import { builder } from './builder.ts';
import { K8sEvent } from './event-types.ts';
import { K8sObject } from './objects.ts';
import { originOf } from './origin.ts';
import { relatedKind, VIEWER_DEPENDENT } from './related.ts';

const MAX_EVENTS = 100;
const DEFAULT_EVENTS = 20;

/** What happened to an object, as a field of it: from the one watch of its namespace's events, however many objects ask. */
export function addObjectEvents(): void {
  builder.interfaceField(K8sObject, 'events', (t) =>
    t.field({
      type: [K8sEvent],
      description:
        'What happened to it, the newest first; [] when there is nothing, and for those who may not list and watch events. In a subscription, as far as events are watched already.',
      args: {
        first: t.arg.int({
          defaultValue: DEFAULT_EVENTS,
          description: `At most this many, 1 to ${MAX_EVENTS}.`,
        }),
      },
      extensions: VIEWER_DEPENDENT,
      resolve: async (object, args, context, info) => {
        const first = args.first ?? DEFAULT_EVENTS;
        if (first < 1 || first > MAX_EVENTS) throw badInput('first', `a number from 1 to ${MAX_EVENTS}`);
        const { index } = await relatedKind(context, info, originOf(object), EVENTS);
        return foldEvents((index?.about(object) ?? []).map(eventOf)).slice(0, first);
      },
    }),
  );
}
