import type { ApiError } from '../errors.ts';
import { Latest } from '../pubsub/latest.ts';
import type { Connection } from './connection.ts';

/**
 * A scope's connection, live. Changes that come while the last one is being looked at are looked at together, and
 * what a viewer would not notice is not sent.
 */
export class ConnectionStream {
  readonly updates: Latest<Connection>;
  readonly #look: () => Promise<Connection>;
  #sent: string;
  #looking = false;
  #again = false;

  /** `listen` calls back when something may have changed and returns how to stop; `look` finds out what. */
  constructor(
    first: Connection,
    look: () => Promise<Connection>,
    listen: (listener: () => void) => () => void,
    release: () => void,
  ) {
    this.#look = look;
    this.#sent = essence(first);
    const stop = listen(() => void this.#changed());
    this.updates = new Latest(() => {
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
    const now = essence(connection);
    if (now === this.#sent) return;
    this.#sent = now;
    this.updates.offer(connection);
  }
}

/** What makes a difference to a viewer; freshness alone grows all the time and is read along with the rest. */
function essence({ status, reason, resources }: Connection): string {
  const watches = resources.map(({ resource, status: watch }) => ({ resource, ...watch, freshAsOf: undefined }));
  return JSON.stringify({ status, reason, watches });
}
