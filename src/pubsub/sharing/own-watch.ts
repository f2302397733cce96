import type { Clock } from '../../clock.ts';
import type { Beginning, Reflection } from '../../sources/source.ts';
import type { ReflectorStatus } from '../../sources/status.ts';
import { isRefusal, UpstreamError } from '../../sources/upstream-error.ts';
import type { Wiring } from '../broker.ts';
import type { Feed } from '../feed.ts';
import { Valve, type OnStatus } from './valve.ts';

export interface OwnWatchOptions {
  readonly feed: Feed;
  readonly wiring: Wiring;
  /** How to go on from what the feed holds; what is not complete, only a list makes so. */
  readonly by: Beginning['by'];
  /** Asked for each change: whether this replica may write the feed. */
  readonly mayWrite: () => boolean;
  readonly clock: Clock;
  readonly onStatus: OnStatus;
}

/** A watch of this replica's own, and what stands between it and the feed. */
export class OwnWatch {
  readonly #valve: Valve;
  readonly #reflection: Reflection;

  /** Begins held back, until it is decided that it fills the feed. Throws LIMIT_EXCEEDED when there may be none. */
  constructor({ feed, wiring, clock, by, mayWrite, onStatus }: OwnWatchOptions) {
    const { resourceVersion } = feed;
    const how = feed.synced ? by : 'list';
    const from =
      resourceVersion === undefined ? undefined : { resourceVersion, by: how, objects: () => feed.objects() };
    this.#valve = new Valve(feed, unopened(feed.reported, clock.now()), mayWrite, onStatus);
    this.#reflection = wiring.open(this.#valve, from);
  }

  /** What it says of itself. */
  get status(): ReflectorStatus {
    return this.#valve.status;
  }

  /** Nothing of it reaches the feed until it is let through. */
  hold(): void {
    this.#valve.hold();
  }

  letThrough(): void {
    this.#valve.open();
  }

  retryNow(): void {
    this.#reflection.retryNow();
  }

  renew(): void {
    this.#reflection.renew();
  }

  stop(): void {
    this.#valve.hold();
    this.#reflection.stop();
  }
}

/** Nobody here may hold the watch open any more. */
export function isRefused({ final, error }: ReflectorStatus): boolean {
  return final && error instanceof UpstreamError && isRefusal(error);
}

/** What is to be said of a watch that has not been answered yet, whatever was said of the one before it. */
function unopened(previous: ReflectorStatus, now: number): ReflectorStatus {
  const since = previous.state === 'CONNECTING' ? previous.since : now;
  const hops = previous.hops.map((hop) =>
    hop.name === 'server' ? hop : { ...hop, status: 'CONNECTING' as const, reason: undefined, since },
  );
  const nothing = { error: undefined, final: false, attempts: 0, nextRetryAt: undefined, transport: undefined };
  return { ...nothing, state: 'CONNECTING', since, hops };
}
