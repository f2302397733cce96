import { randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../../clock.ts';
import type { Bus, Channel } from '../sharing/bus.ts';
import { COMMAND_MS, connectionsTo, type Client, type Connections } from './clients.ts';
import { FeedChannel } from './feed-channel.ts';
import { feedKeys, probeChannel } from './keys.ts';
import { Listener } from './listener.ts';
import { Pulse } from './pulse.ts';
import type { RedisAddress } from './redis-url.ts';
import { Scripts } from './script-runner.ts';

/** How often Redis is asked whether it is there, in milliseconds. */
const ASK_MS = 1_000;
export const LEASE_MS = 8_000;

export interface RedisBusOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly onFailed: (error: unknown) => void;
  /** How many bytes of changes are kept for each feed, for those who have missed some. */
  readonly logBytes?: number;
  readonly leaseMs?: number;
  /** How Redis is reached, if it is not by the network. */
  readonly connections?: Connections;
}

/** Replicas know of each other through Redis. */
export class RedisBus implements Bus {
  readonly replica = randomBytes(9).toString('base64url');
  readonly leaseMs: number;
  /** Commands for other uses, in the same terms: at once or not at all. */
  readonly commands: Client;
  readonly #options: RedisBusOptions;
  readonly #bulk: Client;
  readonly #scripts: Scripts;
  readonly #listener: Listener;
  readonly #turns = new Set<() => void>();
  readonly #pulse: Pulse;
  #isUp = false;
  /** Since when nothing that is published is heard. */
  #deafSince: number | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: RedisBusOptions) {
    this.#options = options;
    this.leaseMs = options.leaseMs ?? LEASE_MS;
    const { address, clock, onFailed, connections = connectionsTo(address) } = options;
    this.commands = connections.command('command', `kascade-${this.replica}`);
    this.#bulk = connections.command('bulk', `kascade-bulk-${this.replica}`);
    for (const client of [this.commands, this.#bulk]) client.on('error', onFailed);
    this.#scripts = new Scripts(this.commands);
    this.#pulse = new Pulse(this.commands, clock);
    this.#listener = new Listener({
      clock,
      connect: (attempt) => connections.listening(`kascade-listener-${this.replica}`, attempt),
      publish: (channel, message) => this.commands.publish(channel, message),
      probeChannel: probeChannel(this.replica),
      onTurn: () => this.#look(),
      onFailed,
    });
  }

  /** Resolves when Redis was reached, or could not be for the moment. */
  async start(): Promise<void> {
    this.#listener.start();
    const deadline = this.#options.clock.monotonic() + COMMAND_MS;
    while (!this.#isUp && this.#options.clock.monotonic() < deadline) {
      await this.#ask();
      await new Promise<void>((resolve) => this.#options.clock.after(20, resolve));
    }
    this.#schedule();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get trouble(): string | undefined {
    if (this.#isUp) return undefined;
    return this.#pulse.isThere ? 'Redis does not pass messages on.' : this.#pulse.trouble;
  }

  onTurn(listener: () => void): () => void {
    this.#turns.add(listener);
    return () => this.#turns.delete(listener);
  }

  channel(id: string): Channel {
    const { onFailed, logBytes, address } = this.#options;
    return new FeedChannel({
      keys: feedKeys(id),
      replica: this.replica,
      scripts: this.#scripts,
      bulk: this.#bulk,
      listener: this.#listener,
      leaseMs: this.leaseMs,
      logBytes,
      countsListeners: address.form !== 'cluster',
      onFailed,
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#listener.close();
    this.commands.disconnect();
    this.#bulk.disconnect();
    return Promise.resolve();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.after(ASK_MS, () => void this.#ask().then(() => this.#schedule()));
  }

  async #ask(): Promise<void> {
    await this.#pulse.take();
    this.#look();
  }

  #look(): void {
    if (this.#listener.isUp) this.#deafSince = undefined;
    else this.#deafSince ??= this.#options.clock.monotonic();
    const isUp = this.#pulse.isThere && (this.#listener.isUp || (this.#isUp && !this.#isDeaf));
    if (isUp === this.#isUp || this.#closed) return;
    this.#isUp = isUp;
    for (const listener of this.#turns) listener();
  }

  /** A connection that is made anew at once is no reason to go on alone. */
  get #isDeaf(): boolean {
    return this.#deafSince !== undefined && this.#options.clock.monotonic() - this.#deafSince > COMMAND_MS;
  }
}
