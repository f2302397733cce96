import type { Clock, Timer } from '../clock.ts';
import type { ApiError } from '../errors.ts';
import { Latest } from '../pubsub/latest.ts';
import type { Connection } from './connection.ts';

/** How soon it is looked again at what could not be looked at, in milliseconds. */
export const LOOK_AGAIN_MS = 10_000;

export interface ConnectionStreamOptions {
  readonly look: () => Promise<Connection>;
  /** Calls back when something may have changed, and returns how to stop. */
  readonly listen: (listener: () => void) => () => void;
  readonly clock: Clock;
}

/**
 * A scope's connection, live. Changes that come while the last one is being looked at are looked at together, and
 * what a viewer would not notice is not sent.
 */
export class ConnectionStream {
  readonly updates: Latest<Connection>;
  readonly #look: () => Promise<Connection>;
  readonly #clock: Clock;
  #sent: string;
  #looking = false;
  #again = false;
  #lookingAgain: Timer | undefined;
  #isOver = false;

  constructor(first: Connection, { look, listen, clock }: ConnectionStreamOptions, release: () => void) {
    this.#look = look;
    this.#clock = clock;
    this.#sent = essence(first);
    const stop = listen(() => void this.#changed());
    this.updates = new Latest(() => {
      this.#isOver = true;
      this.#lookingAgain?.cancel();
      stop();
      release();
    });
    this.updates.offer(first);
    void this.#changed(); // what changed after the first look and before the listening
  }

  async #changed(): Promise<void> {
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#again) {
        this.#again = false;
        this.#offer(await this.#look());
      }
    } catch (error) {
      this.updates.fail(error as ApiError);
    } finally {
      this.#looking = false;
    }
  }

  #offer(connection: Connection): void {
    if (connection.isUnseen === true) this.#lookAgain();
    const now = essence(connection);
    if (now === this.#sent) return;
    this.#sent = now;
    this.updates.offer(connection);
  }

  #lookAgain(): void {
    if (this.#isOver) return;
    this.#lookingAgain?.cancel();
    const delay = LOOK_AGAIN_MS * (0.8 + 0.4 * this.#clock.random());
    this.#lookingAgain = this.#clock.after(delay, () => void this.#changed());
  }
}

/** What makes a difference to a viewer; freshness alone grows all the time and is read along with the rest. */
function essence({ status, reason, resources }: Connection): string {
  const watches = resources.map(({ resource, status: watch }) => ({ resource, ...watch, freshAsOf: undefined }));
  return JSON.stringify({ status, reason, watches });
}
