import type { ExecutionResult } from 'graphql';

export type LiveResults = AsyncGenerator<ExecutionResult, undefined, undefined>;

/**
 * Stands between a live operation and the transport that carries it. Whatever is underneath:
 * - `return()` settles the pending `next()` at once, and passes on, once, without waiting for an answer;
 * - after an end nothing follows;
 * - a failure ends it, and releases what is underneath.
 *
 * graphql's own iterators wait for a source that may be waiting for an event that never comes.
 */
export function liveResults(source: AsyncIterable<ExecutionResult>, onEnd: () => void = () => undefined): LiveResults {
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  let endPending: (() => void) | undefined;

  function end(): void {
    if (ended) return;
    ended = true;
    endPending?.();
    iterator.return?.().catch(() => undefined);
    onEnd();
  }

  async function next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (ended) return DONE;
    const endedMeanwhile = new Promise<typeof DONE>((resolve) => (endPending = () => resolve(DONE)));
    try {
      const step = await Promise.race([iterator.next(), endedMeanwhile]);
      if (!step.done && !ended) return step;
    } catch (error) {
      if (!ended) throw error;
    } finally {
      endPending = undefined;
    }
    return DONE;
  }

  return {
    async next() {
      try {
        const step = await next();
        if (step.done) end();
        return step;
      } catch (error) {
        end();
        throw error;
      }
    },
    async return() {
      end();
      return DONE;
    },
    async throw(error) {
      end();
      throw error;
    },
    async [Symbol.asyncDispose]() {
      end();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const DONE = { done: true, value: undefined } as const;
