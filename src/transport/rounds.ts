import type { Clock, Timer } from '../clock.ts';

/** Into so many parts the time of a round is divided. */
const SLOTS = 20;

/**
 * Visits each member once in `everyMs`, spread over that time, with one timer for all of them: timers and closures of
 * their own are half a kilobyte each, of thousands of sockets that wait for something to happen.
 */
export class Rounds<Member> {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #visit: (member: Member) => void;
  readonly #slots = Array.from({ length: SLOTS }, () => new Set<Member>());
  #entered = 0;
  #ticks = 0;
  #size = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, everyMs: number, visit: (member: Member) => void) {
    this.#clock = clock;
    this.#tickMs = everyMs / SLOTS;
    this.#visit = visit;
  }

  add(member: Member): void {
    this.#slot(this.#entered).add(member);
    this.#entered += 1;
    this.#size += 1;
    this.#timer ??= this.#next();
  }

  delete(member: Member): void {
    if (!this.#slots.some((slot) => slot.delete(member))) return;
    this.#size -= 1;
    if (this.#size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #next(): Timer {
    return this.#clock.after(this.#tickMs, () => {
      for (const member of this.#slot(this.#ticks)) this.#visit(member);
      this.#ticks += 1;
      if (this.#size > 0) this.#timer = this.#next();
    });
  }

  #slot(index: number): Set<Member> {
    const slot = this.#slots[index % SLOTS];
    if (slot === undefined) throw new Error('There is no such slot.');
    return slot;
  }
}
