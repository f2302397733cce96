const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** As kubectl abbreviates it: 34s, 5m, 3h20m, 2d. */
export function duration(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  if (time < 2 * MINUTE) return `${Math.floor(time / SECOND)}s`;
  if (time < 10 * MINUTE) return two(time, MINUTE, 'm', SECOND, 's');
  if (time < 3 * HOUR) return `${Math.floor(time / MINUTE)}m`;
  if (time < 8 * HOUR) return two(time, HOUR, 'h', MINUTE, 'm');
  if (time < 2 * DAY) return `${Math.floor(time / HOUR)}h`;
  return `${Math.floor(time / DAY)}d`;
}

function two(time: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((time % big) / small);
  return `${Math.floor(time / big)}${bigName}${rest === 0 ? '' : `${rest}${smallName}`}`;
}
