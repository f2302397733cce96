import { MAX_LINE_BYTES, TimeKeys, type LogLine } from './log-line.ts';

const LINE_FEED = 0x0a;
const SPACE = 0x20;
/** Times are 20 to 35 characters long. */
const LATEST_SPACE = 40;
const MAX_KEPT = MAX_LINE_BYTES + LATEST_SPACE;

/**
 * Cuts the bytes of a log, asked for with times, into lines. Bytes are made text a line at a time, so a character that
 * is torn between two chunks is whole again; a loop and no recursion, so a chunk may hold any number of lines. Of a line
 * that is too long the beginning is kept and the rest is passed over.
 */
export class LineSplitter {
  readonly #times = new TimeKeys();
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #at = '';

  /** The lines completed by `chunk`. */
  push(chunk: Buffer): LogLine[] {
    const lines: LogLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      lines.push(this.#complete(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(Buffer.from(chunk.subarray(start)));
    return lines;
  }

  /** The log is over: its last line may have come without its end. */
  end(): LogLine[] {
    return this.#keptBytes === 0 ? [] : [this.#complete(Buffer.alloc(0))];
  }

  #keep(bytes: Buffer): void {
    // One byte more than fits is enough to know that it was too long.
    const room = MAX_KEPT + 1 - this.#keptBytes;
    if (room <= 0) return;
    const part = bytes.subarray(0, room);
    this.#kept.push(part);
    this.#keptBytes += part.length;
  }

  #complete(last: Buffer): LogLine {
    if (this.#keptBytes === 0) return this.#line(last);
    this.#keep(last);
    const whole = Buffer.concat(this.#kept, this.#keptBytes);
    this.#kept = [];
    this.#keptBytes = 0;
    return this.#line(whole);
  }

  #line(bytes: Buffer): LogLine {
    const space = bytes.subarray(0, LATEST_SPACE).indexOf(SPACE);
    const stamp = bytes.toString('latin1', 0, space < 0 ? Math.min(bytes.length, LATEST_SPACE) : space);
    const at = this.#times.of(stamp);
    // An empty line is its time and nothing else, with or without the space.
    const start = at === undefined ? 0 : stamp.length + 1;
    const isLong = bytes.length - start > MAX_LINE_BYTES;
    const end = isLong ? endOfCharacter(bytes, start + MAX_LINE_BYTES) : bytes.length;
    this.#at = at ?? this.#at;
    return {
      timestamp: at === undefined ? undefined : stamp,
      at: this.#at,
      content: bytes.toString('utf8', Math.min(start, end), end),
      truncated: isLong,
    };
  }
}

/** The last place at or before `end` that is not within a character. */
function endOfCharacter(bytes: Buffer, end: number): number {
  let place = end;
  while (place > end - 4 && ((bytes[place] ?? 0) & 0xc0) === 0x80) place -= 1;
  return place;
}
