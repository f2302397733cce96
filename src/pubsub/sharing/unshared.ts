import type { Clock, Timer } from '../../clock.ts';
import { ApiError } from '../../errors.ts';
import type { Reflection } from '../../sources/source.ts';
import type { Supply, Wiring } from '../broker.ts';
import type { Feed } from '../feed.ts';

/** How long after no stream was left it is tried again, in milliseconds. */
const DECLINED_MS = 10_000;

export interface UnsharedOptions {
  readonly feed: Feed;
  readonly clock: Clock;
  readonly wiring: Wiring;
  readonly onFailed: (error: unknown) => void;
}

/**
 * Fills a feed that is one viewer's by a watch of this replica's own. No other could go on with it, so nothing of it is
 * told to them; among the agent's streams it counts like all others.
 */
export class Unshared implements Supply {
  readonly #options: UnsharedOptions;
  #reflection: Reflection | undefined;
  #giveBack: (() => void) | undefined;
  #again: Timer | undefined;
  #isStopped = false;

  constructor(options: UnsharedOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { feed, wiring, clock, onFailed } = this.#options;
    try {
      this.#giveBack = await wiring.reserve();
      if (this.#isStopped) this.#giveBack();
      else this.#reflection = wiring.open(feed, undefined);
    } catch (error) {
      this.#giveBack?.();
      if (!(error instanceof ApiError)) onFailed(error);
      else if (!this.#isStopped) feed.report({ ...feed.reported, state: 'DISCONNECTED', error, final: true });
      if (!this.#isStopped) this.#again = clock.after(DECLINED_MS, () => this.retryNow());
    }
  }

  retryNow(): void {
    this.#reflection?.retryNow();
    if (this.#again === undefined) return;
    this.#again.cancel();
    this.#again = undefined;
    void this.start();
  }

  renew(): void {
    this.#reflection?.renew();
  }

  catchUp(): Promise<void> {
    return Promise.resolve();
  }

  stop(): void {
    this.#isStopped = true;
    this.#again?.cancel();
    this.#reflection?.stop();
    this.#giveBack?.();
  }
}
