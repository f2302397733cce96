import { sizeOf, type LogLine } from '../sources/logs/log-line.ts';

/** What is kept of one container's log, for those who come later and those who read slowly. */
export const KEPT_LINES = 10_000;
export const KEPT_BYTES = 8 * 1024 * 1024;

/** The last lines of a log, numbered from 0 in the order in which they came. Bounded by lines and by bytes. */
export class LogRing {
  readonly #maxLines: number;
  readonly #maxBytes: number;
  #lines: LogLine[] = [];
  /** Where in the array the first line is that still counts. */
  #head = 0;
  #bytes = 0;
  #end = 0;

  constructor(maxLines = KEPT_LINES, maxBytes = KEPT_BYTES) {
    this.#maxLines = maxLines;
    this.#maxBytes = maxBytes;
  }

  /** The number of the oldest line kept. */
  get start(): number {
    return this.#end - this.size;
  }

  /** The number that the next line will have. */
  get end(): number {
    return this.#end;
  }

  get size(): number {
    return this.#lines.length - this.#head;
  }

  push(line: LogLine): void {
    this.#lines.push(line);
    this.#end += 1;
    this.#bytes += sizeOf(line);
    while (this.size > 1 && (this.size > this.#maxLines || this.#bytes > this.#maxBytes)) this.#drop();
    if (this.#head > this.#maxLines) {
      this.#lines = this.#lines.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The line of that number; undefined when it is not kept any more, or not here yet. */
  at(number: number): LogLine | undefined {
    return number < this.start ? undefined : this.#lines[this.#head + number - this.start];
  }

  #drop(): void {
    const line = this.#lines[this.#head];
    if (line !== undefined) this.#bytes -= sizeOf(line);
    // Not shifted, which is slow; but let go of.
    this.#lines[this.#head] = GONE;
    this.#head += 1;
  }
}

const GONE: LogLine = { timestamp: undefined, at: '', content: '', truncated: false };
