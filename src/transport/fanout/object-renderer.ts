import type { GraphQLFormattedError, ValidatedSubscriptionArgs } from 'graphql';
import { objectUpdate } from '../../pubsub/object-updates.ts';
import type { Update } from '../../pubsub/updates.ts';
import { digestOf, executeAsJson } from './renderer.ts';
import type { Renderer, Shown } from './renderer.ts';

/** The updates of one object, out of a collection that is filtered for its name. A date alone is no news here either. */
export class ObjectRenderer implements Renderer {
  readonly #args: ValidatedSubscriptionArgs;
  readonly #mask: (thrown: unknown) => GraphQLFormattedError;
  #shown: Shown | undefined;

  /** `args`: with a context that knows no viewer. */
  constructor(args: ValidatedSubscriptionArgs, mask: (thrown: unknown) => GraphQLFormattedError) {
    this.#args = args;
    this.#mask = mask;
  }

  async advance(update: Update, reading: number): Promise<string | undefined> {
    const digest = digestOf(await this.first({ ...update, freshAsOf: 0 }));
    if (this.#shown?.digest === digest) return undefined;
    this.#shown = { digest, at: reading };
    return this.first(update);
  }

  async missed(update: Update, reading: number): Promise<string | undefined> {
    const isNews = update.type === 'SNAPSHOT' || (this.#shown?.at ?? Infinity) > reading;
    return isNews ? this.first(update) : undefined;
  }

  first(update: Update): Promise<string> {
    return executeAsJson(this.#args, objectUpdate(update), this.#mask);
  }
}
