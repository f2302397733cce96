import type { Clock, Timer } from '../clock.ts';
import type { LogFollowing } from '../sources/logs/log-source.ts';
import type { Donor, Source } from '../sources/source.ts';
import { DonorPool } from './donor-pool.ts';
import { LogFeed, type LogKey } from './log-feed.ts';

export interface LogHubOptions {
  readonly source: Pick<Source, 'followLog'>;
  readonly clock: Clock;
  /** How long a follow outlives its last reader, in milliseconds. */
  readonly lingerMs: number;
  /** A place among an agent's streams over all replicas. Rejects with LIMIT_EXCEEDED. */
  readonly reserve?: ((agentId: string) => Promise<() => void>) | undefined;
}

/** A reader's hold on a log. */
export interface LogAttachment {
  readonly feed: LogFeed;
  /** Lets go. Calling it again does nothing. */
  release(): void;
}

interface Entry {
  readonly feed: LogFeed;
  readonly donors: DonorPool;
  readonly following: LogFollowing;
  readonly giveBack: () => void;
  attachments: number;
  lingering: Timer | undefined;
  /** Nobody's credentials may hold its stream open any more. */
  isDeserted: boolean;
}

/** The logs that are followed: one stream a container, however many read it. Knows no rights. */
export class LogHub {
  readonly #options: LogHubOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: LogHubOptions) {
    this.#options = options;
  }

  /** Joins a log, following it from `tailLines` back if nobody does. Rejects with LIMIT_EXCEEDED when no stream is left. */
  async attach(key: LogKey, tailLines: number, donor: Donor): Promise<LogAttachment> {
    const id = logId(key);
    const open = this.#entries.get(id);
    if (open?.feed.isEnded === true) this.#close(id, open); // the container may run again by now
    const giveBack = this.#entries.has(id) ? undefined : await this.#options.reserve?.(key.agentId);
    const followed = this.#entries.get(id);
    if (followed !== undefined) giveBack?.(); // somebody else has opened it meanwhile
    followed?.donors.add(donor);
    const entry = followed ?? this.#open(id, key, tailLines, donor, giveBack ?? (() => undefined));
    entry.attachments += 1;
    entry.lingering?.cancel();
    entry.lingering = undefined;
    entry.isDeserted = false;
    let released = false;
    return {
      feed: entry.feed,
      release: () => {
        if (released) return;
        released = true;
        this.#detach(id, entry, donor);
      },
    };
  }

  /** Uses the credentials of these donors no more: another takes over at once. */
  dismiss(isMeant: (donor: Donor, key: LogKey) => boolean): void {
    const entries = Array.from(this.#entries.values());
    for (const { donors, feed } of entries) donors.dismiss((donor) => isMeant(donor, feed.key));
  }

  /** Logs followed, for metrics and tests. */
  get size(): number {
    return this.#entries.size;
  }

  close(): void {
    for (const [id, entry] of this.#entries) this.#close(id, entry);
  }

  #open(id: string, key: LogKey, tailLines: number, donor: Donor, giveBack: () => void): Entry {
    const { source, clock } = this.#options;
    let following: LogFollowing | undefined;
    const donors = new DonorPool(clock, () => following?.renew(), { onDeserted: () => this.#deserted(id) });
    donors.add(donor);
    const feed = new LogFeed(key, tailLines);
    try {
      following = source.followLog(key, tailLines, donors, feed);
    } catch (error) {
      giveBack();
      throw error;
    }
    const entry: Entry = { feed, donors, following, giveBack, attachments: 0, lingering: undefined, isDeserted: false };
    this.#entries.set(id, entry);
    feed.onChange(() => {
      if (feed.isEnded) this.#endStream(entry);
    });
    return entry;
  }

  #detach(id: string, entry: Entry, donor: Donor): void {
    entry.attachments -= 1;
    entry.donors.remove(donor);
    if (entry.attachments > 0 || this.#entries.get(id) !== entry) return;
    if (entry.feed.isEnded || entry.isDeserted) this.#close(id, entry);
    else entry.lingering = this.#options.clock.after(this.#options.lingerMs, () => this.#close(id, entry));
  }

  #deserted(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.isDeserted = true;
    if (entry.attachments === 0) this.#close(id, entry);
  }

  #close(id: string, entry: Entry): void {
    if (this.#entries.get(id) === entry) this.#entries.delete(id);
    entry.lingering?.cancel();
    this.#endStream(entry);
    entry.donors.close();
  }

  #endStream(entry: Entry): void {
    entry.following.stop();
    entry.giveBack();
  }
}

function logId({ agentId, namespace, pod, container, identity }: LogKey): string {
  return JSON.stringify([agentId, namespace, pod, container, identity ?? null]);
}
