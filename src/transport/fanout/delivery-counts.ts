import type { Counters, Series } from '../../counters.ts';
import { countResume, countResync } from '../../pubsub/count-updates.ts';
import type { Update } from '../../pubsub/updates.ts';
import type { Outlet } from './outlet.ts';

/** Counts what is delivered together: one call a frame, however many get it. */
export class DeliveryCounts {
  readonly #counters: Counters;
  readonly #written: Readonly<Record<Outlet['transport'], Series>>;

  constructor(counters: Counters) {
    this.#counters = counters;
    this.#written = {
      websocket: counters.series('deliveries', { transport: 'websocket', mode: 'shared' }),
      sse: counters.series('deliveries', { transport: 'sse', mode: 'shared' }),
    };
  }

  /** A frame was written to so many in all, and so many of them are event streams. */
  written(all: number, eventStreams: number): void {
    this.#written.websocket.value += all - eventStreams;
    this.#written.sse.value += eventStreams;
  }

  /** So many came with one cursor, and this was the answer to it. */
  resumed(update: Update, members: number): void {
    countResume(this.#counters, update, members);
  }

  /** So many got this message in place of changes, if it is a snapshot. */
  resynced(update: Update, members: number): void {
    countResync(this.#counters, update, members);
  }

  /** So many got one message in place of several. */
  coalesced(members: number): void {
    this.#counters.add('updates_coalesced', {}, members);
  }

  /** A change took so long, in milliseconds, from its arrival to the last write. */
  aged(milliseconds: number): void {
    this.#counters.observe('frame_age_seconds', milliseconds / 1_000);
  }
}
