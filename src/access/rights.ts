import type { Clock, Timer } from '../clock.ts';
import { ApiError } from '../errors.ts';
import { feedId, type FeedKey } from '../pubsub/feed-key.ts';
import { GRACE_MS } from './review-cache.ts';
import type { Viewer } from './viewer.ts';

/** How soon a check that could not be made is tried again, in milliseconds. */
export const RETRY_MS = 5_000;
/** Checks of one right are never closer together than this. */
const LEAST_MS = 100;
/** A right that was confirmed so lately, in milliseconds, is not asked about before its time. */
export const AGAIN_MS = 2_000;

export interface RightsOptions {
  readonly clock: Clock;
  /** Asks, or remembers, whether the viewer may see the feed. Rejects when it cannot be found out. */
  readonly check: (viewer: Viewer, key: FeedKey) => Promise<boolean>;
  /** Makes the next check ask. */
  readonly forget: (viewer: Viewer, key: FeedKey) => void;
  /** Milliseconds until the remembered answer may not be used any more. */
  readonly dueInMs: (viewer: Viewer, key: FeedKey) => number;
  /** Milliseconds since that answer was asked for. */
  readonly ageMs: (viewer: Viewer, key: FeedKey) => number;
  /** The right is lost; or it could not be checked for so long that it counts as lost. */
  readonly onLost: (viewer: Viewer, key: FeedKey, error: ApiError) => void;
}

interface Held {
  readonly viewer: Viewer;
  readonly key: FeedKey;
  holders: number;
  /** Monotonic milliseconds of the last time that it was known to be granted. */
  confirmedAt: number;
  /** Undefined while it is being asked about. */
  timer: Timer | undefined;
}

/**
 * The rights that live subscriptions stand on. The cluster never ends a watch because somebody lost a right, least
 * of all a shared one; so for as long as a subscription lives, its viewer's right is asked about again whenever
 * the last answer has run out.
 */
export class Rights {
  readonly #options: RightsOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: RightsOptions) {
    this.#options = options;
  }

  /** Begins to look after a right that has just been checked. Returns how to let go of it. */
  hold(viewer: Viewer, key: FeedKey): () => void {
    const id = `${viewer.id} ${feedId(key)}`;
    const held = this.#held.get(id) ?? this.#begin(id, viewer, key);
    held.holders += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      held.holders -= 1;
      if (held.holders === 0) this.#end(id, held);
    };
  }

  /** Asks at once about all that this viewer looks at, unless it has just been confirmed. */
  askAgain(viewer: Viewer): void {
    const { clock, forget } = this.#options;
    for (const [id, held] of this.#held) {
      const isRecent = clock.monotonic() - held.confirmedAt < AGAIN_MS;
      if (held.viewer.id !== viewer.id || held.timer === undefined || isRecent) continue;
      held.timer.cancel();
      forget(viewer, held.key);
      void this.#check(id, held);
    }
  }

  #begin(id: string, viewer: Viewer, key: FeedKey): Held {
    const held: Held = { viewer, key, holders: 0, confirmedAt: this.#confirmedAt(viewer, key), timer: undefined };
    this.#held.set(id, held);
    this.#schedule(id, held, this.#options.dueInMs(viewer, key));
    return held;
  }

  #end(id: string, held: Held): void {
    held.timer?.cancel();
    if (this.#held.get(id) === held) this.#held.delete(id);
  }

  #schedule(id: string, held: Held, inMs: number): void {
    held.timer = this.#options.clock.after(Math.max(LEAST_MS, inMs), () => void this.#check(id, held));
  }

  async #check(id: string, held: Held): Promise<void> {
    const { clock, check, dueInMs } = this.#options;
    const { viewer, key } = held;
    held.timer = undefined;
    try {
      const allowed = await check(viewer, key);
      if (this.#held.get(id) !== held) return;
      if (!allowed) {
        this.#lose(id, held, new ApiError('ACCESS_REVOKED', `You may no longer see ${key.resource.plural} here.`));
        return;
      }
      held.confirmedAt = this.#confirmedAt(viewer, key);
      this.#schedule(id, held, dueInMs(viewer, key));
    } catch (error) {
      if (this.#held.get(id) !== held) return;
      // That it could not be asked is no denial; but nobody goes on for ever on an answer from long ago.
      if (clock.monotonic() - held.confirmedAt >= GRACE_MS) this.#lose(id, held, unchecked(key, error));
      else this.#schedule(id, held, RETRY_MS * (0.8 + 0.4 * clock.random()));
    }
  }

  #confirmedAt(viewer: Viewer, key: FeedKey): number {
    return this.#options.clock.monotonic() - this.#options.ageMs(viewer, key);
  }

  #lose(id: string, held: Held, error: ApiError): void {
    this.#end(id, held);
    this.#options.onLost(held.viewer, held.key, error);
  }
}

function unchecked({ resource }: FeedKey, cause: unknown): ApiError {
  const minutes = GRACE_MS / 60_000;
  return new ApiError(
    'ACCESS_REVOKED',
    `Your right to see ${resource.plural} could not be checked for ${minutes} minutes.`,
    {
      retryable: true,
      remedy: 'Subscribe again: the way to the cluster was broken, and may be whole by now.',
      cause,
    },
  );
}
