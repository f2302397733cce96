import type { Clock, Timer } from '../clock.ts';
import { Backoff } from './reflector/backoff.ts';
import { isAgentAway, type UpstreamError } from './upstream-error.ts';

/** New requests to one agent a second, once the burst is used up. */
export const OPENS_PER_SECOND = 20;
export const OPEN_BURST = 20;

/** Leave to try, given by an agent's admission. What is said of it first counts. */
export interface Ticket {
  succeeded(): void;
  failed(error: UpstreamError): void;
  /** Nothing was learned. */
  abandoned(): void;
}

/**
 * Keeps the reflectors of one agent from storming it: when a hundred streams are cut at once they come back
 * one after the other, and while the agent is away one of them at a time knocks, not all.
 */
export class AgentAdmission {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #waiting = new Set<() => void>();
  #tokens = OPEN_BURST;
  #refilledAt: number;
  #isAway = false;
  #isProbing = false;
  #retryAt = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#backoff = new Backoff(clock);
    this.#refilledAt = clock.monotonic();
  }

  /** Milliseconds until the next knock while the agent is away; undefined when it is not. */
  get retryInMs(): number | undefined {
    return this.#isAway ? Math.max(0, this.#retryAt - this.#clock.monotonic()) : undefined;
  }

  /** Resolves when it is this caller's turn; rejects with the signal's reason. */
  open(signal: AbortSignal): Promise<Ticket> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.delete(attempt);
        reject(signal.reason as Error);
      };
      const attempt = () => {
        const ticket = this.#tryTicket();
        if (ticket === undefined) return;
        this.#waiting.delete(attempt);
        signal.removeEventListener('abort', abort);
        resolve(ticket);
      };
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(attempt);
      this.#serve();
    });
  }

  /** Somebody asks to try again now: the next knock is due at once. */
  retryNow(): void {
    this.#retryAt = 0;
    this.#serve();
  }

  #tryTicket(): Ticket | undefined {
    if (this.#isAway && (this.#isProbing || this.#retryAt > this.#clock.monotonic())) return undefined;
    this.#refill();
    if (this.#tokens < 1) return undefined;
    this.#tokens -= 1;
    const isProbe = this.#isAway;
    this.#isProbing = isProbe;
    let isSettled = false;
    const settle = (conclude: () => void) => {
      if (isSettled) return;
      isSettled = true;
      if (isProbe) this.#isProbing = false;
      conclude();
      this.#serve();
    };
    return {
      succeeded: () => settle(() => this.#isBack()),
      failed: (error) => settle(() => this.#noteFailure(error, isProbe)),
      abandoned: () => settle(() => {}),
    };
  }

  #isBack(): void {
    this.#isAway = false;
    this.#backoff.reset();
  }

  #noteFailure(error: UpstreamError, isProbe: boolean): void {
    if (!isAgentAway(error)) {
      // Whatever it is, it came from behind the agent.
      if (isProbe) this.#isBack();
      return;
    }
    if (this.#isAway && !isProbe) return; // a latecomer of the same outage
    this.#isAway = true;
    this.#retryAt = this.#clock.monotonic() + this.#backoff.next(error.retryAfterMs);
  }

  /** Serves those who wait, in order, and wakes up again when the next one can be served. */
  #serve(): void {
    for (const attempt of this.#waiting) attempt();
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.size === 0 || (this.#isAway && this.#isProbing)) return;
    const wait = this.#isAway ? this.#retryAt - this.#clock.monotonic() : 1000 / OPENS_PER_SECOND;
    this.#timer = this.#clock.after(Math.max(1, wait), () => this.#serve());
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(OPEN_BURST, this.#tokens + ((now - this.#refilledAt) * OPENS_PER_SECOND) / 1000);
    this.#refilledAt = now;
  }
}
