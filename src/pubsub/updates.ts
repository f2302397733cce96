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
 *
 * It can be read for one subscriber, or for many who look at the same: then those who join it, or have fallen behind
 * it, ask for what brings them to where it is.
 */
export class UpdateReader {
  readonly #feed: Feed;
  readonly #filter: ObjectFilter | undefined;
  readonly #view: string;
  readonly #resume: string | undefined;
  #position: Revision | undefined;
  /** Ids in the view; undefined without a filter, where the feed itself knows. */
  #shown: Set<string> | undefined;

  constructor(feed: Feed, filter: ObjectFilter | undefined, resume: string | undefined) {
    this.#feed = feed;
    this.#filter = filter;
    this.#view = viewOf(feed.key, filter?.key ?? '');
    this.#resume = resume;
  }

  /** How far it has read; undefined before the first time. */
  get position(): Revision | undefined {
    return this.#position;
  }

  /** The next message, or undefined when there is nothing to say. Not before the feed is synced. */
  read(): Update | undefined {
    const from = this.#position;
    this.#position = this.#feed.revision;
    if (from === undefined) {
      this.#shown = this.#matchingIds();
      return this.first(this.#resume);
    }
    const delta = this.#feed.since(from);
    if (delta === undefined) {
      this.#shown = this.#matchingIds();
      return this.#snapshot(this.#whyNoDelta(from));
    }
    return this.#changesUnlessNone(this.#narrow(delta));
  }

  /** The first message of somebody who joins where this has just read to. */
  first(resume: string | undefined): Update {
    if (resume === undefined) return this.#snapshot(undefined);
    const from = decodeCursor(resume, this.#view);
    if (from === undefined || !this.#feed.knows(from)) return this.#snapshot('CURSOR_INVALID');
    const delta = this.#feed.since(from);
    return delta === undefined ? this.#snapshot('HISTORY_EXPIRED') : this.#changes(this.#narrowUnseen(delta));
  }

  /** What somebody has missed who got no further than `from`, up to where this has just read to. */
  missed(from: Revision): Update | undefined {
    const delta = this.#feed.since(from);
    if (delta === undefined) return this.#snapshot(this.#whyNoDelta(from));
    return this.#changesUnlessNone(this.#narrowUnseen(delta));
  }

  #whyNoDelta(from: Revision): ResyncReason {
    return this.#feed.knows(from) ? 'SLOW_CONSUMER' : 'UPSTREAM_RESET';
  }

  #snapshot(resyncReason: ResyncReason | undefined): Update {
    const filter = this.#filter;
    const objects = [...this.#feed.objects()];
    const upserted = filter === undefined ? objects : objects.filter(filter.matches);
    return { type: 'SNAPSHOT', upserted, removed: [], resyncReason, ...this.#now() };
  }

  #changesUnlessNone(delta: Delta): Update | undefined {
    return delta.upserted.length === 0 && delta.removed.length === 0 ? undefined : this.#changes(delta);
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
    const removed = delta.removed.filter((uid) => shown.delete(uid));
    for (const object of delta.upserted) {
      const { uid } = object.metadata;
      if (filter.matches(object)) {
        shown.add(uid);
        upserted.push(object);
      } else if (shown.delete(uid)) removed.push(uid);
    }
    return { upserted, removed };
  }

  /** The same for somebody of whom it is not known what they were shown: removing once too often does no harm. */
  #narrowUnseen(delta: Delta): Delta {
    const filter = this.#filter;
    if (filter === undefined) return delta;
    const upserted = delta.upserted.filter(filter.matches);
    const hidden = delta.upserted.filter((object) => !filter.matches(object));
    return { upserted, removed: [...delta.removed, ...hidden.map(({ metadata }) => metadata.uid)] };
  }

  #matchingIds(): Set<string> | undefined {
    const filter = this.#filter;
    if (filter === undefined) return undefined;
    const ids = new Set<string>();
    for (const object of this.#feed.objects()) if (filter.matches(object)) ids.add(object.metadata.uid);
    return ids;
  }
}
