import { createHash } from 'node:crypto';
import type { EventObject, EventSource } from '../kubernetes/events.ts';
import { foldKey, type FoldedEvent } from '../kubernetes/folded-events.ts';
import { builder } from './builder.ts';

export const K8sEventType = builder.enumType('K8sEventType', {
  description: 'How serious an event is.',
  values: {
    NORMAL: { description: 'Normal: it tells what was done.' },
    WARNING: { description: 'Warning: something is not as it should be.' },
  },
});

const K8sEventSource = builder.objectRef<EventSource>('K8sEventSource').implement({
  description: 'Who reports an event.',
  fields: (t) => ({
    component: t.exposeString('component', { nullable: true, description: 'What it is, such as `kubelet`.' }),
    host: t.exposeString('host', { nullable: true, description: 'Where it runs: a node, or an instance.' }),
  }),
});

const K8sInvolvedObject = builder.objectRef<EventObject>('K8sInvolvedObject').implement({
  description: 'What an event is about.',
  fields: (t) => ({
    apiVersion: t.exposeString('apiVersion', { nullable: true, description: 'Its group and version.' }),
    kind: t.exposeString('kind', { description: 'Its kind.' }),
    namespace: t.exposeString('namespace', { nullable: true, description: 'Null for cluster-scoped objects.' }),
    name: t.exposeString('name', { description: 'Its name.' }),
    uid: t.exposeID('uid', { nullable: true, description: 'Its metadata.uid. Null when the event does not say.' }),
    fieldPath: t.exposeString('fieldPath', {
      nullable: true,
      description: 'The part of it that is meant, such as `spec.containers{app}`.',
    }),
  }),
});

export const K8sEvent = builder.objectRef<FoldedEvent>('K8sEvent').implement({
  description:
    'Events that say the same (object, reason, type, reporter), as one: the counts add up, the rest is that of the newest.',
  fields: (t) => ({
    id: t.id({
      description: 'The same for as long as there is any of them.',
      resolve: (event) => idOfKey(foldKey(event)),
    }),
    type: t.exposeString('type', { description: '`Normal` or `Warning`, as Kubernetes writes it; others may come.' }),
    reason: t.exposeString('reason', { description: 'Why, in one word for programs, such as `BackOff`.' }),
    message: t.exposeString('message', { description: 'What happened, for people.' }),
    count: t.exposeInt('count', { description: 'How often it happened, at least 1.' }),
    firstAt: t.expose('firstAt', { type: 'DateTime', nullable: true, description: 'When it happened first.' }),
    lastAt: t.expose('lastAt', { type: 'DateTime', nullable: true, description: 'When it happened last.' }),
    source: t.field({ type: K8sEventSource, description: 'Who reports it.', resolve: ({ source }) => source }),
    involvedObject: t.field({
      type: K8sInvolvedObject,
      description: 'What it is about.',
      resolve: ({ involvedObject }) => involvedObject,
    }),
  }),
});

/** The id of a folded event. */
export function idOfKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 22);
}
