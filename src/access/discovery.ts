import type { Clock } from '../clock.ts';
import type { ApiGroup, ApiResource } from '../kubernetes/discovery.ts';
import type { Caller } from '../sources/source.ts';
import { isRefusal, UpstreamError } from '../sources/upstream-error.ts';
import type { Viewer } from './viewer.ts';

/** How long it is known what a cluster serves, in milliseconds. */
export const KNOWN_MS = 5 * 60_000;
/** How long a version of a group is known to be missing: it may be being installed. */
export const MISSING_MS = 30_000;
/** Answers remembered at most; the oldest go first. */
const MAX_ANSWERS = 2_000;

export interface DiscoveryOptions {
  readonly clock: Clock;
  /** Asks a cluster with the viewer's own credentials. */
  readonly ask: <T>(viewer: Viewer, agentId: string, call: (caller: Caller) => Promise<T>) => Promise<T>;
}

interface Answer {
  /** Whose credentials it was asked with. */
  readonly asker: string;
  readonly promise: Promise<unknown>;
  /** Monotonic milliseconds; undefined while the answer is awaited. */
  expiresAt: number | undefined;
}

/**
 * What clusters serve. It is the same for everybody and no secret, so one answer does for all who have been let
 * through to the agent; it is asked with the credentials of whoever needs it first.
 */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #answers = new Map<string, Answer>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  groups(viewer: Viewer, agentId: string): Promise<readonly ApiGroup[]> {
    return this.#remember(
      viewer,
      JSON.stringify([agentId]),
      () => this.#options.ask(viewer, agentId, (caller) => caller.apiGroups()),
      () => KNOWN_MS,
    );
  }

  /** Undefined when the group is not served. */
  async group(viewer: Viewer, agentId: string, name: string): Promise<ApiGroup | undefined> {
    return (await this.groups(viewer, agentId)).find((group) => group.name === name);
  }

  /** Undefined when this version of the group is not served. */
  resources(
    viewer: Viewer,
    agentId: string,
    group: string,
    version: string,
  ): Promise<readonly ApiResource[] | undefined> {
    return this.#remember(
      viewer,
      JSON.stringify([agentId, group, version]),
      () => this.#resources(viewer, agentId, group, version),
      (resources) => (resources === undefined ? MISSING_MS : KNOWN_MS),
    );
  }

  async #resources(viewer: Viewer, agentId: string, group: string, version: string) {
    try {
      return await this.#options.ask(viewer, agentId, (caller) => caller.apiResources(group, version));
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'notFound') return undefined;
      throw error;
    }
  }

  /** However many ask at the same time, it is asked once, unless the one who asks is refused. A failure is no answer. */
  async #remember<T>(viewer: Viewer, key: string, ask: () => Promise<T>, lifetime: (value: T) => number): Promise<T> {
    for (;;) {
      const known = this.#known(key);
      if (known === undefined) return this.#ask(viewer, key, ask, lifetime);
      try {
        return (await known.promise) as T;
      } catch (error) {
        // A refusal is about the credentials it was asked with. Others find out for themselves.
        const isTheirs = error instanceof UpstreamError && isRefusal(error) && known.asker !== viewer.id;
        if (!isTheirs) throw error;
        if (this.#answers.get(key) === known) this.#answers.delete(key);
      }
    }
  }

  #known(key: string): Answer | undefined {
    const known = this.#answers.get(key);
    const isOver = known?.expiresAt !== undefined && known.expiresAt <= this.#options.clock.monotonic();
    return isOver ? undefined : known;
  }

  async #ask<T>(viewer: Viewer, key: string, ask: () => Promise<T>, lifetime: (value: T) => number): Promise<T> {
    const { clock } = this.#options;
    const promise = ask();
    const answer: Answer = { asker: viewer.id, promise, expiresAt: undefined };
    this.#put(key, answer);
    try {
      const value = await promise;
      answer.expiresAt = clock.monotonic() + lifetime(value);
      return value;
    } catch (error) {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
      throw error;
    }
  }

  #put(key: string, answer: Answer): void {
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > MAX_ANSWERS && oldest !== undefined) this.#answers.delete(oldest);
  }
}
