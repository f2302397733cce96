import type { Clock } from '../../clock.ts';
import { UpstreamError } from '../upstream-error.ts';
import { LineSplitter } from './line-splitter.ts';
import { sizeOf, type LogLine } from './log-line.ts';
import type { LogHandle, LogListener } from './log-source.ts';

/** How long reading what there is of a log may take, in milliseconds. */
export const READ_DEADLINE_MS = 25_000;
/** What is kept of it, in bytes: the newest lines. */
export const READ_BYTES = 8 * 1024 * 1024;

export interface ReadLog {
  readonly lines: readonly LogLine[];
  /** Older lines that were asked for, and did not fit. */
  readonly skipped: number;
}

/** Reads a log to its end, keeping the last of it. Rejects with an UpstreamError. */
export function readLog(clock: Clock, open: (listener: LogListener) => LogHandle): Promise<ReadLog> {
  return new Promise((resolve, reject) => {
    const splitter = new LineSplitter();
    const kept = new Newest();
    const deadline = clock.after(READ_DEADLINE_MS, () => {
      handle.close();
      reject(new UpstreamError('timeout', `The log was not read within ${READ_DEADLINE_MS / 1_000} s.`));
    });
    const handle = open({
      opened: () => undefined,
      data: (chunk) => kept.add(splitter.push(chunk)),
      ended: (error) => {
        deadline.cancel();
        if (error !== undefined) {
          reject(error);
          return;
        }
        kept.add(splitter.end());
        resolve(kept);
      },
    });
  });
}

class Newest implements ReadLog {
  readonly lines: LogLine[] = [];
  skipped = 0;
  #bytes = 0;

  add(lines: readonly LogLine[]): void {
    for (const line of lines) {
      this.lines.push(line);
      this.#bytes += sizeOf(line);
    }
    let surplus = 0;
    for (; this.#bytes > READ_BYTES && surplus < this.lines.length - 1; surplus += 1) {
      const line = this.lines[surplus];
      if (line !== undefined) this.#bytes -= sizeOf(line);
    }
    if (surplus === 0) return;
    this.lines.splice(0, surplus);
    this.skipped += surplus;
  }
}
