import type { Clock, Timer } from '../clock.ts';
import type { Donor, Donors } from '../sources/source.ts';
import type { UpstreamError } from '../sources/upstream-error.ts';

/** How long a stream may go on with the credentials of somebody who has left, in milliseconds. */
export const DEPARTED_MS = 60_000;

/**
 * Those who look at a feed and may therefore lend it their credentials. The current one stays in use for as long
 * as possible, since changing costs a new stream: for a minute even after they have left, so that people who come
 * and go, and queries that last for milliseconds, do not make the stream change hands each time.
 */
export class DonorPool implements Donors {
  readonly #donors = new Set<Donor>();
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #current: Donor | undefined;
  #departed: Timer | undefined;

  /** `onChange` is called when another donor should take over from the current one, or from none. */
  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  add(donor: Donor): void {
    this.#donors.add(donor);
    if (this.#current === undefined && this.#donors.size === 1) this.#onChange();
  }

  remove(donor: Donor): void {
    this.#donors.delete(donor);
    if (donor !== this.#current) return;
    this.#departed?.cancel();
    this.#departed = this.#clock.after(DEPARTED_MS, () => this.#dismiss());
  }

  refused(donor: Donor, error: UpstreamError): void {
    this.#donors.delete(donor);
    if (donor === this.#current) this.#choose(undefined);
    donor.refused(error);
  }

  current(): Donor | undefined {
    const isHere = this.#current !== undefined && this.#donors.has(this.#current);
    if (!isHere && this.#donors.size > 0) this.#choose(this.#donors.values().next().value);
    return this.#current;
  }

  close(): void {
    this.#donors.clear();
    this.#choose(undefined);
  }

  #dismiss(): void {
    this.#choose(undefined);
    if (this.#donors.size > 0) this.#onChange();
  }

  #choose(donor: Donor | undefined): void {
    this.#departed?.cancel();
    this.#departed = undefined;
    this.#current = donor;
  }
}
