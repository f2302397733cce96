import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Feed } from '../pubsub/feed.ts';
import type { ObjectFilter } from '../pubsub/updates.ts';
import type { Kind } from './kind.ts';
import { comingFrom, type Origin } from './origin.ts';
import { pageOf, type Page, type PageRequest } from './paging.ts';

export interface StatusCount {
  readonly status: string;
  readonly count: number;
}

/**
 * What a list query saw: the matching objects of one moment. It keeps no hold of the feed; the page and the
 * counts are made when they are asked for.
 */
export class Listing {
  readonly freshAsOf: number;
  readonly #kind: Kind;
  readonly #matching: readonly KubernetesObject[];
  readonly #request: PageRequest;
  readonly #origin: Origin;
  #page: Page | undefined;

  constructor(
    kind: Kind,
    feed: Pick<Feed, 'objects' | 'freshAsOf'>,
    filter: ObjectFilter | undefined,
    request: PageRequest,
    origin: Origin,
  ) {
    this.freshAsOf = feed.freshAsOf;
    this.#kind = kind;
    this.#matching = matching(feed.objects(), filter);
    this.#request = request;
    this.#origin = origin;
  }

  get totalCount(): number {
    return this.#matching.length;
  }

  get page(): Page {
    return (this.#page ??= this.#makePage());
  }

  #makePage(): Page {
    const page = pageOf(this.#matching, this.#request);
    comingFrom(this.#origin, page.nodes);
    return page;
  }

  /** The most frequent first. */
  get counts(): readonly StatusCount[] {
    const counts = new Map<string, number>();
    for (const object of this.#matching) {
      const status = this.#kind.status.of(object) || 'Unknown';
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    return Array.from(counts, ([status, count]) => ({ status, count })).toSorted(
      (a, b) => b.count - a.count || (a.status < b.status ? -1 : 1),
    );
  }
}

function matching(objects: Iterable<KubernetesObject>, filter: ObjectFilter | undefined): readonly KubernetesObject[] {
  return filter === undefined ? [...objects] : [...objects].filter(filter.matches);
}
