import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import { record, text, type JsonRecord } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { MutationVerb } from '../metric-catalogue.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import type { ActionCalls } from '../sources/actions.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { forbidden } from './forbidden.ts';
import type { Identities } from './identities.ts';
import type { Viewer } from './viewer.ts';
import type { ViewerCalls } from './viewer-calls.ts';

export interface ActionsOptions {
  readonly calls: ViewerCalls;
  readonly identities: Identities;
  readonly clock: Clock;
}

export interface ActionTarget {
  readonly viewer: Viewer;
  readonly key: FeedKey;
  readonly name: string;
  /** Only if it is still this object. */
  readonly uid?: string | undefined;
}

/**
 * What an action has to work with: calls with the caller's own credentials, each told by the right it needs when that
 * is missing. The action as a whole is one entry of the audit, whatever becomes of it.
 */
export class Actions {
  readonly #calls: ViewerCalls;
  readonly #identities: Identities;
  readonly clock: Clock;

  constructor({ calls, identities, clock }: ActionsOptions) {
    this.#calls = calls;
    this.#identities = identities;
    this.clock = clock;
  }

  /** Does something to an object; audited under `verb`. */
  act<T>(target: ActionTarget, verb: MutationVerb, action: (calls: ActionCalls) => Promise<T>): Promise<T> {
    const { viewer, key, name } = target;
    return this.#calls.mutate(viewer, key, name, verb, ({ actions }) => action(actions));
  }

  /** Reads something that no shared watch carries. */
  look<T>({ viewer, key, name }: ActionTarget, call: (calls: ActionCalls) => Promise<T>): Promise<T> {
    return this.#calls.read(viewer, key, name, ({ actions }) => call(actions));
  }

  /**
   * What came of an action, by the caller's own right to get it: the shared watch may be a moment behind. Undefined when
   * it cannot be had, which is no reason to call the action failed.
   */
  async outcome({ viewer, key, name }: ActionTarget): Promise<KubernetesObject | undefined> {
    try {
      return await this.#calls.read(viewer, key, name, (caller) => caller.get(key, name));
    } catch (error) {
      if (error instanceof ApiError) return undefined;
      throw error;
    }
  }

  /** A call that needs a right of its own: FORBIDDEN names that, not the action it is part of. */
  async needing<T>({ viewer, key, name }: ActionTarget, verb: string, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.failure !== 'forbidden') throw error;
      const user = await this.#identities.nameOf(viewer, key.agentId);
      throw forbidden({ key, verb, name, user, upstream: error.upstream, cause: error });
    }
  }

  /** Who the cluster takes the viewer for; undefined where it does not say. */
  userOf({ viewer, key }: ActionTarget): Promise<string | undefined> {
    return this.#identities.nameOf(viewer, key.agentId);
  }

  /** The object as it is, if it is still the one that is meant. Throws CONFLICT when it is not. */
  async current(target: ActionTarget, calls: ActionCalls): Promise<JsonRecord> {
    const object = await this.needing(target, 'get', calls.getWhole(target.key, target.name));
    checkUid(target, text(record(object['metadata'])['uid']));
    return object;
  }
}

export function checkUid({ key, name, uid }: ActionTarget, found: string): void {
  if (uid === undefined || uid === found) return;
  throw new ApiError('CONFLICT', `${key.resource.kind} "${name}" is another object than the one that was meant.`, {
    retryable: false,
    remedy: 'It was deleted and created anew: look at it again.',
  });
}
