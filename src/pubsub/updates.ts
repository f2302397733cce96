import type { KubernetesObject } from '../kubernetes/object.ts';
import { decodeCursor, encodeCursor, viewOf } from './cursor.ts';
import type { Feed, Revision } from './feed.ts';
import type { Delta } from './object-log.ts';

export type ResyncReason = 'HISTORY_EXPIRED' | 'CURSOR_INVALID' | 'UPSTREAM_RESET' | 'SLOW_CONSUMER';

/** One message of a live collection. Apply `removed` before `upserted`. */
export interface Update {
  readonly type: 'SNAPSHOT' | 'CHANGES';
  readonly upserted: readonly KubernetesObject[];
  readonly removed: readonly string[];
  readonly cursor: string;
  readonly resyncReason: ResyncReason | undefined;
  /** Objects in the set after this update. */
  readonly total: number;
  /** Milliseconds since 1970. */
  readonly freshAsOf: number;
}

export interface ObjectFilter {
  readonly matches: (object: KubernetesObject) => boolean;
  /** The filter's canonical text: equal text, equal meaning. Part of the cursor. */
  readonly key: string;
}

/**
 * Turns a feed into the messages of one view of it. It remembers how far it has read and, under a filter, what
 * it has shown, because an object that ceases to match is removed from the view though it lives on.
 */
export class UpdateReader {
  readonly #feed: Feed;
  readonly #filter: ObjectFilter | undefined;
  readonly #view: string;
  #position: Revision | undefined;
  /** Ids in the view; undefined without a filter, where the feed itself knows. */
  #shown: Set<string> | undefined;
  /** Set while the client's view was made by an earlier reader, so that what it was shown is not known. */
  #shownBefore = false;
  #resume: string | undefined;

  constructor(feed: Feed, filter: ObjectFilter | undefined, resume: string | undefined) {
    this.#feed = feed;
    this.#filter = filter;
    this.#view = viewOf(feed.key, filter?.key ?? '');
    this.#resume = resume;
  }

  /** The next message, or undefined when there is nothing to say. Not before the feed is synced. */
  read(): Update | undefined {
    if (this.#position === undefined) return this.#first();
    const delta = this.#feed.since(this.#position);
    if (delta === undefined) {
      return this.#snapshot(this.#position.epoch === this.#feed.revision.epoch ? 'SLOW_CONSUMER' : 'UPSTREAM_RESET');
    }
    const { upserted, removed } = this.#narrow(delta);
    this.#position = this.#feed.revision;
    if (upserted.length === 0 && removed.length === 0) return undefined;
    return this.#changes({ upserted, removed });
  }

  #first(): Update {
    if (this.#resume === undefined) return this.#snapshot(undefined);
    const from = decodeCursor(this.#resume, this.#view);
    const current = this.#feed.revision;
    if (from === undefined || from.epoch !== current.epoch || from.offset > current.offset) {
      return this.#snapshot('CURSOR_INVALID');
    }
    const delta = this.#feed.since(from);
    if (delta === undefined) return this.#snapshot('HISTORY_EXPIRED');
    this.#shown = this.#matchingIds();
    this.#shownBefore = true;
    const narrowed = this.#narrow(delta);
    this.#shownBefore = false;
    this.#position = current;
    return this.#changes(narrowed);
  }

  #snapshot(resyncReason: ResyncReason | undefined): Update {
    const filter = this.#filter;
    const upserted =
      filter === undefined ? [...this.#feed.objects()] : [...this.#feed.objects()].filter(filter.matches);
    this.#position = this.#feed.revision;
    if (filter !== undefined) this.#shown = new Set(upserted.map((object) => object.metadata.uid));
    return { type: 'SNAPSHOT', upserted, removed: [], resyncReason, ...this.#now() };
  }

  #changes(delta: Delta): Update {
    return { type: 'CHANGES', ...delta, resyncReason: undefined, ...this.#now() };
  }

  #now(): Pick<Update, 'cursor' | 'total' | 'freshAsOf'> {
    return {
      cursor: encodeCursor(this.#feed.revision, this.#view),
      total: this.#shown?.size ?? this.#feed.size,
      freshAsOf: this.#feed.freshAsOf,
    };
  }

  /** What a change of the feed means for this view. */
  #narrow(delta: Delta): Delta {
    const filter = this.#filter;
    const shown = this.#shown;
    if (filter === undefined || shown === undefined) return delta;
    const upserted: KubernetesObject[] = [];
    const removed: string[] = [];
    const hide = (uid: string) => {
      // After a resume the client may hold what does not match any more: removing it once too often does no harm.
      if (shown.delete(uid) || this.#shownBefore) removed.push(uid);
    };
    for (const uid of delta.removed) hide(uid);
    for (const object of delta.upserted) {
      if (filter.matches(object)) {
        shown.add(object.metadata.uid);
        upserted.push(object);
      } else hide(object.metadata.uid);
    }
    return { upserted, removed };
  }

  #matchingIds(): Set<string> | undefined {
    const filter = this.#filter;
    if (filter === undefined) return undefined;
    const ids = new Set<string>();
    for (const object of this.#feed.objects()) if (filter.matches(object)) ids.add(object.metadata.uid);
    return ids;
  }
}
