import { table } from '../test/support/table.ts';
import { growth } from './event-cost.ts';
import type { EventCost } from './event-cost.ts';
import type { Idle } from './idle.ts';
import type { Joining } from './joining.ts';
import type { Percentiles } from './latency.ts';
import type { Shared } from './sharing.ts';
import { median } from './throughput.ts';
import type { Measured } from './throughput.ts';

export interface Results {
  readonly at: string;
  readonly full: boolean;
  readonly machine: {
    readonly cpus: string;
    readonly memoryGb: number;
    readonly node: string;
    readonly loadBefore: number;
  };
  readonly throughput: Readonly<Record<string, Measured>>;
  readonly idle: Idle;
  /** With compression negotiated; only in a full run. */
  readonly idleDeflate: Idle | undefined;
  readonly joiners: Joining;
  readonly largeSnapshot: Joining;
  readonly events: readonly EventCost[];
  readonly costs: {
    readonly podBytes: number;
    readonly eventMicrosAmong100: number;
    readonly eventMicrosAmong10000: number;
  };
  readonly latency: Percentiles;
  readonly upstream: Record<number, { list: number; watch: number; reviews: number }>;
  /** Two replicas; undefined where there is no Redis. */
  readonly shared: Shared | undefined;
}

/** Tables in Markdown: for the terminal, and for docs/performance.md. */
export function report(results: Results): string {
  const { machine, at, full } = results;
  return [
    `${full ? 'Full' : 'Short'} run of ${at} on ${machine.cpus}, ${machine.memoryGb} GB, Node ${machine.node}; load before it ${machine.loadBefore.toFixed(1)}.`,
    table(
      ['variant', 'deliveries/s', 'CPU µs/delivery', 'of it kernel', 'bytes', 'loop delay p99 ms', 'max'],
      Object.entries(results.throughput).map(([name, each]) => [
        name,
        each.deliveriesPerSecond.toFixed(0),
        each.cpuMicros.toFixed(2),
        each.systemMicros.toFixed(2),
        each.bytes.toFixed(0),
        each.delayP99Ms.toFixed(1),
        each.delayMaxMs.toFixed(1),
      ]),
    ),
    table(
      ['one event of one pod, subscribers', 'CPU µs', 'raw broadcast', 'difference'],
      results.events.map(({ subscribers, micros, rawMicros }) => [
        String(subscribers),
        ...[micros, rawMicros, micros - rawMicros].map((each) => each.toFixed(0)),
      ]),
    ),
    table(['measured', 'value'], others(results)),
    ...(results.shared ? [table(['with Redis, two replicas', 'value'], sharedRows(results.shared))] : []),
    table(['target', 'wanted', 'measured', ''], targets(results)),
    '',
  ].join('\n\n');
}

function sharedRows({ leader, follower, commandsAChange, podBytes, logBytes }: Shared): string[][] {
  const commands = Object.entries(commandsAChange).map(([name, calls]) => `${calls.toFixed(1)} ${name}`);
  return [
    ['write in the cluster to a client of the replica that watches, p50, p90, p99', milliseconds(leader)],
    ['to a client of the other', milliseconds(follower)],
    ['commands a change', commands.join(', ')],
    ['a pod in Redis', `${(podBytes / 1_000).toFixed(1)} kB`],
    ['log of the last changes', `${(logBytes / 1_000).toFixed(0)} kB`],
  ];
}

function others({ idle, idleDeflate, joiners, largeSnapshot, costs, latency, upstream }: Results): string[][] {
  return [
    [`RSS an idle subscriber, of ${idle.subscribers}`, `${(idle.rssBytes / 1_000).toFixed(1)} kB`],
    ...(idleDeflate ? [['the same, compression negotiated', `${(idleDeflate.rssBytes / 1_000).toFixed(1)} kB`]] : []),
    ['heap an idle subscriber', `${(idle.heapBytes / 1_000).toFixed(1)} kB`],
    ['1,000 joiners until the last has its snapshot of 200 pods', `${joiners.ms.toFixed(0)} ms`],
    ['longest loop delay meanwhile', `${joiners.delayMaxMs.toFixed(0)} ms`],
    ['first joiner until it has its snapshot of 5,000 pods', `${largeSnapshot.ms.toFixed(0)} ms`],
    ['longest loop delay meanwhile', `${largeSnapshot.delayMaxMs.toFixed(0)} ms`],
    ['cached pod', `${(costs.podBytes / 1_000).toFixed(1)} kB of heap`],
    ['one upstream event among 100 objects', `${costs.eventMicrosAmong100.toFixed(1)} µs`],
    ['among 10,000', `${costs.eventMicrosAmong10000.toFixed(1)} µs`],
    ['write in the cluster to client, p50, p90, p99', milliseconds(latency)],
    ...Object.entries(upstream).map(([viewers, { list, watch, reviews }]) => [
      `upstream requests for ${viewers} viewers`,
      `${list} list, ${watch} watch, ${reviews} access reviews`,
    ]),
  ];
}

/** What is aimed at. Ratios of deliveries a CPU second, each of one run. */
function targets({ throughput, idle, costs, events, shared }: Results): string[][] {
  const found = (start: string, size: string) =>
    Object.entries(throughput).find(([name]) => name.startsWith(`${start}, `) && name.endsWith(size))?.[1];
  const sizes = [...new Set(Object.keys(throughput).flatMap((name) => /kascade, (\d+)$/.exec(name)?.[1] ?? []))];
  const all: [what: string, wanted: number, measured: number][] = [
    ...sizes.flatMap((size): [string, number, number][] => {
      const list = found('list, raw broadcast', size);
      return [
        [
          `small change against raw broadcast, ${size}`,
          0.85,
          ratio(found('small, raw broadcast', size), exact('small', size)),
        ],
        [`full list against raw broadcast, ${size}`, 0.85, ratio(list, exact('list', size))],
        [
          `full list, compressed, against raw broadcast, ${size}`,
          1.5,
          ratio(list, found('list, kascade, compressed', size)),
        ],
      ];
    }),
    [
      'small change against plain yoga + graphql-ws',
      10,
      ratioOfMedians(found('small, plain', ''), exact('small', '1000')),
    ],
    ['full list against plain yoga + graphql-ws', 60, ratioOfMedians(found('list, plain', ''), exact('list', '1000'))],
  ];
  function exact(what: string, size: string): Measured | undefined {
    return throughput[`${what}, kascade, ${size}`];
  }
  const rows = all.map(([what, wanted, is]) => [what, `≥ ${wanted} ×`, `${is.toFixed(2)} ×`, verdict(is >= wanted)]);
  const grows = growth(events);
  rows.push([
    'cost of an event, 1 to 1,000 subscribers, against the writes of a raw broadcast',
    '≤ 1.18 × (1 / 0.85)',
    `${grows.toFixed(2)} ×`,
    verdict(grows <= 1 / 0.85),
  ]);
  const idleKb = idle.rssBytes / 1_000;
  rows.push(['RSS an idle subscriber', '≤ 30 kB', `${idleKb.toFixed(1)} kB`, verdict(idleKb <= 30)]);
  rows.push(['cached pod', '≤ 16 kB', `${(costs.podBytes / 1_000).toFixed(1)} kB`, verdict(costs.podBytes <= 16_000)]);
  const worst = Math.max(
    ...Object.entries(throughput).map(([name, each]) => (name.includes('kascade') ? each.delayP99Ms : 0)),
  );
  if (shared !== undefined) {
    const more = shared.follower.p50 - shared.leader.p50;
    rows.push(['latency over Redis against local, p50', '≤ 5 ms more', `${more.toFixed(1)} ms`, verdict(more <= 5)]);
  }
  rows.push(['loop delay p99 under full load', '< 50 ms', `${worst.toFixed(1)} ms`, verdict(worst < 50)]);
  return rows;
}

function milliseconds({ p50, p90, p99 }: Percentiles): string {
  return [p50, p90, p99].map((each) => each.toFixed(1)).join(', ') + ' ms';
}

/** Of what took turns: the median over the rounds of their ratios, since a machine is faster in one minute than in another. */
function ratio(than: Measured | undefined, ours: Measured | undefined): number {
  const ratios = (ours?.rounds ?? []).map((micros, round) => (than?.rounds[round] ?? Number.NaN) / micros);
  return median(ratios);
}

function ratioOfMedians(than: Measured | undefined, ours: Measured | undefined): number {
  return (than?.cpuMicros ?? Number.NaN) / (ours?.cpuMicros ?? Number.NaN);
}

function verdict(holds: boolean): string {
  return holds ? 'yes' : 'NO';
}
