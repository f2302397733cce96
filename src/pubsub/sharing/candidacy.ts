import type { Clock } from '../../clock.ts';
import type { Wiring } from '../broker.ts';

/** How long a replica whose viewers were all refused leaves the lead to others, in milliseconds. */
const REFUSED_MS = 60_000;
/** How long a replica that found no stream left waits before it tries again, in milliseconds. */
const DECLINED_MS = 10_000;

/** Whether this replica would lead a feed, if it could. */
export class Candidacy {
  readonly #clock: Clock;
  readonly #wiring: Wiring;
  #notBefore = 0;
  #isWithdrawn = false;

  constructor(clock: Clock, wiring: Wiring) {
    this.#clock = clock;
    this.#wiring = wiring;
  }

  get stands(): boolean {
    return !this.#isWithdrawn && this.#clock.monotonic() >= this.#notBefore && this.#wiring.hasDonor();
  }

  /** Others may have viewers who may watch, or a stream to spare: it is theirs for a while. */
  pause(why: 'refused' | 'declined'): void {
    this.#notBefore = this.#clock.monotonic() + (why === 'refused' ? REFUSED_MS : DECLINED_MS);
  }

  /** Somebody else is here whose credentials may be used. */
  resume(): void {
    this.#notBefore = 0;
  }

  /** For good. */
  withdraw(): void {
    this.#isWithdrawn = true;
  }

  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }
}
