import DataLoader from 'dataloader';
import type { Clock } from '../clock.ts';
import type { Counters } from '../counters.ts';
import type { AccessAttributes, Caller, Source } from '../sources/source.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { ReviewCache, type ReviewLifetimes } from './review-cache.ts';
import type { Viewer } from './viewer.ts';

interface Question extends AccessAttributes {
  readonly viewer: Viewer;
  readonly agentId: string;
}

/**
 * Asks clusters what viewers may do, each with the viewer's own credentials. However many ask the same thing at the
 * same time, it is asked once; an answer is used for a short while.
 */
export class Reviews {
  readonly #loader: DataLoader<Question, boolean, string>;
  readonly #cache: ReviewCache;

  constructor(source: Source, clock: Clock, lifetimes: ReviewLifetimes, counters: Counters) {
    const ask = ({ viewer, agentId, ...attributes }: Question) =>
      counted(counters, askCluster(source.caller(agentId, viewer.credentials), attributes));
    this.#cache = new ReviewCache(clock, lifetimes);
    this.#loader = new DataLoader(async (questions) => settle(questions.map(ask)), {
      cacheKeyFn: keyOf,
      cacheMap: this.#cache,
      // A review holds one question, so there is nothing to batch; and a batch would be as slow as its slowest
      // question, which may be about an agent that is away.
      batch: false,
    });
  }

  /** Rejects with an UpstreamError when it cannot be found out, which is not a denial. */
  allowed(viewer: Viewer, agentId: string, attributes: AccessAttributes): Promise<boolean> {
    return this.#loader.load({ viewer, agentId, ...attributes });
  }

  /** The answer of some minutes ago, while a new one cannot be had. No reason to let anybody in. */
  lastAnswer(viewer: Viewer, agentId: string, attributes: AccessAttributes): boolean | undefined {
    return this.#cache.lastAnswer(keyOf({ viewer, agentId, ...attributes }));
  }

  /** Milliseconds for which the answer may still be used; 0 when there is none. */
  dueInMs(viewer: Viewer, agentId: string, attributes: AccessAttributes): number {
    return this.#cache.dueInMs(keyOf({ viewer, agentId, ...attributes }));
  }

  /** Milliseconds since the question to the last answer was asked. */
  ageMs(viewer: Viewer, agentId: string, attributes: AccessAttributes): number {
    return this.#cache.ageMs(keyOf({ viewer, agentId, ...attributes }));
  }

  /** Forgets all that was answered by one agent to a viewer whose credentials it does not accept any more. */
  forgetViewer(viewer: Viewer, agentId: string): void {
    const start = JSON.stringify([viewer.id, agentId]);
    this.#cache.deleteAll(`${start.slice(0, -1)},`);
  }

  /** Forgets an answer that has turned out to be wrong. */
  forget(viewer: Viewer, agentId: string, attributes: AccessAttributes): void {
    this.#loader.clear({ viewer, agentId, ...attributes });
  }
}

/** By access review; where the cluster serves none to this viewer, by trying to list one object. */
async function askCluster(caller: Caller, attributes: AccessAttributes): Promise<boolean> {
  try {
    return (await caller.review(attributes)).allowed;
  } catch (error) {
    const isNotServed =
      error instanceof UpstreamError && (error.failure === 'notFound' || error.failure === 'forbidden');
    // Trying to list says nothing about what else may be done.
    const { verb, version, name, subresource } = attributes;
    const isView = (verb === 'list' || verb === 'watch') && name === undefined && subresource === undefined;
    if (!isNotServed || !isView || version === undefined) throw error;
    return caller.mayList(attributes);
  }
}

async function counted(counters: Counters, answer: Promise<boolean>): Promise<boolean> {
  try {
    const allowed = await answer;
    counters.add('reviews', { result: allowed ? 'allowed' : 'denied' });
    return allowed;
  } catch (error) {
    counters.add('reviews', { result: 'failed' });
    throw error;
  }
}

/** One question that cannot be answered must not take the others of its batch with it. */
async function settle(answers: Promise<boolean>[]): Promise<(boolean | Error)[]> {
  const settled = await Promise.allSettled(answers);
  return settled.map((result) => (result.status === 'fulfilled' ? result.value : asError(result.reason)));
}

/** DataLoader takes everything but an Error for an answer, and an answer that is not false lets somebody in. */
function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('An access review failed.', { cause: reason });
}

function keyOf({ viewer, agentId, verb, group, resource, subresource, namespace, name }: Question): string {
  return JSON.stringify([
    viewer.id,
    agentId,
    verb,
    group,
    resource,
    subresource ?? null,
    namespace ?? null,
    name ?? null,
  ]);
}
