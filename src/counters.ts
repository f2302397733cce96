import { Histogram } from 'prom-client';
import { COUNTERS, HISTOGRAMS } from './metric-catalogue.ts';
import type { CounterLabels, CounterName, HistogramName } from './metric-catalogue.ts';

export type { CounterName } from './metric-catalogue.ts';

export type Labels = Readonly<Record<string, string>>;

/** One counter with one set of labels. */
export interface Series {
  readonly name: CounterName;
  readonly labels: Labels;
  value: number;
}

/** What a label says whose value is not one of those in the catalogue. */
export const OTHER = 'other';

type Labelled<Name extends CounterName> = keyof CounterLabels<Name> extends never
  ? [labels?: Record<string, never>, by?: number]
  : [labels: CounterLabels<Name> & Labels, by?: number];

/**
 * What has happened since the process started: numbers that only grow, and how durations are distributed. Every
 * series is there from the start, at 0, so that a first occurrence is an increase; which there are, the catalogue says.
 */
export class Counters {
  readonly #series = new Map<CounterName, Map<string, Series>>();
  readonly #histograms = new Map<HistogramName, Histogram>();

  constructor() {
    for (const name of keysOf(COUNTERS)) {
      const series = combinations(COUNTERS[name].labels).map((labels): Series => ({ name, labels, value: 0 }));
      this.#series.set(name, new Map(series.map((each) => [keyOf(name, each.labels), each])));
    }
    for (const name of keysOf(HISTOGRAMS)) {
      const { help, buckets } = HISTOGRAMS[name];
      this.#histograms.set(
        name,
        new Histogram({ name: `kascade_${name}`, help, buckets: [...buckets], registers: [] }),
      );
    }
  }

  add<Name extends CounterName>(name: Name, ...[labels = {}, by = 1]: Labelled<Name>): void {
    this.#find(name, labels).value += by;
  }

  /** For where it is counted so often that finding the series each time would be felt: add to its `value`. */
  series<Name extends CounterName>(name: Name, ...[labels = {}]: Labelled<Name>): Series {
    return this.#find(name, labels);
  }

  /** Notes one duration, in seconds. */
  observe(name: HistogramName, seconds: number): void {
    this.#histograms.get(name)?.observe(seconds);
  }

  /** The sum of all whose labels include these. */
  value(name: CounterName, labels: Labels = {}): number {
    const fits = (series: Series) => Object.entries(labels).every(([label, value]) => series.labels[label] === value);
    return this.entries(name)
      .filter(fits)
      .reduce((total, { value }) => total + value, 0);
  }

  /** Of one counter, or of all. */
  entries(name?: CounterName): Series[] {
    const all = name === undefined ? [...this.#series.values()] : [this.#series.get(name) ?? new Map<string, Series>()];
    return all.flatMap((series) => [...series.values()]);
  }

  get histograms(): readonly Histogram[] {
    return [...this.#histograms.values()];
  }

  #find(name: CounterName, labels: Labels): Series {
    const ofName = this.#series.get(name) ?? new Map<string, Series>();
    const known = ofName.get(keyOf(name, labels));
    if (known !== undefined) return known;
    const closed = withoutUnlisted(name, labels);
    const key = keyOf(name, closed);
    const series = ofName.get(key) ?? { name, labels: closed, value: 0 };
    ofName.set(key, series);
    return series;
  }
}

function keyOf(name: CounterName, labels: Labels): string {
  let key = '';
  for (const label in COUNTERS[name].labels) key += `${labels[label]}\n`;
  return key;
}

function withoutUnlisted(name: CounterName, labels: Labels): Labels {
  const known: Readonly<Record<string, readonly string[]>> = COUNTERS[name].labels;
  const pairs = Object.entries(known).map(([label, values]) => {
    const value = labels[label] ?? OTHER;
    return [label, values.includes(value) ? value : OTHER];
  });
  return Object.fromEntries(pairs) as Labels;
}

/** Every set of labels that the values allow. */
function combinations(labels: Readonly<Record<string, readonly string[]>>): Labels[] {
  return Object.entries(labels).reduce<Labels[]>(
    (sets, [label, values]) => sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
    [{}],
  );
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[];
}
