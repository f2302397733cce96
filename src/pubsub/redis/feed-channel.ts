import type { Lineage, Revision } from '../history.ts';
import type { LogEntry } from '../object-log.ts';
import type {
  Acquired,
  Batch,
  Beacon,
  Channel,
  ChannelListener,
  Head,
  Message,
  Position,
  Published,
  Recorded,
  Renewed,
} from '../sharing/bus.ts';
import { decodeEntry } from '../sharing/wire.ts';
import type { Client } from './clients.ts';
import { batchHeader, decodeBatch, decodeMessage, encodeMessage } from './frames.ts';
import type { FeedKeys } from './keys.ts';
import type { Listener, Subscription } from './listener.ts';
import type { Scripts } from './script-runner.ts';
import { ACQUIRE, POSITION, PUBLISH, RELEASE, RENEW, TRANSFER } from './scripts.ts';

/** How long what is written of a feed outlives its last leader, in milliseconds: so long viewers may come back to it. */
export const KEEP_MS = 15 * 60_000;
/** How many bytes of batches are kept for those who have missed some. Who lacks more reads the whole. */
export const LOG_BYTES = 4 * 1_024 * 1_024;
const PAGE = 200;
/** How often reading begins again when what is written moves on faster than it is read. */
const MAX_READS = 5;

export interface FeedChannelOptions {
  readonly keys: FeedKeys;
  readonly replica: string;
  readonly scripts: Scripts;
  readonly bulk: Client;
  readonly listener: Listener;
  readonly leaseMs: number;
  readonly logBytes?: number | undefined;
  /** Redis knows of all who listen. A cluster's node knows only of its own. */
  readonly countsListeners: boolean;
  readonly onFailed: (error: unknown) => void;
}

/** What replicas share of one feed, in Redis. */
export class FeedChannel implements Channel {
  readonly #options: FeedChannelOptions;
  readonly #keys: readonly string[];
  #subscription: Subscription | undefined;
  /** Of the batches that this replica has written and that are kept: id and size, oldest first. */
  #kept: { readonly id: string; readonly bytes: number }[] = [];
  #keptBytes = 0;
  #hasDropped = false;

  constructor(options: FeedChannelOptions) {
    this.#options = options;
    const { lease, meta, snapshot, removed, log } = options.keys;
    this.#keys = [lease, meta, snapshot, removed, log];
  }

  async listen(hearing: ChannelListener): Promise<void> {
    const { keys, listener, onFailed } = this.#options;
    const subscription: Subscription = {
      message: (bytes) => {
        try {
          hearing.message(decodeMessage(bytes));
        } catch (error) {
          onFailed(error);
          hearing.interrupted();
        }
      },
      interrupted: () => hearing.interrupted(),
    };
    this.#subscription = subscription;
    await listener.add(keys.channel, subscription);
  }

  leave(): void {
    if (this.#subscription !== undefined) this.#options.listener.remove(this.#options.keys.channel, this.#subscription);
    this.#subscription = undefined;
  }

  async position(): Promise<Position> {
    const [leader, fence, complete, ...head] = texts(await this.#run(POSITION));
    const isComplete = complete === '1';
    return { leader, fence: Number(fence ?? 0), head: isComplete ? headOf(head) : undefined };
  }

  async acquire(): Promise<Acquired> {
    const { replica, leaseMs, keys } = this.#options;
    const [held, name = '', ...head] = texts(await this.#run(ACQUIRE, replica, leaseMs, KEEP_MS, keys.channel));
    if (held !== '1') return { held: false, leader: name };
    return { held: true, fence: Number(name), head: headOf(head) };
  }

  async renew(fence: number, beacon: Beacon): Promise<Renewed> {
    const { replica, leaseMs, keys } = this.#options;
    const { resourceVersion = '', head } = beacon;
    const answer = await this.#run(
      RENEW,
      replica,
      fence,
      leaseMs,
      KEEP_MS,
      keys.channel,
      encodeMessage(beacon),
      resourceVersion,
      head?.epoch ?? '',
      head?.offset ?? '',
    );
    if (answer === 'kept' || answer === 'fenced' || answer === 'emptied') return { result: answer };
    return { result: 'elsewhere', head: revisionOf(answer) };
  }

  async release(fence: number): Promise<void> {
    const { replica, keys } = this.#options;
    await this.#run(RELEASE, replica, fence, keys.channel, encodeMessage({ type: 'vacant' }));
  }

  async transfer(fence: number, to: string): Promise<boolean> {
    const { replica, leaseMs, keys } = this.#options;
    return (await this.#run(TRANSFER, replica, fence, leaseMs, keys.channel, to)) === 1;
  }

  async publish(batch: Batch, after: Revision | undefined): Promise<Published> {
    const header = batchHeader(batch);
    const id = `${batch.fence}-${batch.to}`;
    if (after === undefined) this.#forgetKept();
    const answer = await this.#run(
      PUBLISH,
      batch.fence,
      this.#options.keys.channel,
      KEEP_MS,
      this.#firstKept(id, batch),
      after?.epoch ?? '',
      after?.offset ?? 0,
      batch.epoch,
      batch.to,
      JSON.stringify([...batch.lineage]),
      batch.floor,
      batch.resourceVersion ?? '',
      batch.complete ? 1 : 0,
      header,
      ...batch.entries.flatMap(({ uid, offset, isRemoval, bytes }) => [uid, offset, isRemoval ? 1 : 0, bytes]),
    );
    if (answer === 'written' || answer === 'fenced' || answer === 'emptied') return { result: answer };
    return { result: 'elsewhere', head: revisionOf(answer) };
  }

  async read(): Promise<Recorded | undefined> {
    for (let tries = 0; tries < MAX_READS; tries += 1) {
      const { head } = await this.position();
      if (head === undefined) return undefined;
      const entries = await this.#readAll();
      const end = await this.#completed(entries, head);
      if (end !== undefined)
        return { head: end, entries: [...entries.values()].toSorted((a, b) => a.offset - b.offset) };
    }
    throw new Error('A feed was written faster than it could be read.');
  }

  /** What is written, by uid: while it is being written on, so each part as of another moment. */
  async #readAll(): Promise<Map<string, LogEntry>> {
    const { bulk, keys } = this.#options;
    const latest = new Map<string, LogEntry>();
    for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
      const [next, fields] = await bulk.hscanBuffer(keys.snapshot, cursor, 'COUNT', PAGE);
      cursor = next.toString();
      for (let index = 1; index < fields.length; index += 2) keepLatest(latest, fields[index] as Buffer);
    }
    for (const bytes of await bulk.zrangeBuffer(keys.removed, 0, '-1')) keepLatest(latest, bytes);
    return latest;
  }

  /** Adds what may have been missed since `head`. Returns where that ends, or undefined when it cannot be had any more. */
  async #completed(entries: Map<string, LogEntry>, head: Head): Promise<Head | undefined> {
    const { head: now } = await this.position();
    if (now === undefined) return undefined;
    const until = now.epoch === head.epoch ? now.offset : (now.lineage.get(head.epoch) ?? -1);
    if (until < head.offset) return undefined;
    let { offset } = head;
    if (offset < now.offset) {
      for (const batch of await this.batchesAfter(offset)) {
        if (batch.from > offset || offset >= now.offset) break;
        for (const { bytes } of batch.entries) keepLatest(entries, bytes);
        offset = batch.to;
      }
    }
    return offset === now.offset ? now : undefined;
  }

  async batchesAfter(offset: number): Promise<readonly Batch[]> {
    const { bulk, keys } = this.#options;
    const batches: Batch[] = [];
    for (let end = '+'; ;) {
      const page = await bulk.xrevrangeBuffer(keys.log, end, '-', 'COUNT', PAGE);
      for (const [id, fields] of page) {
        const batch = decodeBatch(fields[1] as Buffer);
        if (batch.to <= offset) return batches.toReversed();
        batches.push(batch);
        end = `(${id.toString()}`;
      }
      if (page.length < PAGE) return batches.toReversed();
    }
  }

  async send(message: Exclude<Message, Batch>): Promise<number> {
    const { scripts, keys, countsListeners } = this.#options;
    const heard = await scripts.client.publish(keys.channel, encodeMessage(message));
    return countsListeners ? heard : Number.POSITIVE_INFINITY;
  }

  #run(script: string, ...args: readonly (string | number | Buffer)[]): Promise<unknown> {
    return this.#options.scripts.run(script, this.#keys, args);
  }

  /**
   * The id from which on batches are kept, this one counted. Empty: all of ours and of who wrote before, whose go when ours
   * fill the room.
   */
  #firstKept(id: string, { entries }: Batch): string {
    const { logBytes = LOG_BYTES } = this.#options;
    if (this.#kept.at(-1)?.id !== id && entries.length > 0) {
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
      this.#kept.push({ id, bytes });
      this.#keptBytes += bytes;
    }
    while (this.#keptBytes > logBytes && this.#kept.length > 1) {
      this.#keptBytes -= this.#kept.shift()?.bytes ?? 0;
      this.#hasDropped = true;
    }
    return this.#hasDropped ? (this.#kept[0]?.id ?? id) : '';
  }

  #forgetKept(): void {
    this.#kept = [];
    this.#keptBytes = 0;
  }
}

function revisionOf(answer: unknown): Revision | undefined {
  const [epoch, offset] = texts(answer);
  return epoch === undefined ? undefined : { epoch, offset: Number(offset) };
}

function headOf(fields: readonly (string | undefined)[]): Head | undefined {
  const [epoch, offset, lineage, floor, resourceVersion, age] = fields;
  if (epoch === undefined || offset === undefined) return undefined;
  return {
    epoch,
    offset: Number(offset),
    lineage: lineageOf(lineage ?? '[]'),
    floor: Number(floor ?? 0),
    resourceVersion,
    ageMs: age === undefined ? Number.POSITIVE_INFINITY : Number(age),
  };
}

function lineageOf(text: string): Lineage {
  return new Map(JSON.parse(text) as [string, number][]);
}

function keepLatest(entries: Map<string, LogEntry>, bytes: Buffer): void {
  const entry = decodeEntry(bytes);
  const known = entries.get(entry.uid);
  if (known === undefined || known.offset < entry.offset) entries.set(entry.uid, entry);
}

/** A script's answer: nothing, and the empty text, stand for what there is none of. */
function texts(answer: unknown): (string | undefined)[] {
  const items = Array.isArray(answer) ? (answer as unknown[]) : [];
  return items.map((item) =>
    typeof item === 'string' ? item || undefined : typeof item === 'number' ? `${item}` : undefined,
  );
}
