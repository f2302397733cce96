/** One metric as `/metrics` shows it. */
export interface Exposed {
  readonly type: string;
  /** The series' labels, without those that a histogram has of its own. */
  readonly labels: Set<string>;
  readonly series: Set<string>;
  /** The values that each label has. */
  readonly values: Map<string, Set<string>>;
}

/** Reads the text format of Prometheus, by the names that queries use (`_bucket`, `_sum`, `_count` of histograms). */
export function readExposition(text: string): Map<string, Exposed> {
  const types = new Map<string, string>();
  const exposed = new Map<string, Exposed>();
  for (const line of text.split('\n')) {
    const [, typed, type] = /^# TYPE (\S+) (\S+)/.exec(line) ?? [];
    if (typed !== undefined && type !== undefined) types.set(typed, type);
    const [, name, labels = ''] = /^([a-z_]\w*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    const metric = exposed.get(name) ?? {
      type: types.get(family) ?? 'untyped',
      labels: new Set(),
      series: new Set(),
      values: new Map(),
    };
    metric.series.add(labels);
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      if (label === 'le') continue;
      metric.labels.add(label);
      metric.values.set(label, (metric.values.get(label) ?? new Set()).add(value));
    }
    exposed.set(name, metric);
  }
  return exposed;
}

/** What is ours, by family: a histogram is one. */
export function families(exposed: ReadonlyMap<string, Exposed>): Map<string, Exposed> {
  const ours = [...exposed].filter(([name]) => name.startsWith('kascade_'));
  return new Map(
    ours
      .filter(([, { type }]) => type !== 'histogram')
      .concat(
        ours
          .filter(([name, { type }]) => type === 'histogram' && name.endsWith('_count'))
          .map(([name, metric]) => [name.replace(/_count$/, ''), metric]),
      ),
  );
}

/** The samples, by series as they are written: `kascade_watches{state="CONNECTED"}`. */
export function readSamples(text: string): Map<string, number> {
  const samples = [...text.matchAll(/^([a-z_]\w*(?:\{.*\})?) (\S+)$/gm)];
  return new Map(samples.map(([, series = '', value]) => [series, Number(value)]));
}
