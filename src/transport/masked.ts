import type { ExecutionResult, GraphQLError } from 'graphql';
import { Life } from './fanout/life.ts';

type Mask = (thrown: unknown) => GraphQLError;
type Outcome = ExecutionResult | AsyncIterable<ExecutionResult>;

/** A subscription's outcome with its errors as clients are shown them. */
export function masked(outcome: Outcome, mask: Mask): Outcome {
  if (outcome instanceof Life) return outcome; // brings no results of its own
  return Symbol.asyncIterator in outcome ? maskedStream(outcome, mask) : maskedResult(outcome, mask);
}

function maskedResult(result: ExecutionResult, mask: Mask): ExecutionResult {
  return result.errors === undefined ? result : { ...result, errors: result.errors.map(mask) };
}

function maskedStream(stream: AsyncIterable<ExecutionResult>, mask: Mask): AsyncIterableIterator<ExecutionResult> {
  const iterator = stream[Symbol.asyncIterator]();
  return {
    async next() {
      try {
        const step = await iterator.next();
        return step.done === true ? step : { done: false, value: maskedResult(step.value, mask) };
      } catch (error) {
        throw mask(error);
      }
    },
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
