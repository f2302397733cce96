import type { Donor, Donors } from '../../../src/sources/source.ts';
import { isRefusal, UpstreamError } from '../../../src/sources/upstream-error.ts';
import type {
  ListPage,
  ListRequest,
  Upstream,
  WatchEnd,
  WatchHandle,
  WatchListener,
  WatchRequest,
} from '../../../src/sources/upstream.ts';
import { failure } from '../../support/scripted-upstream.ts';
import type { Chance } from '../chance.ts';
import type { Process } from '../process.ts';
import type { Timeline } from '../timeline.ts';
import type { Cluster } from './cluster.ts';
import { ServedStream } from './stream.ts';
import { tokenOf } from './token.ts';

/** What a refused request is asked to wait, in milliseconds. */
const RETRY_AFTER_MS = 2_000;

/** The way from one process to the cluster. */
export class ClusterLink {
  readonly process: Process;
  readonly cluster: Cluster;
  readonly timeline: Timeline;
  readonly chance: Chance;
  /** Told of what happened, in a word or two. */
  readonly noted: (what: string) => void;

  constructor(options: Pick<ClusterLink, 'process' | 'cluster' | 'timeline' | 'chance' | 'noted'>) {
    this.process = options.process;
    this.cluster = options.cluster;
    this.timeline = options.timeline;
    this.chance = options.chance;
    this.noted = options.noted;
  }

  /** There and back, `serve` in between. Rejects with the signal's reason when that aborts. */
  request<T>(serve: () => T, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      this.timeline.after(this.latency(), () => {
        const settle = this.#answer(serve, resolve, reject);
        this.process.deliver(this.latency(), settle);
      });
    });
  }

  latency(): number {
    return this.chance.isLucky(0.03) ? this.chance.between(100, 2_000) : this.chance.between(1, 15);
  }

  #answer<T>(serve: () => T, resolve: (answer: T) => void, reject: (error: Error) => void): () => void {
    try {
      const answer = serve();
      return () => resolve(answer);
    } catch (error) {
      return () => reject(error as Error);
    }
  }
}

/** One collection, opened with the credentials of whoever is its donor at the moment. */
export class ClusterUpstream implements Upstream {
  readonly #link: ClusterLink;
  readonly #donors: Donors;
  readonly #held = new Set<WatchHandle>();

  constructor(link: ClusterLink, donors: Donors) {
    this.#link = link;
    this.#donors = donors;
  }

  get streams(): number {
    return this.#held.size;
  }

  hasAnotherIdentity(): boolean {
    return this.#donors.current() !== undefined;
  }

  async list(request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const donor = this.#donor();
    const { cluster } = this.#link;
    const front = cluster.anyFront;
    try {
      return await this.#link.request(() => {
        this.#admit(donor);
        return request.notOlderThan === undefined
          ? front.page(request.continueToken)
          : front.cached(request.notOlderThan);
      }, signal);
    } catch (error) {
      throw this.#noteRefusal(donor, error);
    }
  }

  watch(request: WatchRequest, listener: WatchListener): WatchHandle {
    const { timeline, chance, process, cluster, noted } = this.#link;
    const donor = this.#donors.current();
    const front = cluster.anyFront;
    const stream = new ServedStream({
      timeline,
      chance,
      process,
      front,
      request,
      listener: this.#listening(donor, listener),
      onGone: () => this.#held.delete(stream),
      onCut: () => noted('cut off for being slow'),
    });
    this.#held.add(stream);
    timeline.after(this.#link.latency(), () => {
      if (!this.#held.has(stream) || !process.isAlive) return;
      try {
        this.#admit(donor);
        front.watch(stream);
      } catch (error) {
        stream.end({ kind: 'failed', error: error as UpstreamError });
      }
    });
    return stream;
  }

  #listening(donor: Donor | undefined, listener: WatchListener): WatchListener {
    return {
      opened: (transport) => listener.opened(transport),
      event: (event) => listener.event(event),
      ended: (end: WatchEnd) => {
        if (end.kind === 'failed' && donor !== undefined) this.#noteRefusal(donor, end.error);
        listener.ended(end);
      },
    };
  }

  #admit(donor: Donor | undefined): void {
    const { cluster } = this.#link;
    const refusal = cluster.refusal();
    if (refusal !== undefined) {
      throw failure(refusal, refusal === 'throttled' || refusal === 'unreachable' ? RETRY_AFTER_MS : undefined);
    }
    if (donor === undefined) throw failure('noIdentity');
    if (!cluster.mayView(tokenOf(donor.credentials))) throw failure('forbidden');
  }

  #donor(): Donor {
    const donor = this.#donors.current();
    if (donor === undefined) throw failure('noIdentity');
    return donor;
  }

  #noteRefusal<E>(donor: Donor, error: E): E {
    if (error instanceof UpstreamError && isRefusal(error)) this.#donors.refused(donor, error);
    return error;
  }
}
