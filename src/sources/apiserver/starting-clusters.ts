import type { Clock } from '../../clock.ts';
import { inTrace } from '../../tracing/tracing.ts';
import { UpstreamError } from '../upstream-error.ts';

/** For how long a cluster that is not ready is not believed when it refuses, in milliseconds from the first refusal. */
export const STARTING_MS = 30_000;
/** A cluster is doubted at most so many times in so many milliseconds, whatever it says of itself in between. */
export const DOUBTS = { most: 3, periodMs: 5 * 60_000 };
/** How long it holds, in milliseconds, that a cluster is not ready. */
export const NOT_READY_HOLDS_MS = 2_000;
/** How long that it is: less than the time in which an API server can stop and start to forbid everything. */
export const READY_HOLDS_MS = 500;
const ANSWER_DEADLINE_MS = 5_000;

/** Asks a cluster's `/readyz`. Rejects unless the answer is 200. */
export type AskReady = (signal: AbortSignal) => Promise<void>;

interface Answer {
  readonly isReady: boolean;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** One that has let somebody look. */
interface Cluster {
  answer: Answer | undefined;
  asking: Promise<boolean> | undefined;
  /** It has said so once: it tells. */
  wasReady: boolean;
  /** Monotonic milliseconds. Until it says that it is ready. */
  doubtedSince: number | undefined;
  /** It is being asked until it says so. */
  isFollowed: boolean;
  /** In the period that began then. */
  doubts: number;
  doubtsFrom: number;
}

/**
 * An API server that starts answers before it has read who may do what: for a moment it forbids everything to
 * everybody, and taken at its word would send all viewers away. So whoever is refused asks whether it is ready
 * (`/readyz`), and believes the refusal if it is, or when half a minute has changed nothing. Clusters that do not
 * answer this question even in good times are always believed. Nothing is ever allowed here: a refusal that is not
 * believed counts as no answer at all.
 */
export class StartingClusters {
  readonly #clock: Clock;
  /** By agent. Held for those that have let somebody look, not for numbers that anybody can think up. */
  readonly #clusters = new Map<string, Cluster>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The cluster has let somebody look. While it is in doubt this is the occasion to ask; it proves nothing by itself. */
  worked(agentId: string, ask: AskReady): void {
    const known = this.#clusters.get(agentId);
    if (known !== undefined && known.doubtedSince === undefined) return;
    const cluster = known ?? unheard();
    this.#clusters.set(agentId, cluster);
    if (cluster.isFollowed) return;
    cluster.isFollowed = true;
    void this.#follow(cluster, ask, this.#clock.monotonic() + STARTING_MS);
  }

  /** Rights are known a moment before all is ready: asks until it says so, lest the next start meets an old doubt. */
  async #follow(cluster: Cluster, ask: AskReady, until: number): Promise<void> {
    const isReady = await this.#isReady(cluster, ask);
    if (isReady || cluster.doubtedSince === undefined || this.#clock.monotonic() >= until) cluster.isFollowed = false;
    else this.#clock.after(NOT_READY_HOLDS_MS, () => void this.#follow(cluster, ask, until));
  }

  /** What an error means. A cluster that forbids something while it starts counts as unreachable. */
  async judge(agentId: string, error: UpstreamError, ask: AskReady): Promise<UpstreamError> {
    const isOfCluster = error.failure === 'forbidden' && error.hop === 'cluster';
    return isOfCluster && (await this.#isStarting(agentId, ask)) ? starting(error) : error;
  }

  /** Throws when the "no" of a review is that of a cluster which is starting. */
  async confirmNo(agentId: string, ask: AskReady): Promise<void> {
    if (await this.#isStarting(agentId, ask)) throw starting();
  }

  async #isStarting(agentId: string, ask: AskReady): Promise<boolean> {
    const cluster = this.#clusters.get(agentId);
    if (cluster?.wasReady !== true) return false;
    return !(await this.#isReady(cluster, ask)) && this.#isInDoubt(cluster);
  }

  #isInDoubt(cluster: Cluster): boolean {
    const now = this.#clock.monotonic();
    if (cluster.doubtedSince === undefined) {
      if (now - cluster.doubtsFrom >= DOUBTS.periodMs) {
        cluster.doubtsFrom = now;
        cluster.doubts = 0;
      }
      if (cluster.doubts === DOUBTS.most) return false;
      cluster.doubts += 1;
      cluster.doubtedSince = now;
    }
    return now - cluster.doubtedSince < STARTING_MS;
  }

  /** However many want to know, the cluster is asked once. */
  #isReady(cluster: Cluster, ask: AskReady): Promise<boolean> {
    const { answer } = cluster;
    if (answer !== undefined && this.#clock.monotonic() - answer.at < holdsMs(answer)) {
      return Promise.resolve(answer.isReady);
    }
    // Asked for all, so part of nobody's trace.
    cluster.asking ??= inTrace(undefined, () => this.#ask(ask)).then((isReady) => {
      cluster.asking = undefined;
      cluster.answer = { isReady, at: this.#clock.monotonic() };
      if (isReady) {
        cluster.wasReady = true;
        cluster.doubtedSince = undefined;
      }
      return isReady;
    });
    return cluster.asking;
  }

  async #ask(ask: AskReady): Promise<boolean> {
    const deadline = new AbortController();
    const timer = this.#clock.after(ANSWER_DEADLINE_MS, () => deadline.abort());
    try {
      await ask(deadline.signal);
      return true;
    } catch {
      return false;
    } finally {
      timer.cancel();
    }
  }
}

function holdsMs({ isReady }: Answer): number {
  return isReady ? READY_HOLDS_MS : NOT_READY_HOLDS_MS;
}

function unheard(): Cluster {
  return {
    answer: undefined,
    asking: undefined,
    wasReady: false,
    doubtedSince: undefined,
    isFollowed: false,
    doubts: 0,
    doubtsFrom: Number.NEGATIVE_INFINITY,
  };
}

function starting(cause?: UpstreamError): UpstreamError {
  return new UpstreamError('unreachable', 'The cluster is starting, and does not know yet who may do what.', {
    hop: 'cluster',
    ...(cause?.upstream && { upstream: cause.upstream }),
    ...(cause && { cause }),
  });
}
