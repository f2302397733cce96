import type { Timer } from '../../../src/clock.ts';
import type { Chance } from '../chance.ts';
import type { Process } from '../process.ts';
import type { Timeline } from '../timeline.ts';
import { Line, type Link } from './link.ts';
import type { Argument } from './scripts.ts';
import type { SimulatedRedis, Subscriber } from './server.ts';
import { compareIds, idOf, ReplyError } from './store.ts';

/** How many fields or entries are in a page, whatever is asked for: so that there are several. */
const PAGE = 4;

export interface ClientOptions {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly server: SimulatedRedis;
  readonly link: Link;
  readonly timeoutMs: number;
}

interface Pending {
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

/** What a client of ioredis is to the product, with the settings that the product gives it: at once or not at all. */
abstract class SimulatedClient {
  protected readonly options: ClientOptions;
  protected line: Line | undefined;
  #isOpen = false;
  readonly #pending = new Set<Pending>();

  constructor(options: ClientOptions) {
    this.options = options;
  }

  protected get process(): Process {
    return this.options.link.process;
  }

  disconnect(): void {
    this.line?.close();
    this.lost();
  }

  ping(): Promise<string> {
    return this.call(() => 'PONG');
  }

  /** Resolves when the connection is there. */
  protected open(): Promise<void> {
    const { timeline, chance, link, server } = this.options;
    const line = new Line(timeline, chance, link, () => {
      if (this.line === line) this.lost();
    });
    this.line = line;
    return new Promise((resolve, reject) => {
      line.toServer(() => {
        if (!server.isUp) line.break();
        else
          line.toProcess(() => {
            if (this.line !== line) return;
            this.#forget(opening);
            this.#isOpen = true;
            resolve();
          });
      });
      const opening = this.#expect(reject);
    });
  }

  protected lost(): void {
    this.line = undefined;
    this.#isOpen = false;
    for (const { reject, timer } of this.#pending) {
      timer.cancel();
      reject(new Error('Connection is closed.'));
    }
    this.#pending.clear();
  }

  protected call<T>(command: () => T): Promise<T> {
    const { line } = this;
    if (line === undefined || !this.#isOpen)
      return Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue is false"));
    return new Promise((resolve, reject) => {
      const pending = this.#expect(reject);
      const settle = (act: () => void) => {
        line.toProcess(() => {
          if (this.#forget(pending)) act();
        });
      };
      line.toServer(() => {
        try {
          const answer = command();
          settle(() => resolve(answer));
        } catch (error) {
          if (!(error instanceof ReplyError)) throw error;
          settle(() => {
            reject(error);
            if (error.message.startsWith('READONLY')) line.break();
          });
        }
      });
    });
  }

  /** False when it was not awaited any more. */
  #forget(pending: Pending): boolean {
    pending.timer.cancel();
    return this.#pending.delete(pending);
  }

  #expect(reject: (error: Error) => void): Pending {
    const timer = this.process.after(this.options.timeoutMs, () => {
      this.#pending.delete(pending);
      reject(new Error('Command timed out'));
    });
    const pending: Pending = { reject, timer };
    this.#pending.add(pending);
    return pending;
  }
}

/** A connection for commands, which comes back by itself. */
export class CommandClient extends SimulatedClient {
  #failures = 0;
  #isClosed = false;

  constructor(options: ClientOptions) {
    super(options);
    void this.#connect();
  }

  on(): this {
    return this;
  }

  override disconnect(): void {
    this.#isClosed = true;
    super.disconnect();
  }

  publish(channel: string, message: string): Promise<number> {
    return this.call(() => this.options.server.publish(channel, Buffer.from(message)));
  }

  /** With `XX`, of a key that is never there: nothing is written, and refused is what would be. */
  set(): Promise<null> {
    return this.call(() => {
      const { refusal } = this.options.server;
      if (refusal !== undefined) throw new ReplyError(refusal.message);
      return null;
    });
  }

  evalsha(digest: string, count: number, ...rest: readonly (Argument | number)[]): Promise<unknown> {
    const [keys, argv] = split(count, rest);
    return this.call(() => this.options.server.evalsha(digest, keys, argv));
  }

  eval(script: string, count: number, ...rest: readonly (Argument | number)[]): Promise<unknown> {
    const [keys, argv] = split(count, rest);
    return this.call(() => this.options.server.eval(script, keys, argv));
  }

  /** What is there from the first page to the last is in one of them. */
  hscanBuffer(key: string, cursor: string): Promise<[Buffer, Buffer[]]> {
    return this.call(() => {
      const fields = [...this.options.server.store.hash(key)]
        .map(([field, value]) => ({ place: placeOf(field), field, value }))
        .filter(({ place }) => place >= Number(cursor))
        .toSorted((a, b) => a.place - b.place);
      const next = fields[PAGE]?.place ?? 0;
      const page = fields.filter(({ place }) => next === 0 || place < next);
      return [Buffer.from(String(next)), page.flatMap(({ field, value }) => [Buffer.from(field), value])];
    });
  }

  zrangeBuffer(key: string): Promise<Buffer[]> {
    return this.call(() => this.options.server.store.sorted(key).map(({ bytes }) => bytes));
  }

  /** `end`: `+`, or `(` and an id that is not counted. */
  xrevrangeBuffer(
    key: string,
    end: string,
    _start: string,
    _count: string,
    count: number,
  ): Promise<[Buffer, Buffer[]][]> {
    return this.call(() => {
      const entries = this.options.server.store.stream(key).toReversed();
      const isBefore = end === '+' ? () => true : before(end.slice(1));
      const page = entries.filter(({ id }) => isBefore(id)).slice(0, count);
      return page.map(({ id, bytes }) => [Buffer.from(id.join('-')), [Buffer.from('f'), bytes]]);
    });
  }

  protected override lost(): void {
    super.lost();
    if (this.#isClosed) return;
    this.#failures += 1;
    const wait = Math.min(2_000, 50 * 2 ** Math.min(this.#failures, 6)) + this.process.random() * 100;
    this.process.after(wait, () => {
      if (!this.#isClosed && this.line === undefined) void this.#connect();
    });
  }

  async #connect(): Promise<void> {
    const attempt = this.open();
    const { line } = this;
    try {
      await attempt;
      this.#failures = 0;
    } catch {
      if (line !== undefined && this.line === line) {
        line.close();
        this.lost();
      }
    }
  }
}

/** A connection to be told by, once. */
export class ListeningClient extends SimulatedClient {
  #subscriber: Subscriber | undefined;
  #onMessage: (channel: Buffer, bytes: Buffer) => void = () => {};
  #onClose: () => void = () => {};

  connect(): Promise<void> {
    return this.open();
  }

  on(event: string, listener: (channel: Buffer, bytes: Buffer) => void): this {
    if (event === 'messageBuffer') this.#onMessage = listener;
    return this;
  }

  once(event: string, listener: () => void): this {
    if (event === 'close') this.#onClose = listener;
    return this;
  }

  subscribe(...channels: readonly string[]): Promise<void> {
    const { server, link } = this.options;
    const { line } = this;
    if (line === undefined) return Promise.reject(new Error('Connection is closed.'));
    const subscriber = (this.#subscriber ??= {
      line,
      link,
      hear: (channel, bytes) => this.#onMessage(Buffer.from(channel), bytes),
    });
    return this.call(() => {
      for (const channel of channels) server.subscribe(channel, subscriber);
    });
  }

  unsubscribe(...channels: readonly string[]): Promise<void> {
    return this.call(() => {
      const subscriber = this.#subscriber;
      if (subscriber !== undefined) for (const each of channels) this.options.server.unsubscribe(each, subscriber);
    });
  }

  protected override lost(): void {
    super.lost();
    this.#onClose();
  }
}

function split(count: number, rest: readonly (Argument | number)[]): [string[], Argument[]] {
  const texts = rest.map((each) => (typeof each === 'number' ? String(each) : each));
  return [texts.slice(0, count).map(String), texts.slice(count)];
}

function before(end: string): (id: readonly [number, number]) => boolean {
  const last = idOf(end);
  return (id) => compareIds(id, last) < 0;
}

/** Where a field stands in the order in which a hash is gone through: never 0. */
function placeOf(field: string): number {
  let place = 7;
  for (const character of field) place = (Math.imul(place, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return place + 1;
}
