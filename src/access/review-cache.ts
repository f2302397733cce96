import type { CacheMap } from 'dataloader';
import type { Clock } from '../clock.ts';

export interface ReviewLifetimes {
  /** How long a permission may be relied on, in milliseconds. */
  readonly allowMs: number;
  /** How long a denial is not asked about again. */
  readonly denyMs: number;
}

/** Permissions are spread over ± this share of their lifetime, so that they do not all run out together. */
const SPREAD = 0.2;
/** How long access goes on while the check cannot be made, in milliseconds. */
export const GRACE_MS = 5 * 60_000;
/** Answers remembered at most; the oldest go first. */
export const MAX_REVIEWS = 50_000;

interface Answer {
  readonly promise: Promise<boolean>;
  /** Monotonic milliseconds of the question: what the cluster said may be out of date from then on. */
  readonly askedAt: number;
  /** Monotonic milliseconds; undefined while the answer is awaited. */
  expiresAt: number | undefined;
}

/** Remembers the answers of access reviews for as long as they may be used. A review that failed is no answer. */
export class ReviewCache implements CacheMap<string, Promise<boolean>> {
  readonly #clock: Clock;
  readonly #lifetimes: ReviewLifetimes;
  readonly #answers = new Map<string, Answer>();
  /** The last answer to each question, also when it may not be relied on any more. */
  readonly #last = new Map<string, { readonly allowed: boolean; readonly at: number }>();

  constructor(clock: Clock, lifetimes: ReviewLifetimes) {
    this.#clock = clock;
    this.#lifetimes = lifetimes;
  }

  get(key: string): Promise<boolean> | undefined {
    const answer = this.#answers.get(key);
    if (answer?.expiresAt === undefined || answer.expiresAt > this.#clock.monotonic()) return answer?.promise;
    this.#answers.delete(key);
    return undefined;
  }

  set(key: string, promise: Promise<boolean>): void {
    const answer: Answer = { promise, askedAt: this.#clock.monotonic(), expiresAt: undefined };
    put(this.#answers, key, answer);
    void this.#settle(key, answer);
  }

  delete(key: string): void {
    this.#answers.delete(key);
    this.#last.delete(key);
  }

  clear(): void {
    this.#answers.clear();
    this.#last.clear();
  }

  /** Forgets everything whose key begins so. */
  deleteAll(prefix: string): void {
    for (const key of this.#answers.keys()) if (key.startsWith(prefix)) this.#answers.delete(key);
    for (const key of this.#last.keys()) if (key.startsWith(prefix)) this.#last.delete(key);
  }

  /** Milliseconds since the question to the last answer was asked; 0 when there is none. */
  ageMs(key: string): number {
    const last = this.#last.get(key);
    return last === undefined ? 0 : this.#clock.monotonic() - last.at;
  }

  /** Milliseconds for which an answer may still be used. */
  dueInMs(key: string): number {
    const expiresAt = this.#answers.get(key)?.expiresAt;
    return expiresAt === undefined ? 0 : Math.max(0, expiresAt - this.#clock.monotonic());
  }

  /** The answer of a while ago; for what may go on for some time when nobody can be asked. */
  lastAnswer(key: string): boolean | undefined {
    const last = this.#last.get(key);
    return last !== undefined && this.#clock.monotonic() - last.at < GRACE_MS ? last.allowed : undefined;
  }

  async #settle(key: string, answer: Answer): Promise<void> {
    try {
      const allowed = await answer.promise;
      answer.expiresAt = answer.askedAt + this.#lifetime(allowed);
      // Forgotten in the meantime: it stays forgotten.
      if (this.#answers.get(key) === answer) put(this.#last, key, { allowed, at: answer.askedAt });
    } catch {
      // A review that failed is no answer; whoever waits for it is told by the promise itself.
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
    }
  }

  #lifetime(allowed: boolean): number {
    if (!allowed) return this.#lifetimes.denyMs;
    return this.#lifetimes.allowMs * (1 - SPREAD + 2 * SPREAD * this.#clock.random());
  }
}

/** Adds as the newest, and drops the oldest when there are too many. */
function put<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_REVIEWS) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
