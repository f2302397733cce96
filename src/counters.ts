/** What is counted. A label's values are few and known beforehand: never a name, an address or a credential. */
export type CounterName =
  /** `limit`: the environment variable of the limit that somebody ran into. */
  | 'limits_hit'
  /** `code`: with which error. */
  | 'denials'
  | 'revocations'
  /** `result`: allowed, denied, failed. */
  | 'reviews'
  /** `verb`, `decision`. */
  | 'mutations'
  /** `problem`: refused, unreadable. */
  | 'service_token_problems';

export type Labels = Readonly<Record<string, string>>;

export interface Count {
  readonly name: CounterName;
  readonly labels: Labels;
  readonly value: number;
}

/** More combinations of labels than this mean that something unbounded became a label: those are counted together. */
export const MAX_SERIES = 500;

/** Numbers that only grow: what happened since the process started, by name and labels. */
export class Counters {
  readonly #series = new Map<string, { readonly name: CounterName; readonly labels: Labels; value: number }>();

  add(name: CounterName, labels: Labels = {}): void {
    const id = JSON.stringify([name, ...Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
    const known = this.#series.get(id);
    if (known !== undefined) known.value += 1;
    else if (this.#series.size < MAX_SERIES || labels['other'] !== undefined) {
      this.#series.set(id, { name, labels, value: 1 });
    } else this.add(name, { other: 'true' });
  }

  /** The sum of all whose labels include these. */
  value(name: CounterName, labels: Labels = {}): number {
    const fits = (count: Count) =>
      count.name === name && Object.entries(labels).every(([label, value]) => count.labels[label] === value);
    return this.entries()
      .filter(fits)
      .reduce((total, { value }) => total + value, 0);
  }

  entries(): Count[] {
    return [...this.#series.values()];
  }
}
