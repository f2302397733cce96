import type { Clock, Timer } from '../clock.ts';
import type { Donor, Donors } from '../sources/source.ts';
import type { UpstreamError } from '../sources/upstream-error.ts';

/** How long a stream may go on with the credentials of somebody who has left, in milliseconds. */
export const DEPARTED_MS = 60_000;
/** How long after its refusal the standing donor is tried again, in milliseconds. */
export const STANDING_RETRY_MS = 5 * 60_000;

export interface DonorPoolOptions {
  /** Asked at each opening for somebody who is no viewer and comes before all of them. */
  readonly standing?: (() => Donor | undefined) | undefined;
  /** Called when nobody is left whose credentials may be used, nor were lately. */
  readonly onDeserted?: () => void;
}

/**
 * Those who look at a feed and may therefore lend it their credentials. The current one stays in use for as long
 * as possible, since changing costs a new stream: for a minute even after they have left, so that people who come
 * and go, and queries that last for milliseconds, do not make the stream change hands each time.
 */
export class DonorPool implements Donors {
  readonly #donors = new Set<Donor>();
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #options: DonorPoolOptions;
  #current: Donor | undefined;
  /** The current one is the standing donor. */
  #isStanding = false;
  /** All that the standing donor has been: a token that was renewed makes it another. */
  readonly #everStanding = new WeakSet<Donor>();
  #departed: Timer | undefined;
  /** Set for a while after the standing donor was refused. */
  #standingRefused: Timer | undefined;

  /** `onChange` is called when another donor should take over from the current one, or from none. */
  constructor(clock: Clock, onChange: () => void, options: DonorPoolOptions = {}) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#options = options;
  }

  /** There should be a standing donor, and viewers lend their credentials in its place. */
  get isSubstituted(): boolean {
    return this.#options.standing !== undefined && this.#current !== undefined && !this.#isStanding;
  }

  /** Somebody is here, or the standing donor is: who has left since may lend to what is open, and open nothing. */
  get isAttended(): boolean {
    const standing = this.#standingRefused === undefined ? this.#options.standing?.() : undefined;
    return standing !== undefined || this.#donors.size > 0;
  }

  add(donor: Donor): void {
    this.#donors.add(donor);
    if (this.#current === undefined && this.#donors.size === 1) this.#onChange();
  }

  remove(donor: Donor): void {
    this.#donors.delete(donor);
    if (donor !== this.#current) return;
    this.#departed?.cancel();
    this.#departed = this.#clock.after(DEPARTED_MS, () => this.#replace());
  }

  refused(donor: Donor, error: UpstreamError): void {
    this.#donors.delete(donor);
    const wasStanding = this.#everStanding.has(donor);
    if (wasStanding) this.#pauseStanding();
    if (donor === this.#current || (wasStanding && this.#isStanding)) this.#choose(undefined);
    donor.refused(error);
  }

  /** Takes out those whose credentials must not be used any more, whether they are still here or have just left. */
  dismiss(isMeant: (donor: Donor) => boolean): void {
    for (const donor of this.#donors) if (isMeant(donor)) this.#donors.delete(donor);
    if (this.#current !== undefined && isMeant(this.#current)) this.#replace();
  }

  current(): Donor | undefined {
    const standing = this.#standingRefused === undefined ? this.#options.standing?.() : undefined;
    if (standing !== undefined) {
      this.#everStanding.add(standing);
      this.#choose(standing, true);
      return standing;
    }
    if (this.#isStanding) this.#choose(undefined);
    const isHere = this.#current !== undefined && this.#donors.has(this.#current);
    if (!isHere && this.#donors.size > 0) this.#choose(this.#donors.values().next().value);
    return this.#current;
  }

  close(): void {
    this.#donors.clear();
    this.#standingRefused?.cancel();
    this.#choose(undefined);
  }

  #replace(): void {
    this.#choose(undefined);
    if (this.#donors.size > 0) this.#onChange();
    else this.#options.onDeserted?.();
  }

  #pauseStanding(): void {
    this.#standingRefused?.cancel();
    this.#standingRefused = this.#clock.after(STANDING_RETRY_MS, () => {
      this.#standingRefused = undefined;
      this.#onChange();
    });
  }

  #choose(donor: Donor | undefined, isStanding = false): void {
    this.#departed?.cancel();
    this.#departed = undefined;
    this.#current = donor;
    this.#isStanding = isStanding;
  }
}
