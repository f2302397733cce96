import { text } from '../apiserver/json.ts';
import type { ApiObject } from '../apiserver/object.ts';
import type { Store } from '../apiserver/store.ts';

/** A real cluster forgets events after an hour; here the oldest make room. */
const KEPT_PER_NAMESPACE = 200;

/** Writes Events about objects; the same thing again only counts up. */
export class EventRecorder {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  normal(object: ApiObject, reason: string, message: string, component = 'kubelet'): void {
    this.#record(object, 'Normal', reason, message, component);
  }

  warning(object: ApiObject, reason: string, message: string, component = 'kubelet'): void {
    this.#record(object, 'Warning', reason, message, component);
  }

  #record(object: ApiObject, type: string, reason: string, message: string, component: string): void {
    const { name, uid, resourceVersion } = object.metadata;
    const namespace = object.metadata.namespace ?? 'default';
    const now = this.#store.timestamp();
    const known = this.#store.list('events', namespace);
    const same = known.find(
      (event) => event['message'] === message && event['reason'] === reason && isAbout(event, uid),
    );
    if (same) {
      const count = Number(same['count']) + 1;
      this.#store.patch('events', namespace, same.metadata.name, { count, lastTimestamp: now });
      return;
    }
    for (const old of this.#surplus(known)) this.#store.delete('events', namespace, old.metadata.name);
    this.#store.create({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${this.#store.newUid().replaceAll('-', '').slice(0, 16)}`, namespace },
      involvedObject: { kind: object.kind, apiVersion: object.apiVersion, namespace, name, uid, resourceVersion },
      type,
      reason,
      message,
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      eventTime: null,
    });
  }

  #surplus(events: readonly ApiObject[]): ApiObject[] {
    if (events.length < KEPT_PER_NAMESPACE) return [];
    const oldestFirst = events.toSorted((a, b) => (text(a['lastTimestamp']) < text(b['lastTimestamp']) ? -1 : 1));
    return oldestFirst.slice(0, events.length - KEPT_PER_NAMESPACE + 1);
  }
}

function isAbout(event: ApiObject, uid: string): boolean {
  const about = event['involvedObject'];
  return typeof about === 'object' && about !== null && 'uid' in about && about['uid'] === uid;
}
