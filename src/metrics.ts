import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Counters, CounterName } from './counters.ts';
import { COUNTERS, GAUGES } from './metric-catalogue.ts';
import type { GaugeName, GaugeReading } from './metric-catalogue.ts';
import type { Bus } from './pubsub/sharing/bus.ts';
import type { SharedBroker } from './pubsub/sharing/shared-broker.ts';
import type { SourceLoad } from './sources/load.ts';

/** Numbers that go up and down, read when they are asked for. */
export type Levels = { readonly [Name in GaugeName]: () => GaugeReading<Name> };

/** What a source of cluster state has to say. */
export function sourceLevels(load: () => SourceLoad) {
  return {
    watches: () => load().watches,
    stalest_watch_seconds: () => load().stalestMs / 1_000,
    upstream_agents: () => load().agents,
    upstream_streams: () => load().streams,
    upstream_connections: () => load().connections,
    upstream_fullest_agent_ratio: () => load().fullest,
  } satisfies Partial<Levels>;
}

/** What sharing with other replicas has to say, if there is any. */
export function sharingLevels(bus?: Pick<Bus, 'isUp'>, broker?: SharedBroker) {
  return {
    redis_up: () => bus && Number(bus.isUp),
    shared_feeds: () => broker?.roles ?? { leading: 0, following: 0, alone: 0 },
    sharing_unpublished_seconds: () => broker && broker.unpublishedMs / 1_000,
    sharing_unheard_seconds: () => broker && broker.unheardMs / 1_000,
  } satisfies Partial<Levels>;
}

/** What `/metrics` shows, in the text format of Prometheus: the catalogue's numbers, and prom-client's of the process. */
export class Metrics {
  readonly #registry = new Registry();

  constructor(counters: Counters, levels: Levels) {
    collectDefaultMetrics({ register: this.#registry });
    for (const [name, { help, labels }] of Object.entries(COUNTERS)) {
      this.#counter(counters, name as CounterName, help, Object.keys(labels));
    }
    for (const histogram of counters.histograms) this.#registry.registerMetric(histogram);
    for (const name of Object.keys(GAUGES) as GaugeName[]) this.#level(name, levels[name]);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #counter(counters: Counters, name: CounterName, help: string, labelNames: string[]): void {
    const counter: Counter = new Counter({
      name: `kascade_${name}_total`,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        for (const { labels, value } of counters.entries(name)) counter.inc(labels, value);
      },
    });
  }

  #level(name: GaugeName, read: () => number | undefined | Readonly<Record<string, number>>): void {
    const { help, ...rest } = GAUGES[name];
    const label = 'by' in rest ? rest.by.label : undefined;
    const gauge: Gauge = new Gauge({
      name: `kascade_${name}`,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [this.#registry],
      collect: () => {
        const reading = read();
        if (typeof reading === 'number') gauge.set(reading);
        else if (reading === undefined || label === undefined) gauge.remove();
        else for (const [value, amount] of Object.entries(reading)) gauge.set({ [label]: value }, amount);
      },
    });
  }
}
