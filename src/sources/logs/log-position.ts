import type { LogLine } from './log-line.ts';

/** Contents remembered of one moment; more lines than this at one nanosecond are not told apart. */
const MAX_CONTENTS = 1_000;

/**
 * How far a log has been read, so that another reading of it can be joined on without a gap and without a line twice.
 * Upstream cuts by the second at best, so the two overlap; and more than one line may bear the same time.
 */
export class LogPosition {
  /** The time of the last line, as its node wrote it. Undefined while there was none. */
  timestamp: string | undefined;
  #at = '';
  #contents: string[] = [];

  advance(line: LogLine): void {
    if (line.at !== this.#at) {
      this.#at = line.at;
      this.#contents = [];
    }
    this.timestamp = line.timestamp ?? this.timestamp;
    if (this.#contents.length < MAX_CONTENTS) this.#contents.push(line.content);
  }

  /** Tells, of each line of an overlapping reading in turn, whether it comes after this position. */
  isAfter(): (line: LogLine) => boolean {
    if (this.#contents.length === 0) return () => true;
    const at = this.#at;
    const known = [...this.#contents];
    let isPast = false;
    return (line) => {
      if (isPast || line.at > at) {
        isPast = true;
        return true;
      }
      if (line.at < at) return false;
      const index = known.indexOf(line.content);
      if (index < 0) return true;
      known.splice(index, 1);
      return false;
    };
  }
}
