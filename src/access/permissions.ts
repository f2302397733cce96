import type { Clock } from '../clock.ts';
import type { Counters } from '../counters.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import type { AccessAttributes, Source } from '../sources/source.ts';
import { isUnanswered } from '../sources/upstream-error.ts';
import { logQuestion } from './log-scope.ts';
import type { ReviewLifetimes } from './review-cache.ts';
import { Reviews } from './reviews.ts';
import type { Viewer } from './viewer.ts';
import type { ViewerCalls } from './viewer-calls.ts';

/** The verbs that a view of a collection needs. */
const VIEW_VERBS = ['list', 'watch'] as const;
/** The same in one word for the audit, and in words for people. */
export const VIEW = VIEW_VERBS.join(',');
export const VIEW_IN_WORDS = VIEW_VERBS.join(' and ');

export interface PermissionsOptions {
  readonly source: Source;
  readonly clock: Clock;
  readonly reviews: ReviewLifetimes;
  readonly counters: Counters;
}

/** Whether a viewer may look at a collection: list it and watch it, as the cluster says. */
export class Permissions {
  readonly #reviews: Reviews;
  readonly #calls: ViewerCalls;

  constructor({ source, clock, reviews, counters }: PermissionsOptions, calls: ViewerCalls) {
    this.#reviews = new Reviews(source, clock, reviews, counters);
    this.#calls = calls;
  }

  /** Rejects when it cannot be found out, which is not a denial. */
  async mayView(viewer: Viewer, key: FeedKey): Promise<boolean> {
    const answers = questions(key).map((question) => this.#reviews.allowed(viewer, key.agentId, question));
    return (await this.#calls.endingIfRefused(viewer, key.agentId, Promise.all(answers))).every(Boolean);
  }

  /** Whether a denial is known at this moment, also one that has come since `mayView` resolved. */
  isDenied(viewer: Viewer, key: FeedKey): boolean {
    return questions(key).some((question) => this.#reviews.lastAnswer(viewer, key.agentId, question) === false);
  }

  /** Whether the viewer may do any one thing. Rejects when it cannot be found out. */
  may(viewer: Viewer, agentId: string, attributes: AccessAttributes): Promise<boolean> {
    return this.#calls.endingIfRefused(viewer, agentId, this.#reviews.allowed(viewer, agentId, attributes));
  }

  /** The same for what was let in before: a check that cannot be made is no denial for a while. */
  async mayStillView(viewer: Viewer, key: FeedKey): Promise<boolean> {
    try {
      return await this.mayView(viewer, key);
    } catch (error) {
      const last = questions(key).map((question) => this.#reviews.lastAnswer(viewer, key.agentId, question));
      if (isUnanswered(error) && last.every((allowed) => allowed !== undefined)) return last.every(Boolean);
      throw error;
    }
  }

  /** Milliseconds for which the answer may still be used. */
  dueInMs(viewer: Viewer, key: FeedKey): number {
    return Math.min(...questions(key).map((question) => this.#reviews.dueInMs(viewer, key.agentId, question)));
  }

  /** Milliseconds since the older of the answers was asked for. */
  ageMs(viewer: Viewer, key: FeedKey): number {
    return Math.max(...questions(key).map((question) => this.#reviews.ageMs(viewer, key.agentId, question)));
  }

  /** Forgets all that was answered by one agent to a viewer whose credentials it does not accept any more. */
  forgetViewer(viewer: Viewer, agentId: string): void {
    this.#reviews.forgetViewer(viewer, agentId);
  }

  /** Forgets an answer that has turned out to be wrong. */
  forget(viewer: Viewer, key: FeedKey): void {
    for (const question of questions(key)) this.#reviews.forget(viewer, key.agentId, question);
  }
}

function questions(key: FeedKey): AccessAttributes[] {
  const ofLog = logQuestion(key);
  if (ofLog !== undefined) return [ofLog];
  const { resource, namespace } = key;
  const { group, version, plural } = resource;
  return VIEW_VERBS.map((verb) => ({ verb, group, version, resource: plural, namespace }));
}
