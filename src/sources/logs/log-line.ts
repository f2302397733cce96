/** One line that a container has printed. */
export interface LogLine {
  /** When, as its node wrote it: RFC 3339 with up to nine digits of a second. Undefined when it does not say. */
  readonly timestamp: string | undefined;
  /** The same in a form that sorts as time does; that of the line before when there is none. */
  readonly at: string;
  readonly content: string;
  /** It was longer than `MAX_LINE_BYTES`; the rest is not here. */
  readonly truncated: boolean;
}

/** The longest line that is kept whole, in bytes of UTF-8 without its time. */
export const MAX_LINE_BYTES = 64 * 1024;

/** About what a line takes up, in bytes. */
export function sizeOf({ content, timestamp }: LogLine): number {
  return content.length + (timestamp?.length ?? 0) + 120;
}

const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Turns the times of lines into keys that sort as time does, down to the nanosecond. Remembers the second it is in. */
export class TimeKeys {
  #second = '';
  #zone = '';
  #key = '';

  /** Undefined for what is no time. */
  of(timestamp: string): string | undefined {
    const match = RFC_3339.exec(timestamp);
    const [, second, fraction = '', zone] = match ?? [];
    if (second === undefined || zone === undefined) return undefined;
    if (second !== this.#second || zone !== this.#zone) {
      const milliseconds = Date.parse(second + zone);
      if (Number.isNaN(milliseconds)) return undefined;
      [this.#second, this.#zone, this.#key] = [second, zone, keyOfSecond(milliseconds / 1_000)];
    }
    return `${this.#key}.${fraction.padEnd(9, '0')}`;
  }
}

/** The key of a moment in milliseconds since 1970. */
export function timeKey(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1_000);
  const nanoseconds = Math.floor((milliseconds - second * 1_000) * 1e6);
  return `${keyOfSecond(second)}.${nanoseconds.toString().padStart(9, '0')}`;
}

/** Shifted by the year 1, so that it is never negative. */
function keyOfSecond(second: number): string {
  return (second + 62_135_596_800).toString().padStart(12, '0');
}
