import type { ExecutionResult } from 'graphql';
import type { LiveUpdates } from '../../pubsub/live-updates.ts';

type Step = IteratorReturnResult<undefined>;

/**
 * What is left of a subscription that is served together with others: a stream without messages, which ends or fails
 * when the subscription does. A class without closures, because there is one for each of thousands.
 */
export class Life implements AsyncGenerator<ExecutionResult, undefined, undefined> {
  readonly #live: LiveUpdates;

  constructor(live: LiveUpdates) {
    this.#live = live;
  }

  async next(): Promise<Step> {
    await this.#live.next();
    return DONE;
  }

  async return(): Promise<Step> {
    await this.#live.return();
    return DONE;
  }

  async throw(error: unknown): Promise<Step> {
    await this.#live.return();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#live.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const DONE: Step = { done: true, value: undefined };
