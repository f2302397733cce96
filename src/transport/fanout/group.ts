import type { Clock, Timer } from '../../clock.ts';
import type { Feed, Revision } from '../../pubsub/feed.ts';
import type { LiveUpdates } from '../../pubsub/live-updates.ts';
import { UpdateReader } from '../../pubsub/updates.ts';
import type { ObjectFilter, Update } from '../../pubsub/updates.ts';
import type { DeliveryCounts } from './delivery-counts.ts';
import { Frame } from './frame.ts';
import { Member } from './member.ts';
import type { Outlet } from './outlet.ts';
import type { Pace } from './pace.ts';
import type { Place } from './place.ts';
import type { Renderer } from './renderer.ts';
import { SnapshotCache } from './snapshot-cache.ts';

export interface GroupOptions {
  readonly renderer: Renderer;
  readonly counts: DeliveryCounts;
  readonly pace: Pace;
  readonly feed: Feed;
  readonly filter: ObjectFilter | undefined;
  readonly clock: Clock;
  /** Called when the last member has left. */
  readonly onEmpty: () => void;
}

/** After so many members it is time to look at the time. */
const WRITES = 50;
/** How often those are looked at again who had not taken what they got, in milliseconds. */
const SLOW_MS = 50;

/** What brings members from where they are to where the group is. */
interface Answer {
  /** Undefined: nothing. */
  readonly make: () => Promise<Frame | undefined>;
  /** Where that brings them to. */
  readonly to: Place;
  readonly members: Member[];
  /** Counts what so many of them were sent. */
  readonly count?: (written: number) => void;
}

/**
 * The subscribers of one shape: one reader, one execution and one frame for all of them.
 *
 * Most members are *level*: they have been sent all that the reader has read, and get each message that it makes.
 * Whoever differs is *behind*: joining, slow to take what was written, or held back by their `maxRate`. They cost
 * nothing but the memory of where they are; when they are ready, they get one message with what they have missed and
 * are level again. All of it happens in rounds, one after the other, so that messages keep their order.
 */
export class Group {
  readonly #options: GroupOptions;
  readonly #reader: UpdateReader;
  readonly #renderer: Renderer;
  readonly #snapshots: SnapshotCache;
  readonly #level = new Set<Member>();
  readonly #behind = new Set<Member>();
  readonly #stopListening: readonly (() => void)[];
  /** What members call who can take something again. */
  readonly #wakeUp = () => this.#wake();
  /** How far it has read; undefined before the first time. */
  #place: Place | undefined;
  #deflating = 0;
  #running = false;
  #again = false;
  #soon = false;
  #recheck: Timer | undefined;
  /** When the oldest change came that has not been read: monotonic milliseconds. */
  #changedAt: number | undefined;

  constructor(options: GroupOptions) {
    const { renderer, feed, filter, clock } = options;
    this.#options = options;
    this.#reader = new UpdateReader(feed, filter, undefined);
    this.#renderer = renderer;
    this.#snapshots = new SnapshotCache(clock);
    this.#stopListening = [feed.onChange(() => this.#changed()), feed.onStatus(() => this.#wake())];
  }

  get size(): number {
    return this.#level.size + this.#behind.size;
  }

  join(live: LiveUpdates, outlet: Outlet): void {
    const member = new Member(live, outlet, this.#wakeUp);
    member.fallBehind(undefined);
    this.#behind.add(member);
    if (outlet.deflates) this.#deflating += 1;
    live.handOver(() => this.#leave(member));
    this.#wakeSoon();
  }

  /** Nothing is written to them from this moment on. */
  #leave(member: Member): void {
    if (!this.#level.delete(member) && !this.#behind.delete(member)) return;
    member.end();
    if (member.outlet.deflates) this.#deflating -= 1;
    if (this.#level.size + this.#behind.size > 0) return;
    for (const stop of this.#stopListening) stop();
    this.#recheck?.cancel();
    this.#snapshots.clear();
    this.#options.onEmpty();
  }

  /** Those who come within a moment are served together. */
  #wakeSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.#wake();
    });
  }

  #changed(): void {
    this.#changedAt ??= this.#options.clock.monotonic();
    this.#wake();
  }

  #wake(): void {
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#again) {
        await this.#options.pace.turn();
        this.#again = false;
        await this.#round();
      }
    } catch (error) {
      this.#failAll(error as Error);
    } finally {
      this.#running = false;
    }
    this.#recheckSlow();
  }

  /** What is read is read at once, before anything is waited for: all of it ends at the same position. */
  async #round(): Promise<void> {
    const { feed } = this.#options;
    if (!feed.synced) {
      if (feed.failure !== undefined) this.#failAll(feed.failure);
      return;
    }
    const before = this.#place;
    // What is read before the feed has told of it has come in this very turn.
    const changedAt = this.#changedAt ?? this.#options.clock.monotonic();
    this.#changedAt = undefined;
    const update = this.#reader.read();
    const place = this.#placeAt(feed.revision);
    const answers = this.#answers(place);
    if (update !== undefined) await this.#advance(update, before, place, changedAt);
    for (const { make, to, members, count } of answers) {
      const written = await this.#deliver(await make(), members, to);
      count?.(written);
    }
  }

  /** Where the group is, which has just read to this revision. */
  #placeAt(revision: Revision): Place {
    const before = this.#place;
    if (before?.epoch === revision.epoch && before.offset === revision.offset) return before;
    return (this.#place = { ...revision, reading: (before?.reading ?? 0) + 1 });
  }

  async #advance(update: Update, before: Place | undefined, to: Place, changedAt: number): Promise<void> {
    const json = await this.#renderer.advance(update, to.reading);
    if (json === undefined) return;
    const frame = new Frame(json);
    if (update.type === 'SNAPSHOT' && update.resyncReason === undefined) {
      this.#snapshots.keep(frame, to, update.upserted.length);
    }
    if (before === undefined) return;
    const { counts, clock } = this.#options;
    const written = await this.#deliver(frame, this.#level, to, before);
    counts.resynced(update, written);
    if (written > 0) counts.aged(clock.monotonic() - changedAt);
  }

  /** One for each place that members are waiting at. */
  #answers(to: Place): Iterable<Answer> {
    const answers = new Map<string, Answer>();
    for (const member of this.#behind) {
      if (!member.isReady) continue;
      const key = member.placeKey;
      const answer = answers.get(key) ?? this.#answer(member, to);
      answers.set(key, answer);
      answer.members.push(member);
    }
    return answers.values();
  }

  #answer({ place, resume }: Member, to: Place): Answer {
    const members: Member[] = [];
    const { counts } = this.#options;
    if (place !== undefined) {
      const missed = this.#reader.missed(place);
      const make = async () => missed && this.#frame(this.#renderer.missed(missed, place.reading));
      const count = (written: number) => {
        counts.coalesced(written);
        if (missed !== undefined) counts.resynced(missed, written);
      };
      return { make, to, members, count };
    }
    if (resume !== undefined) {
      const first = this.#reader.first(resume);
      const count = (written: number) => counts.resumed(first, written);
      return { make: () => this.#frame(this.#renderer.first(first)), to, members, count };
    }
    const kept = this.#snapshots.get(to);
    if (kept !== undefined) return { make: async () => kept.frame, to: kept.at, members };
    const first = this.#reader.first(undefined);
    return { make: () => this.#snapshot(first, to), to, members };
  }

  async #frame(rendering: Promise<string | undefined>): Promise<Frame | undefined> {
    const json = await rendering;
    return json === undefined ? undefined : new Frame(json);
  }

  /** The group's own first reading, if this is its first round. */
  async #snapshot(update: Update, at: Place): Promise<Frame> {
    const kept = this.#snapshots.get(at);
    if (kept !== undefined) return kept.frame;
    const frame = new Frame(await this.#renderer.first(update));
    this.#snapshots.keep(frame, at, update.upserted.length);
    return frame;
  }

  /** `from`: where those are who cannot take it now. Without it they stay where they were. Returns how many got it. */
  async #deliver(frame: Frame | undefined, members: Iterable<Member>, to: Place, from?: Place): Promise<number> {
    const all = [...members];
    if (frame === undefined) {
      for (const member of all) if (member.isActive) this.#settle(member, to, false);
      return 0;
    }
    if (this.#deflating > 0) await frame.deflate();
    let written = 0;
    let eventStreams = 0;
    for (let start = 0; start < all.length; start += WRITES) {
      if (start > 0) await this.#options.pace.turn();
      for (const member of this.#ready(all.slice(start, start + WRITES), from)) {
        if (!this.#write(member, frame, to, from)) continue;
        written += 1;
        if (member.outlet.transport === 'sse') eventStreams += 1;
      }
    }
    this.#options.counts.written(written, eventStreams);
    return written;
  }

  /**
   * Those who can take something. Whoever has left since the round began gets nothing; who cannot take it, later.
   *
   * They are looked at together before the first is written to, because what a socket consists of lies all over the
   * memory: so it is fetched side by side, and not one after the other between system calls that drive it out of the
   * caches (docs/decisions.md).
   */
  #ready(members: readonly Member[], from: Place | undefined): Member[] {
    const ready: Member[] = [];
    for (const member of members) {
      if (!member.isActive) continue;
      if (member.outlet.free) ready.push(member);
      else if (from !== undefined) this.#fallBehind(member, from);
    }
    return ready;
  }

  /** The hot path. False when a write to another has ended this one. */
  #write(member: Member, frame: Frame, to: Place, from: Place | undefined): boolean {
    if (!member.isActive) return false;
    member.outlet.write(frame);
    if (from === undefined || member.hasRate) this.#settle(member, to, true);
    return true;
  }

  /** Level again, unless it was brought to an older place, or has to wait before its next message. */
  #settle(member: Member, to: Place, wasSent: boolean): void {
    const mayGoOn = !wasSent || !member.mustPause(this.#options.clock);
    if (mayGoOn && to.reading === this.#place?.reading) {
      member.catchUp();
      this.#behind.delete(member);
      this.#level.add(member);
      return;
    }
    this.#fallBehind(member, to);
    if (mayGoOn) this.#again = true;
  }

  #fallBehind(member: Member, place: Place): void {
    member.fallBehind(place);
    this.#level.delete(member);
    this.#behind.add(member);
  }

  #recheckSlow(): void {
    if (this.#recheck !== undefined) return;
    if (![...this.#behind].some(({ outlet }) => !outlet.free)) return;
    this.#recheck = this.#options.clock.after(SLOW_MS, () => {
      this.#recheck = undefined;
      this.#wake();
    });
  }

  #failAll(error: Error): void {
    for (const { live } of [...this.#level, ...this.#behind]) live.fail(error);
  }
}
