import type { GraphQLFormattedError, ValidatedSubscriptionArgs } from 'graphql';
import type { Clock, Timer } from '../../clock.ts';
import type { Feed, Revision } from '../../pubsub/feed.ts';
import type { LiveUpdates } from '../../pubsub/live-updates.ts';
import { UpdateReader } from '../../pubsub/updates.ts';
import type { ObjectFilter, Update } from '../../pubsub/updates.ts';
import { Frame } from './frame.ts';
import { Member } from './member.ts';
import type { Outlet } from './outlet.ts';
import type { Pace } from './pace.ts';
import { Renderer } from './renderer.ts';
import { SnapshotCache } from './snapshot-cache.ts';

export interface GroupOptions {
  readonly args: ValidatedSubscriptionArgs;
  readonly mask: (thrown: unknown) => GraphQLFormattedError;
  readonly pace: Pace;
  readonly feed: Feed;
  readonly filter: ObjectFilter | undefined;
  readonly clock: Clock;
  /** Called when the last member has left. */
  readonly onEmpty: () => void;
}

/** After so many writes it is time to look at the time. */
const WRITES = 50;
/** How often those are looked at again who had not taken what they got, in milliseconds. */
const SLOW_MS = 50;

/** What brings members from where they are to where the group is. */
interface Answer {
  /** Undefined: nothing. */
  readonly make: () => Promise<Frame | undefined>;
  /** Where that brings them to. */
  readonly to: Revision;
  readonly members: Member[];
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
  #deflating = 0;
  #running = false;
  #again = false;
  #soon = false;
  #recheck: Timer | undefined;

  constructor(options: GroupOptions) {
    const { args, mask, pace, feed, filter, clock } = options;
    this.#options = options;
    this.#reader = new UpdateReader(feed, filter, undefined);
    this.#renderer = new Renderer(args, pace, mask);
    this.#snapshots = new SnapshotCache(clock);
    this.#stopListening = [feed.onChange(() => this.#wake()), feed.onStatus(() => this.#wake())];
  }

  join(live: LiveUpdates, outlet: Outlet): void {
    const member = new Member(live, outlet, () => this.#wake());
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
    const before = this.#reader.position;
    const update = this.#reader.read();
    const answers = this.#answers(feed.revision);
    if (update !== undefined) await this.#advance(update, before, feed.revision);
    for (const { make, to, members } of answers) await this.#deliver(await make(), members, to);
  }

  async #advance(update: Update, before: Revision | undefined, to: Revision): Promise<void> {
    const startedAt = performance.now();
    const json = await this.#renderer.advance(update, to.offset);
    if (json === undefined) return;
    const frame = new Frame(json);
    if (update.type === 'SNAPSHOT' && update.resyncReason === undefined) {
      this.#snapshots.keep(frame, to, performance.now() - startedAt);
    }
    if (before !== undefined) await this.#deliver(frame, this.#level, to, before);
  }

  /** One for each place that members are waiting at. */
  #answers(to: Revision): Iterable<Answer> {
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

  #answer({ place, resume }: Member, to: Revision): Answer {
    const members: Member[] = [];
    if (place !== undefined) {
      const missed = this.#reader.missed(place);
      return { make: async () => missed && this.#frame(this.#renderer.missed(missed, place.offset)), to, members };
    }
    if (resume !== undefined) {
      const first = this.#reader.first(resume);
      return { make: () => this.#frame(this.#renderer.first(first)), to, members };
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
  async #snapshot(update: Update, at: Revision): Promise<Frame> {
    const kept = this.#snapshots.get(at);
    if (kept !== undefined) return kept.frame;
    const startedAt = performance.now();
    const frame = new Frame(await this.#renderer.first(update));
    this.#snapshots.keep(frame, at, performance.now() - startedAt);
    return frame;
  }

  /** `from`: where those are who cannot take it now. Without it they stay where they were. */
  async #deliver(frame: Frame | undefined, members: Iterable<Member>, to: Revision, from?: Revision): Promise<void> {
    if (this.#deflating > 0) await frame?.deflate();
    let written = 0;
    for (const member of members) {
      if (!member.isActive) continue;
      if (frame === undefined) this.#settle(member, to, false);
      else if (member.outlet.free) {
        member.outlet.write(frame);
        if (from === undefined || member.hasRate) this.#settle(member, to, true);
        written += 1;
        if (written % WRITES === 0) await this.#options.pace.turn();
      } else if (from !== undefined) this.#fallBehind(member, from);
    }
  }

  /** Level again, unless it was brought to an older place, or has to wait before its next message. */
  #settle(member: Member, to: Revision, wasSent: boolean): void {
    const mayGoOn = !wasSent || !member.mustPause(this.#options.clock);
    if (mayGoOn && isSame(to, this.#reader.position)) {
      this.#behind.delete(member);
      this.#level.add(member);
      return;
    }
    this.#fallBehind(member, to);
    if (mayGoOn) this.#again = true;
  }

  #fallBehind(member: Member, place: Revision): void {
    member.place = place;
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

function isSame(a: Revision, b: Revision | undefined): boolean {
  return a.offset === b?.offset && a.epoch === b.epoch;
}
