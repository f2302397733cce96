import type { ExecutionResult } from 'graphql';
import { hasFailed } from '../../pubsub/failing.ts';

/**
 * Results of a live source, without those that its failure has overtaken: a message may take its time to be executed,
 * and when its viewer loses the right in the meantime, the next thing they are sent is that.
 */
export function withoutLateResults(
  source: object,
  results: AsyncIterable<ExecutionResult>,
): AsyncIterableIterator<ExecutionResult> {
  const iterator = results[Symbol.asyncIterator]();
  return {
    async next() {
      const step = await iterator.next();
      return step.done !== true && hasFailed(source) ? iterator.next() : step;
    },
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
