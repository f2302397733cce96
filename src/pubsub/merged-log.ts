import type { Clock, Timer } from '../clock.ts';
import type { ApiError } from '../errors.ts';
import type { LogBatch, LogView, NumberedLine } from './log-view.ts';
import { OnDemand } from './on-demand.ts';

/** Whose line it is, where several containers' logs are one. */
export interface LogSource {
  readonly pod: string;
  readonly container: string;
}

export interface SourcedLine extends NumberedLine, LogSource {}

export interface MergedBatch {
  readonly lines: readonly SourcedLine[];
  readonly skipped: number;
  /** What is followed at the moment. */
  readonly sources: readonly LogSource[];
  readonly error: string | undefined;
}

interface Member {
  readonly source: LogSource;
  readonly view: LogView;
  /** Read, and not told yet. While there is one, no other is read. */
  batch: LogBatch | undefined;
  consumed: (() => void) | undefined;
  error: string | undefined;
}

/** How long lines that come at about the same time wait for each other, in milliseconds. */
const GATHER_MS = 150;

/**
 * Several containers' logs as one, in the order of time as far as lines are known at the same moment. Members come and
 * go. Each has at most one batch waiting here, so a slow reader costs no more than that.
 */
export class MergedLog extends OnDemand<MergedBatch> {
  readonly #members = new Map<string, Member>();
  readonly #onMemberEnd: (key: string) => void;
  readonly #clock: Clock;
  #number = 0;
  #news = false;
  #notice: string | undefined;
  #missed: string[] = [];
  #gathering: Timer | undefined;
  #isGathered = false;

  constructor(onMemberEnd: (key: string) => void, release: () => void, clock: Clock) {
    super(release);
    this.#onMemberEnd = onMemberEnd;
    this.#clock = clock;
  }

  has(key: string): boolean {
    return this.#members.has(key);
  }

  get size(): number {
    return this.#members.size;
  }

  /** A view that comes when all is over is returned at once: nobody would read it. */
  add(key: string, source: LogSource, view: LogView): void {
    if (this.isEnded) {
      void view.return();
      return;
    }
    const member: Member = { source, view, batch: undefined, consumed: undefined, error: undefined };
    this.#members.set(key, member);
    this.#changed();
    void this.#pump(key, member);
  }

  /** Something to be told along with the lines, until it is something else. */
  notice(text: string | undefined): void {
    if (text === this.#notice) return;
    this.#notice = text;
    this.#changed();
  }

  /** A log that should have been one of these and cannot be read: told once, with the next batch. */
  missed(why: string): void {
    this.#missed.push(why);
    this.#changed();
  }

  /** Also tells the first time that there is nothing. */
  changed(): void {
    this.#changed();
  }

  async #pump(key: string, member: Member): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await member.view.next();
        if (done === true) break;
        member.error = value.error;
        await new Promise<void>((resolve) => {
          member.batch = value;
          member.consumed = resolve;
          this.#changed();
        });
      }
    } catch (error) {
      this.fail(error as ApiError);
      return;
    }
    if (this.#members.get(key) === member) this.#members.delete(key);
    if (this.isEnded) return;
    this.#changed();
    this.#onMemberEnd(key);
  }

  #changed(): void {
    this.#news = true;
    this.look();
  }

  protected override read(): MergedBatch | undefined {
    if (!this.#news) return undefined;
    if (this.#isGathered) return this.#gathered();
    this.#gathering ??= this.#clock.after(GATHER_MS, () => {
      this.#gathering = undefined;
      this.#isGathered = true;
      this.look();
      this.#isGathered = false;
    });
    return undefined;
  }

  protected override stop(): void {
    this.#gathering?.cancel();
    for (const { view, consumed } of this.#members.values()) {
      consumed?.();
      void view.return();
    }
  }

  #gathered(): MergedBatch {
    this.#news = false;
    const members = [...this.#members.values()];
    const lines = members.flatMap(({ batch, source }) => (batch?.lines ?? []).map((line) => ({ ...line, ...source })));
    const skipped = members.reduce((sum, { batch }) => sum + (batch?.skipped ?? 0), 0);
    const troubled = members.find(({ error }) => error !== undefined);
    this.#number += skipped;
    const sorted = lines.toSorted((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
    for (const member of members) {
      member.batch = undefined;
      member.consumed?.();
      member.consumed = undefined;
    }
    return {
      lines: sorted.map((line) => ({ ...line, number: (this.#number += 1) })),
      skipped,
      sources: members.map(({ source }) => source),
      error: this.#wrong(troubled?.error),
    };
  }

  /** What is wrong, in a sentence or two. */
  #wrong(trouble: string | undefined): string | undefined {
    const [first, ...more] = this.#missed;
    this.#missed = [];
    const missed = more.length === 0 ? first : `${first} (${more.length} more)`;
    return [missed, this.#notice ?? trouble].filter((each) => each !== undefined).join(' ') || undefined;
  }
}
