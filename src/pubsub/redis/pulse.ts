import { Cluster } from 'ioredis';
import type { Clock } from '../../clock.ts';
import { COMMAND_MS, type Client } from './clients.ts';
import { probeKey } from './keys.ts';
import { slotOf } from './slots.ts';

/** So many failures in a row, and it is gone. */
const FAILURES = 2;
/** So many successes in a row after it has refused: what is let go when it is full makes room for a moment only. */
const SUCCESSES = 10;
/** How many keys are looked through for one on each shard of a cluster. */
const MAX_KEYS = 10_000;

/**
 * Whether Redis takes what is written. One that is full, has lost its replicas or is a replica itself answers a PING all
 * the same, so it is asked to write: what is only written where it is there already, and never is. Nothing changes by
 * that, and whatever keeps Redis from writing keeps it from this, too.
 */
export class Pulse {
  readonly #client: Client;
  readonly #clock: Clock;
  #failures = 0;
  #successes = 0;
  /** The word with which it refused when it was given up. */
  #refusal: string | undefined;
  #isThere = false;

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  /** Why it is not there. */
  get trouble(): string {
    return this.#refusal === undefined ? 'Redis does not answer.' : `Redis takes no writes (${this.#refusal}).`;
  }

  async take(): Promise<void> {
    const sentAt = this.#clock.monotonic();
    try {
      await Promise.all(keysFor(this.#client).map((key) => this.#client.set(key, '', 'PX', 1, 'XX')));
      this.#succeeded();
    } catch (error) {
      // A timeout that comes far too late says that it was this process that stood still.
      if (this.#clock.monotonic() - sentAt < 2 * COMMAND_MS) this.#failed(error);
    }
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#successes += 1;
    if (this.#refusal !== undefined && this.#successes < SUCCESSES) return;
    this.#isThere = true;
    this.#refusal = undefined;
  }

  #failed(error: unknown): void {
    this.#successes = 0;
    this.#failures += 1;
    if (this.#failures < FAILURES) return;
    this.#isThere = false;
    this.#refusal = refusalOf(error);
  }
}

/** A key on each server that may have to be written to. */
function keysFor(client: Client): string[] {
  if (!(client instanceof Cluster)) return [probeKey(0)];
  const masters = new Set(client.slots.flatMap(([master]) => master ?? []));
  const keys: string[] = [];
  for (let index = 0; index < MAX_KEYS && (masters.size > 0 || index === 0); index += 1) {
    const key = probeKey(index);
    const [master] = client.slots[slotOf(key)] ?? [];
    if ((master !== undefined && masters.delete(master)) || client.slots.length === 0) keys.push(key);
  }
  return keys;
}

/** "OOM" of "OOM command not allowed…". Undefined when it was no answer of Redis. */
function refusalOf(error: unknown): string | undefined {
  return error instanceof Error && error.name === 'ReplyError' ? error.message.split(' ', 1)[0] : undefined;
}
