import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { CounterName, Counters } from './counters.ts';

/** Numbers that go up and down, read when they are asked for. */
export interface Levels {
  /** WebSocket connections of clients. */
  readonly sockets: () => number;
  /** Collections that are watched, or linger. */
  readonly feeds: () => number;
  /** Upstream streams, over all agents. */
  readonly upstreamStreams: () => number;
}

interface Described {
  readonly help: string;
  readonly labels: readonly string[];
}

const COUNTERS: Record<CounterName, Described> = {
  limits_hit: { help: 'Refusals by a limit, named by its environment variable.', labels: ['limit'] },
  denials: { help: 'Requests that somebody had no right to, by error code.', labels: ['code'] },
  revocations: { help: 'Subscriptions ended because a right was lost, by error code.', labels: ['code'] },
  reviews: { help: 'Access reviews asked of clusters, by result.', labels: ['result'] },
  mutations: { help: 'Changes asked for, by verb and what became of them.', labels: ['verb', 'decision'] },
  service_token_problems: { help: 'Times the service token could not be used, by problem.', labels: ['problem'] },
};

/** What `/metrics` shows, in the text format of Prometheus. Labels are few and known beforehand. */
export class Metrics {
  readonly #registry = new Registry();

  constructor(counters: Counters, levels: Levels) {
    collectDefaultMetrics({ register: this.#registry });
    for (const [name, { help, labels }] of Object.entries(COUNTERS)) {
      this.#counter(counters, name as CounterName, help, labels);
    }
    this.#level('kascade_sockets', 'WebSocket connections of clients.', levels.sockets);
    this.#level('kascade_feeds', 'Collections that are watched, or linger.', levels.feeds);
    this.#level('kascade_upstream_streams', 'Upstream streams, over all agents.', levels.upstreamStreams);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #counter(counters: Counters, name: CounterName, help: string, labels: readonly string[]): void {
    const entries = () => counters.entries().filter((count) => count.name === name);
    const counter: Counter = new Counter({
      name: `kascade_${name}_total`,
      help,
      // `other` gathers what would have been too many series.
      labelNames: [...labels, 'other'],
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        for (const { labels: values, value } of entries()) counter.inc(values, value);
      },
    });
  }

  #level(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.#registry], collect: () => gauge.set(read()) });
  }
}
