import { record, text } from '../kubernetes/json.ts';
import { selectorMatches } from '../kubernetes/label-selector.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { controllerOf } from '../kubernetes/owners.ts';
import { eventOf } from './event-groups.ts';
import type { Feed, Revision } from './feed.ts';

type Readable = Pick<Feed, 'get' | 'find' | 'objects' | 'revision'>;
type Groups = ReadonlyMap<string, readonly KubernetesObject[]>;

const NONE: readonly KubernetesObject[] = Object.freeze([]);

/**
 * Answers who belongs to whom in a feed. What it takes to answer is made once for each state of the feed, however
 * many ask, so that relations of a whole page cost what the feed holds and not that times the page.
 */
export class FeedIndex {
  readonly #feed: Readable;
  #revision: Revision | undefined;
  #byController: Groups | undefined;
  #byLabel: Groups | undefined;
  #bySelector: Groups | undefined;
  #bySubject: Groups | undefined;

  constructor(feed: Readable) {
    this.#feed = feed;
  }

  get(uid: string): KubernetesObject | undefined {
    return this.#feed.get(uid);
  }

  find(namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.#feed.find(namespace, name);
  }

  objects(): Iterable<KubernetesObject> {
    return this.#feed.objects();
  }

  /** What the object with this uid controls, by name. */
  controlledBy(uid: string): readonly KubernetesObject[] {
    this.#refresh();
    this.#byController ??= group(this.#feed.objects(), (object) => [controllerOf(object)?.uid ?? '']);
    return uid === '' ? NONE : byName(this.#byController.get(uid) ?? NONE);
  }

  /** What a Service selects, by name. */
  selectedBy(service: KubernetesObject): readonly KubernetesObject[] {
    this.#refresh();
    this.#byLabel ??= group(this.#feed.objects(), (object) => pairs(object.metadata.labels));
    const candidates = pairs(selectorOf(service)).map((pair) => this.#byLabel?.get(pair) ?? NONE);
    const fewest = candidates.reduce((few, each) => (each.length < few.length ? each : few), candidates[0] ?? NONE);
    return byName(fewest.filter((object) => selects(service, object)));
  }

  /** The Services of this feed that select the object, by name. */
  selecting(object: KubernetesObject): readonly KubernetesObject[] {
    this.#refresh();
    this.#bySelector ??= group(this.#feed.objects(), (service) => pairs(selectorOf(service)).slice(0, 1));
    const candidates = pairs(object.metadata.labels).flatMap((pair) => this.#bySelector?.get(pair) ?? NONE);
    return byName(candidates.filter((service) => selects(service, object)));
  }

  /** The events about an object: by its id, or by kind and name where an event does not tell the id. */
  about(object: KubernetesObject): readonly KubernetesObject[] {
    this.#refresh();
    this.#bySubject ??= group(this.#feed.objects(), (event) => [subjectOf(event)]);
    const { uid, name, namespace } = object.metadata;
    const nameless = this.#bySubject.get(subjectKey(object.kind, namespace, name)) ?? NONE;
    return [...(this.#bySubject.get(uid) ?? NONE), ...nameless];
  }

  #refresh(): void {
    const { epoch, offset } = this.#feed.revision;
    if (this.#revision?.epoch === epoch && this.#revision.offset === offset) return;
    this.#revision = { epoch, offset };
    this.#byController = undefined;
    this.#byLabel = undefined;
    this.#bySelector = undefined;
    this.#bySubject = undefined;
  }
}

const indexes = new WeakMap<Readable, FeedIndex>();

/** The index of a feed: one for all who ask. */
export function indexOf(feed: Readable): FeedIndex {
  const known = indexes.get(feed);
  if (known !== undefined) return known;
  const index = new FeedIndex(feed);
  indexes.set(feed, index);
  return index;
}

function subjectOf(event: KubernetesObject): string {
  const { uid, kind, namespace, name } = eventOf(event).involvedObject;
  return uid ?? subjectKey(kind, namespace, name);
}

function subjectKey(kind: string, namespace: string | undefined, name: string): string {
  return JSON.stringify([kind, namespace ?? null, name]);
}

function selectorOf(service: KubernetesObject): unknown {
  return record(service.spec)['selector'];
}

function selects(service: KubernetesObject, object: KubernetesObject): boolean {
  return service.metadata.namespace === object.metadata.namespace && selectorMatches(service, object.metadata.labels);
}

function pairs(labels: unknown): string[] {
  return Object.entries(record(labels)).map(([key, value]) => `${key}=${text(value)}`);
}

function group(objects: Iterable<KubernetesObject>, keysOf: (object: KubernetesObject) => readonly string[]): Groups {
  const groups = new Map<string, KubernetesObject[]>();
  for (const object of objects) {
    for (const key of keysOf(object)) {
      const members = groups.get(key);
      if (members === undefined) groups.set(key, [object]);
      else members.push(object);
    }
  }
  return groups;
}

function byName(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  return objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}
