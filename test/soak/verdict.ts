import type { Holdings } from './probe.ts';
import { megabytes, type Sample, type Soaked } from './soak.ts';

export interface Row {
  readonly what: string;
  readonly baseline: string;
  readonly end: string;
  readonly isRight: boolean;
}

/** What may be left beyond the baseline: compiled code, and caches that are bounded by number. */
const HEAP_SLACK = 6 * 2 ** 20;
/** Pages that the allocator keeps. */
const RSS_SLACK = 64 * 2 ** 20;
/**
 * Bytes a minute by which the heap may grow while viewers come and go, some 400 of them in a minute; judged from so many
 * minutes on. It goes up and down with those who are there by several MiB.
 */
const SLOPE_LIMIT = 512 * 1024;
const SLOPE_MINUTES = 10;

/** What must hold after a soak. Whatever does not, is a leak or a lie. */
export function judge(soaked: Soaked): Row[] {
  const { account, different, comparisons, openAtEnd } = soaked;
  return [
    { what: 'breaches of order or set, seen by viewers', ...count(account.breaches.length) },
    { what: `sets unlike the cluster's, in ${comparisons} comparisons`, ...count(different.length) },
    ...Object.entries(openAtEnd).map(([what, open]) => ({ what, ...count(open) })),
    ...soaked.end.flatMap((end, index) => replicaRows(soaked, end, index)),
  ];
}

function replicaRows({ baseline, samples }: Soaked, end: Holdings, index: number): Row[] {
  const before = baseline[index];
  if (before === undefined) return [];
  const name = (what: string) => `server ${index + 1}: ${what}`;
  const own = samples.filter(({ replica }) => replica === index);
  const left = Object.entries(end.objects).filter(([, number]) => number > 0);
  return [
    memoryRow(name('heap'), before.heapBytes, end.heapBytes, HEAP_SLACK),
    memoryRow(name('RSS'), before.rssBytes, end.rssBytes, RSS_SLACK),
    slopeRow(name('heap, slope'), own, ({ heapBytes }) => heapBytes),
    { ...slopeRow(name('RSS, slope'), own, ({ rssBytes }) => rssBytes), isRight: true },
    ...[...new Set([...Object.keys(before.resources), ...Object.keys(end.resources)])].toSorted().map((kind) => {
      const [was, is] = [before.resources[kind] ?? 0, end.resources[kind] ?? 0];
      return { what: name(kind), baseline: String(was), end: String(is), isRight: is <= was };
    }),
    {
      what: name(`objects left of ${Object.keys(end.objects).length} classes (feeds, sessions, views, …)`),
      baseline: '0',
      end: left.length === 0 ? '0' : left.map(([kind, number]) => `${number} ${kind}`).join(', '),
      isRight: left.length === 0,
    },
    {
      what: name('warnings of Node'),
      baseline: '0',
      end: end.warnings.length === 0 ? '0' : end.warnings.join('; '),
      isRight: end.warnings.length === 0,
    },
  ];
}

function count(number: number): Omit<Row, 'what'> {
  return { baseline: '0', end: String(number), isRight: number === 0 };
}

function memoryRow(what: string, before: number, after: number, slack: number): Row {
  return { what, baseline: megabytes(before), end: megabytes(after), isRight: after <= before + slack };
}

/** Over the second half: by then everything that is kept on purpose is there. */
function slopeRow(what: string, samples: readonly Sample[], read: (sample: Sample) => number): Row {
  const last = samples.at(-1)?.atMs ?? 0;
  const late = samples.filter(({ atMs }) => atMs >= last / 2);
  const perMinute = slope(late.map((sample) => [sample.atMs / 60_000, read(sample)]));
  const isJudged = last >= SLOPE_MINUTES * 60_000;
  return {
    what,
    baseline: '',
    end: `${(perMinute / 1024).toFixed(0)} KiB a minute`,
    isRight: !isJudged || perMinute <= SLOPE_LIMIT,
  };
}

/** Of the line through the points, by least squares. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const [x, y] = [mean(points.map(([each]) => each)), mean(points.map(([, each]) => each))];
  const above = points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0);
  const below = points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
  return below === 0 ? 0 : above / below;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
