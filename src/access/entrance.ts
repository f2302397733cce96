import type { Counters } from '../counters.ts';
import { ApiError } from '../errors.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import type { Attachment, Hub } from '../pubsub/hub.ts';
import { isUnanswered, UpstreamError } from '../sources/upstream-error.ts';
import { forbidden } from './forbidden.ts';
import type { Identities } from './identities.ts';
import type { Journal } from './journal.ts';
import { VIEW, VIEW_IN_WORDS, type Permissions } from './permissions.ts';
import type { Quota } from './quota.ts';
import { ViewerDonor } from './viewer-donor.ts';
import type { Viewer } from './viewer.ts';

export interface EntranceOptions {
  readonly hub: Hub;
  readonly permissions: Permissions;
  readonly identities: Identities;
  readonly quota: Quota;
  readonly journal: Journal;
  readonly counters: Counters;
  /** `identity`: feeds are not shared, because clusters answer each user differently. */
  readonly sharing: 'authorized' | 'identity';
  /** A watch that the viewer lent their credentials to was refused. */
  readonly onRefused: (viewer: Viewer, key: FeedKey, error: UpstreamError) => void;
}

/** The way to what is shared: each one who comes is checked by themselves, also when a hundred wait for one feed. */
export class Entrance {
  readonly #options: EntranceOptions;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /** Whether the viewer may look at the feed. When it cannot be found out, that is written down and thrown. */
  async mayView(viewer: Viewer, wanted: FeedKey): Promise<boolean> {
    const { permissions, identities, journal } = this.#options;
    try {
      const allowed = await permissions.mayView(viewer, wanted);
      identities.learn(viewer, wanted.agentId);
      return allowed;
    } catch (error) {
      journal.denied(viewer, wanted, VIEW, error);
      throw error;
    }
  }

  /**
   * Rejects for those who are not let through to the agent, whatever they may do there. Finding out who somebody is takes
   * credentials that are accepted; a cluster that does not say, or forbids to ask, has let them through as well.
   */
  async admit(viewer: Viewer, agentId: string): Promise<void> {
    const { identities } = this.#options;
    try {
      await identities.of(viewer, agentId);
    } catch (error) {
      if (!(error instanceof UpstreamError)) return;
      if (error.failure === 'forbidden' && error.hop === 'cluster') return;
      // Who was let through before goes on while nobody answers.
      if (isUnanswered(error) && identities.known(viewer, agentId) !== undefined) return;
      throw error;
    }
  }

  async attach(viewer: Viewer, wanted: FeedKey): Promise<Attachment> {
    if (!(await this.mayView(viewer, wanted))) throw await this.#denied(viewer, wanted);
    return this.join(viewer, wanted);
  }

  /** Joins a feed that the viewer has just been allowed to see. */
  async join(viewer: Viewer, wanted: FeedKey): Promise<Attachment> {
    const { hub, quota, journal, sharing } = this.#options;
    const key = sharing === 'identity' ? { ...wanted, identity: viewer.id } : wanted;
    const letGo = await quota.holdFeed(viewer, key);
    try {
      const donor = new ViewerDonor(viewer, (error) => this.#options.onRefused(viewer, key, error));
      const attachment = hub.attach(key, donor);
      journal.attached(viewer, key, VIEW);
      let released = false;
      return {
        feed: attachment.feed,
        catchUp: () => attachment.catchUp(),
        release: () => {
          if (released) return;
          released = true;
          attachment.release();
          letGo();
        },
      };
    } catch (error) {
      letGo();
      this.#countBudget(error);
      throw error;
    }
  }

  /**
   * Rejects when the right was lost since it was checked: for a view that begins after it had to wait. Whoever is let
   * in by this registers the view at once, so that the next denial ends it.
   */
  async confirm(viewer: Viewer, wanted: FeedKey): Promise<void> {
    const allowed = await this.mayView(viewer, wanted);
    if (!allowed || this.#options.permissions.isDenied(viewer, wanted)) throw await this.#denied(viewer, wanted);
  }

  async #denied(viewer: Viewer, key: FeedKey): Promise<ApiError> {
    const user = await this.#options.identities.nameOf(viewer, key.agentId);
    const error = forbidden({ key, verb: VIEW_IN_WORDS, user });
    this.#options.journal.denied(viewer, key, VIEW, error);
    return error;
  }

  #countBudget(error: unknown): void {
    if (!(error instanceof ApiError) || error.code !== 'LIMIT_EXCEEDED') return;
    this.#options.counters.add('limits_hit', { limit: 'AGENT_STREAM_BUDGET' });
  }
}
