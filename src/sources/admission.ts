import type { Clock, Timer } from '../clock.ts';
import { Backoff } from './reflector/backoff.ts';
import { isAgentAway, type UpstreamError } from './upstream-error.ts';

/** New requests to one agent a second, once the burst is used up. */
export const OPENS_PER_SECOND = 20;
export const OPEN_BURST = 20;
/** How long a knock at an agent that is away may go unanswered before another one is tried. */
export const KNOCK_MS = 15_000;

/** Leave to try, given by an agent's admission. What is said of it first counts. */
export interface Ticket {
  succeeded(): void;
  failed(error: UpstreamError): void;
  /** Nothing was learned. */
  abandoned(): void;
}

interface Waiting {
  readonly attempt: () => void;
  /** Told how long it will take, now and whenever that changes. */
  readonly onDelay: ((retryInMs: number) => void) | undefined;
}

/**
 * Keeps the reflectors of one agent from storming it: when a hundred streams are cut at once they come back
 * one after the other, and while the agent is away one of them at a time knocks, not all.
 */
export class AgentAdmission {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #waiting = new Set<Waiting>();
  #tokens = OPEN_BURST;
  #refilledAt: number;
  #isAway = false;
  /** When somebody may knock while the agent is away, and when at the earliest if somebody asks for it. */
  #retryAt = 0;
  #notBefore = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#backoff = new Backoff(clock);
    this.#refilledAt = clock.monotonic();
  }

  /**
   * Resolves when it is this caller's turn; rejects with the signal's reason. `onDelay` is told how many milliseconds
   * it is until the next knock, now and whenever that changes, if the agent is away.
   */
  open(signal: AbortSignal, onDelay?: (retryInMs: number) => void): Promise<Ticket> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const abort = () => {
        this.#waiting.delete(waiting);
        this.#schedule();
        reject(signal.reason as Error);
      };
      const attempt = () => {
        const ticket = this.#tryTicket();
        if (ticket === undefined) return;
        this.#waiting.delete(waiting);
        signal.removeEventListener('abort', abort);
        resolve(ticket);
      };
      const waiting: Waiting = { attempt, onDelay };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiting);
      this.#serve();
      if (this.#waiting.has(waiting)) this.#tellDelay(waiting);
    });
  }

  /** Somebody asks to try again now: the next knock is due at once, unless the server has asked for patience. */
  retryNow(): void {
    this.#retryAt = Math.min(this.#retryAt, this.#notBefore);
    this.#serve();
  }

  #tryTicket(): Ticket | undefined {
    if (this.#isAway && this.#retryAt > this.#clock.monotonic()) return undefined;
    this.#refill();
    if (this.#tokens < 1) return undefined;
    this.#tokens -= 1;
    const isKnock = this.#isAway;
    if (isKnock) this.#retryAt = this.#clock.monotonic() + KNOCK_MS;
    let isSettled = false;
    const settle = (conclude: () => void) => {
      if (isSettled) return;
      isSettled = true;
      conclude();
      this.#serve();
    };
    return {
      succeeded: () => settle(() => this.#isBack()),
      failed: (error) => settle(() => this.#noteFailure(error, isKnock)),
      abandoned: () => settle(() => isKnock && this.#handOn()),
    };
  }

  /** Whoever knocked has lost interest before there was an answer: the next one may. */
  #handOn(): void {
    this.#retryAt = this.#clock.monotonic();
  }

  #isBack(): void {
    this.#isAway = false;
    this.#backoff.reset();
  }

  #noteFailure(error: UpstreamError, isKnock: boolean): void {
    if (!isAgentAway(error)) {
      // Whatever it is, it came from behind the agent.
      if (isKnock) this.#isBack();
      return;
    }
    if (this.#isAway && !isKnock) return; // a latecomer of the same outage
    this.#isAway = true;
    const now = this.#clock.monotonic();
    this.#notBefore = now + (error.retryAfterMs ?? 0);
    this.#retryAt = now + this.#backoff.next(error.retryAfterMs);
    for (const waiting of this.#waiting) this.#tellDelay(waiting);
  }

  #tellDelay({ onDelay }: Waiting): void {
    if (this.#isAway) onDelay?.(Math.max(0, this.#retryAt - this.#clock.monotonic()));
  }

  /** Serves those who wait, in order. */
  #serve(): void {
    for (const { attempt } of this.#waiting) attempt();
    this.#schedule();
  }

  /** Wakes up again when the next one can be served. */
  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    const untilKnock = this.#isAway ? this.#retryAt - this.#clock.monotonic() : 0;
    const untilToken = (1 - this.#tokens) * (1000 / OPENS_PER_SECOND);
    this.#timer = this.#clock.after(Math.max(1, untilKnock, untilToken), () => this.#serve());
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(OPEN_BURST, this.#tokens + ((now - this.#refilledAt) * OPENS_PER_SECOND) / 1000);
    this.#refilledAt = now;
  }
}
