import type { Redis } from 'ioredis';
import type { Clock, Timer } from '../../clock.ts';

/** How often it is asked whether the connection is there, in milliseconds. */
const PING_MS = 2_000;
/** How often a message is sent to this replica itself: a connection may be there and pass on nothing. */
const PROBE_MS = 10_000;
/** How long a probe may take, in milliseconds. */
const PROBE_DEADLINE_MS = 5_000;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;

export interface ListenerOptions {
  readonly clock: Clock;
  /** Another connection, not yet open; `attempt` counts them. */
  readonly connect: (attempt: number) => Redis;
  /** Publishes to a channel. */
  readonly publish: (channel: string, message: string) => Promise<unknown>;
  /** A channel of this replica's own. */
  readonly probeChannel: string;
  /** Whether it hears has changed. */
  readonly onTurn: () => void;
  readonly onFailed: (error: unknown) => void;
}

export interface Subscription {
  message(bytes: Buffer): void;
  /** Messages may have been missed. */
  interrupted(): void;
}

/**
 * Hears what is published. Redis keeps nothing for those who are not connected, and a dead connection looks like a quiet
 * one; so it is asked, probed, and made anew, and after each gap everyone is told that there was one.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #subscriptions = new Map<string, Set<Subscription>>();
  #client: Redis | undefined;
  #isUp = false;
  #attempts = 0;
  #failures = 0;
  /** What is due next, by what it is for. */
  readonly #timers = new Map<'ping' | 'probe' | 'connect', Timer>();
  #probe: { readonly id: string; readonly deadline: Timer } | undefined;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  start(): void {
    void this.#connect();
  }

  /**
   * Resolves when what is published from now on is heard; without a connection at once, since the next one subscribes
   * to everything and says that there was a gap. Rejects when the connection at hand does not do it: another is made.
   */
  async add(channel: string, subscription: Subscription): Promise<void> {
    const known = this.#subscriptions.get(channel);
    const subscriptions = known ?? new Set();
    subscriptions.add(subscription);
    this.#subscriptions.set(channel, subscriptions);
    const client = this.#client;
    if (!this.#isUp || client === undefined) return;
    try {
      await client.subscribe(channel);
    } catch (error) {
      this.#lost(client); // whether it is heard, nobody knows
      throw error;
    }
  }

  remove(channel: string, subscription: Subscription): void {
    const subscriptions = this.#subscriptions.get(channel);
    if (subscriptions?.delete(subscription) !== true || subscriptions.size > 0) return;
    this.#subscriptions.delete(channel);
    if (this.#isUp) this.#client?.unsubscribe(channel).catch(this.#options.onFailed);
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimers();
    this.#client?.disconnect();
  }

  async #connect(): Promise<void> {
    if (this.#closed) return;
    const { connect } = this.#options;
    const client = connect(this.#attempts);
    this.#attempts += 1;
    this.#client = client;
    client.on('error', () => undefined); // `close` follows
    client.on('messageBuffer', (channel: Buffer, bytes: Buffer) => this.#message(channel.toString(), bytes));
    client.once('close', () => this.#lost(client));
    try {
      await client.connect();
      await this.#subscribeAll(client);
    } catch (error) {
      this.#options.onFailed(error);
      this.#lost(client);
      return;
    }
    if (this.#client !== client) return;
    this.#failures = 0;
    this.#turn(true);
    this.#watchOver(client);
    for (const subscriptions of this.#subscriptions.values()) {
      for (const subscription of subscriptions) subscription.interrupted();
    }
  }

  /** To what is added while it is at it, too. */
  async #subscribeAll(client: Redis): Promise<void> {
    const subscribed = new Set<string>();
    let missing = [this.#options.probeChannel, ...this.#subscriptions.keys()];
    while (missing.length > 0) {
      await client.subscribe(...missing);
      for (const channel of missing) subscribed.add(channel);
      missing = [...this.#subscriptions.keys()].filter((channel) => !subscribed.has(channel));
    }
    subscribed.delete(this.#options.probeChannel);
    const unwanted = [...subscribed].filter((channel) => !this.#subscriptions.has(channel));
    if (unwanted.length > 0) await client.unsubscribe(...unwanted);
  }

  #watchOver(client: Redis): void {
    const { clock } = this.#options;
    const ping = () => {
      client.ping().then(
        () => this.#client === client && this.#timers.set('ping', clock.after(PING_MS, ping)),
        () => this.#lost(client),
      );
    };
    const probe = () => {
      this.#sendProbe(client);
      this.#timers.set('probe', clock.after(PROBE_MS, probe));
    };
    this.#timers.set('ping', clock.after(PING_MS, ping));
    this.#timers.set('probe', clock.after(PROBE_MS, probe));
  }

  #sendProbe(client: Redis): void {
    const { clock, publish, probeChannel } = this.#options;
    const id = String(clock.monotonic());
    this.#probe?.deadline.cancel();
    this.#probe = undefined;
    // When it cannot even be sent, its not arriving says nothing.
    publish(probeChannel, id).catch(() => this.#probe?.deadline.cancel());
    this.#probe = { id, deadline: clock.after(PROBE_DEADLINE_MS, () => this.#lost(client)) };
  }

  #message(channel: string, bytes: Buffer): void {
    if (channel === this.#options.probeChannel) {
      if (bytes.toString() === this.#probe?.id) this.#probe.deadline.cancel();
      return;
    }
    for (const subscription of this.#subscriptions.get(channel) ?? []) subscription.message(bytes);
  }

  #lost(client: Redis): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.disconnect();
    this.#cancelTimers();
    this.#turn(false);
    const { clock } = this.#options;
    const wait = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#timers.set(
      'connect',
      clock.after(wait * (0.5 + clock.random() / 2), () => void this.#connect()),
    );
  }

  #turn(isUp: boolean): void {
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    this.#options.onTurn();
  }

  #cancelTimers(): void {
    this.#probe?.deadline.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
