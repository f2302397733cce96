import type { Clock, Timer } from '../clock.ts';
import { decodeCursor, viewOf } from './cursor.ts';
import type { Feed } from './feed.ts';
import { OnDemand } from './on-demand.ts';
import { UpdateReader, type ObjectFilter, type Update } from './updates.ts';

export interface LiveOptions {
  readonly filter?: ObjectFilter | undefined;
  /** The cursor of the last message received before. */
  readonly resume?: string | undefined;
  /** Messages a second at most; latest state wins. */
  readonly maxRate?: number | undefined;
}

/** Told of each message: whether it is the first, and for how many notices of change it stands. */
export type OnUpdate = (
  options: LiveOptions,
  update: Update,
  how: { readonly isFirst: boolean; readonly notices: number },
) => void;

/** False when a cursor may be from where other replicas are already and this one is not yet. */
export function isKnown(feed: Feed, { resume, filter }: LiveOptions): boolean {
  if (resume === undefined || !feed.synced) return true;
  const revision = decodeCursor(resume, viewOf(feed.key, filter?.key ?? ''));
  return revision === undefined || feed.knows(revision);
}

/**
 * One subscriber's messages. Nothing is queued: a message is made when the subscriber asks for one, of all that
 * has changed since the last, so whoever asks seldom gets fewer messages and costs nobody anything.
 */
export class LiveUpdates extends OnDemand<Update> {
  readonly feed: Feed;
  readonly options: LiveOptions;
  readonly clock: Clock;
  readonly #interval: number;
  readonly #onUpdate: OnUpdate;
  #notices = 0;
  #reader: UpdateReader | undefined;
  #stopListening: readonly (() => void)[];
  #onEnd: (() => void) | undefined;
  #hasFailed = false;
  #notBefore = 0;
  #timer: Timer | undefined;

  /** `release` is called once, when the subscriber leaves or is ended. */
  constructor(
    feed: Feed,
    clock: Clock,
    options: LiveOptions,
    release: () => void,
    onUpdate: OnUpdate = () => undefined,
  ) {
    super(release);
    this.feed = feed;
    this.clock = clock;
    this.options = options;
    this.#interval = options.maxRate === undefined ? 0 : 1000 / options.maxRate;
    this.#onUpdate = onUpdate;
    const changed = () => {
      this.#notices += 1;
      this.look();
    };
    this.#stopListening = [feed.onChange(changed), feed.onStatus(() => this.look())];
  }

  /**
   * Somebody else reads the feed for this subscriber from now on, for many at once. What is left of it is its life:
   * `next()` brings no messages any more, only the end. `onEnd` is called at the very moment of that.
   */
  handOver(onEnd: () => void): void {
    this.#stopReading();
    if (this.isEnded) onEnd();
    else this.#onEnd = onEnd;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  override fail(error: Error): void {
    if (!this.isEnded) this.#hasFailed = true;
    super.fail(error);
  }

  protected override read(): Update | undefined {
    if (this.#onEnd !== undefined) return undefined;
    if (!this.feed.synced) {
      if (this.feed.failure !== undefined) this.fail(this.feed.failure);
      return undefined;
    }
    if (this.#isTooSoon()) return undefined;
    const update = this.#readFeed();
    if (update !== undefined) this.#notBefore = this.clock.monotonic() + this.#interval;
    return update;
  }

  protected override stop(): void {
    this.#stopReading();
    this.#onEnd?.();
  }

  /** A defect ends this subscription; it must not reach the feed, which has others to tell. */
  #readFeed(): Update | undefined {
    try {
      const isFirst = this.#reader === undefined;
      this.#reader ??= new UpdateReader(this.feed, this.options.filter, this.options.resume);
      const update = this.#reader.read();
      if (update !== undefined) this.#onUpdate(this.options, update, { isFirst, notices: this.#notices });
      this.#notices = 0;
      return update;
    } catch (error) {
      this.fail(error as Error);
      return undefined;
    }
  }

  #isTooSoon(): boolean {
    if (this.#interval === 0) return false;
    const wait = this.#notBefore - this.clock.monotonic();
    if (wait <= 0) return false;
    this.#timer ??= this.clock.after(wait, () => {
      this.#timer = undefined;
      this.look();
    });
    return true;
  }

  #stopReading(): void {
    this.#timer?.cancel();
    for (const stop of this.#stopListening) stop();
    this.#stopListening = [];
  }
}
