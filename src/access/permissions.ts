import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { FeedKey } from '../pubsub/feed.ts';
import type { AccessAttributes, Source } from '../sources/source.ts';
import { isWayBroken } from '../sources/upstream-error.ts';
import type { ReviewLifetimes } from './review-cache.ts';
import { Reviews } from './reviews.ts';
import type { Viewer } from './viewer.ts';
import type { ViewerCalls } from './viewer-calls.ts';

/** The verbs that a view of a collection needs. */
const VIEW_VERBS = ['list', 'watch'] as const;
/** The same in one word, for the audit. */
export const VIEW = VIEW_VERBS.join(',');

/** Whether a viewer may look at a collection: list it and watch it, as the cluster says. */
export class Permissions {
  readonly #reviews: Reviews;
  readonly #calls: ViewerCalls;

  constructor(source: Source, clock: Clock, lifetimes: ReviewLifetimes, calls: ViewerCalls) {
    this.#reviews = new Reviews(source, clock, lifetimes);
    this.#calls = calls;
  }

  /** Rejects when it cannot be found out, which is not a denial. */
  async mayView(viewer: Viewer, key: FeedKey): Promise<boolean> {
    const answers = questions(key).map((question) => this.#reviews.allowed(viewer, key.agentId, question));
    return (await this.#calls.endingIfRefused(viewer, Promise.all(answers))).every(Boolean);
  }

  /** The same for what was let in before: a check that cannot be made is no denial for a while. */
  async mayStillView(viewer: Viewer, key: FeedKey): Promise<boolean> {
    try {
      return await this.mayView(viewer, key);
    } catch (error) {
      const last = questions(key).map((question) => this.#reviews.lastAnswer(viewer, key.agentId, question));
      if (isWayBroken(error) && last.every((allowed) => allowed !== undefined)) return last.every(Boolean);
      throw error;
    }
  }

  /** Milliseconds for which the answer may still be used. */
  dueInMs(viewer: Viewer, key: FeedKey): number {
    return Math.min(...questions(key).map((question) => this.#reviews.dueInMs(viewer, key.agentId, question)));
  }

  /** Forgets an answer that has turned out to be wrong. */
  forget(viewer: Viewer, key: FeedKey): void {
    for (const question of questions(key)) this.#reviews.forget(viewer, key.agentId, question);
  }
}

/** What a viewer is told who may not look: verb, resource, namespace, and who the cluster takes them for. */
export function viewForbidden({ resource, namespace, agentId }: FeedKey, user: string | undefined): ApiError {
  const who = user === undefined ? 'You may not' : `You are "${user}" there, and may not`;
  const everywhere = namespace === undefined ? ' in all namespaces' : ` in namespace "${namespace}"`;
  const where = resource.namespaced ? everywhere : '';
  return new ApiError('FORBIDDEN', `${who} list and watch ${resource.plural}${where} of agent ${agentId}.`, {
    ...(resource.namespaced && namespace === undefined && { remedy: 'Name a namespace that you may see.' }),
  });
}

function questions({ resource, namespace }: FeedKey): AccessAttributes[] {
  const { group, version, plural } = resource;
  return VIEW_VERBS.map((verb) => ({ verb, group, version, resource: plural, namespace }));
}
