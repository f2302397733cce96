import type { ApiError } from '../errors.ts';
import type { LogBatch, LogView, NumberedLine } from './log-view.ts';

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

interface Waiting {
  resolve(result: IteratorResult<MergedBatch, undefined>): void;
  reject(error: Error): void;
}

/** How long lines that come at about the same time wait for each other, in milliseconds. */
const GATHER_MS = 150;

/**
 * Several containers' logs as one, in the order of time as far as lines are known at the same moment. Members come and
 * go. Each has at most one batch waiting here, so a slow reader costs no more than that. `return()` settles at once.
 */
export class MergedLog implements AsyncIterableIterator<MergedBatch, undefined> {
  readonly #members = new Map<string, Member>();
  readonly #release: () => void;
  readonly #onMemberEnd: (key: string) => void;
  #number = 0;
  #news = false;
  #notice: string | undefined;
  #waiting: Waiting | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #error: ApiError | undefined;
  #ended = false;

  constructor(onMemberEnd: (key: string) => void, release: () => void) {
    this.#onMemberEnd = onMemberEnd;
    this.#release = release;
  }

  has(key: string): boolean {
    return this.#members.has(key);
  }

  get size(): number {
    return this.#members.size;
  }

  add(key: string, source: LogSource, view: LogView): void {
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

  /** Also tells the first time that there is nothing. */
  changed(): void {
    this.#changed();
  }

  next(): Promise<IteratorResult<MergedBatch, undefined>> {
    if (this.#waiting !== undefined) return Promise.reject(new Error('next() was called before the last one settled'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#look();
    });
  }

  return(): Promise<IteratorResult<MergedBatch, undefined>> {
    this.#end();
    this.#take()?.resolve(DONE);
    return Promise.resolve(DONE);
  }

  fail(error: ApiError): void {
    if (this.#ended) return;
    this.#error = error;
    this.#end();
    this.#look();
  }

  [Symbol.asyncIterator](): this {
    return this;
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
    if (this.#ended) return;
    this.#changed();
    this.#onMemberEnd(key);
  }

  #changed(): void {
    this.#news = true;
    this.#look();
  }

  #look(): void {
    if (this.#waiting === undefined) return;
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      this.#take()?.reject(error);
    } else if (this.#ended) this.#take()?.resolve(DONE);
    else if (this.#news) this.#gathering ??= setTimeout(() => this.#tell(), GATHER_MS);
  }

  #tell(): void {
    this.#gathering = undefined;
    if (this.#waiting === undefined || this.#ended) return;
    this.#news = false;
    const members = [...this.#members.values()];
    const lines = members.flatMap(({ batch, source }) => (batch?.lines ?? []).map((line) => ({ ...line, ...source })));
    const skipped = members.reduce((sum, { batch }) => sum + (batch?.skipped ?? 0), 0);
    const troubled = members.find(({ error }) => error !== undefined);
    this.#number += skipped;
    const sorted = lines.toSorted((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
    const value: MergedBatch = {
      lines: sorted.map((line) => ({ ...line, number: (this.#number += 1) })),
      skipped,
      sources: members.map(({ source }) => source),
      error: this.#notice ?? troubled?.error,
    };
    this.#take()?.resolve({ done: false, value });
    for (const member of members) {
      member.batch = undefined;
      member.consumed?.();
      member.consumed = undefined;
    }
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#gathering);
    for (const { view, consumed } of this.#members.values()) {
      consumed?.();
      void view.return();
    }
    this.#release();
  }
}

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };
