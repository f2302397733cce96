import type { ApiRequest } from './request.ts';
import type { Effect } from './effects.ts';

/** Which requests an order concerns; what is left out matches everything. */
export interface RequestMatch {
  readonly verb?: string | undefined;
  readonly resource?: string | undefined;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly user?: string | undefined;
  /** Only later pages of a list (true), or only first pages (false). */
  readonly continued?: boolean | undefined;
}

export interface FaultOrder {
  readonly match: RequestMatch;
  /** How often it strikes; for ever when left out. */
  readonly times?: number | undefined;
  /** How many matching requests it lets pass first. */
  readonly skip?: number | undefined;
  readonly effect: Effect;
}

export interface ActiveFault {
  /** How often it has struck. */
  readonly hits: number;
  remove(): void;
}

interface Entry {
  order: FaultOrder;
  seen: number;
  hits: number;
}

/** Orders for faults. Several may hit one request; their effects add up, the latest order wins where they clash. */
export class Faults {
  readonly #entries = new Set<Entry>();

  add(order: FaultOrder): ActiveFault {
    const entry: Entry = { order, seen: 0, hits: 0 };
    this.#entries.add(entry);
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => this.#entries.delete(entry),
    };
  }

  clear(): void {
    this.#entries.clear();
  }

  /** The effect on this request, used up by asking. */
  strike(request: ApiRequest, user: string): Effect {
    let effect: Effect = {};
    for (const entry of this.#entries) {
      const { match, times = Number.POSITIVE_INFINITY, skip = 0 } = entry.order;
      if (entry.hits >= times || !matches(match, request, user)) continue;
      entry.seen += 1;
      if (entry.seen <= skip) continue;
      entry.hits += 1;
      effect = { ...effect, ...entry.order.effect };
    }
    return effect;
  }
}

/** `gitlab:user:eve` is also matched by `eve`. */
export function isUser(wanted: string, actual: string): boolean {
  return wanted === actual || actual === `gitlab:user:${wanted}`;
}

export function matches(match: RequestMatch, request: ApiRequest, user: string): boolean {
  if (match.user !== undefined && !isUser(match.user, user)) return false;
  const fields = ['verb', 'resource', 'subresource', 'namespace', 'name', 'continued'] as const;
  return fields.every((field) => match[field] === undefined || match[field] === request[field]);
}
