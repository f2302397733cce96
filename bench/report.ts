import type { Idle } from './idle.ts';
import type { Percentiles } from './latency.ts';
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
  readonly joinMs: number;
  readonly costs: {
    readonly podBytes: number;
    readonly eventMicrosAmong100: number;
    readonly eventMicrosAmong10000: number;
  };
  readonly latency: Percentiles;
  readonly upstream: Record<number, { list: number; watch: number; reviews: number }>;
}

/** Tables in Markdown: for the terminal, and for docs/performance.md. */
export function report(results: Results): string {
  const { machine, at, full } = results;
  return [
    `${full ? 'Full' : 'Short'} run of ${at} on ${machine.cpus}, ${machine.memoryGb} GB, Node ${machine.node}; load before it ${machine.loadBefore.toFixed(1)}.`,
    table(
      ['variant', 'deliveries/s', 'CPU µs/delivery', 'bytes', 'loop delay p99 ms', 'max'],
      Object.entries(results.throughput).map(([name, each]) => [
        name,
        each.deliveriesPerSecond.toFixed(0),
        each.cpuMicros.toFixed(2),
        each.bytes.toFixed(0),
        each.delayP99Ms.toFixed(1),
        each.delayMaxMs.toFixed(1),
      ]),
    ),
    table(['measured', 'value'], others(results)),
    table(['target', 'wanted', 'measured', ''], targets(results)),
    '',
  ].join('\n\n');
}

function others({ idle, idleDeflate, joinMs, costs, latency, upstream }: Results): string[][] {
  return [
    [`RSS an idle subscriber, of ${idle.subscribers}`, `${(idle.rssBytes / 1_000).toFixed(1)} kB`],
    ...(idleDeflate ? [['the same, compression negotiated', `${(idleDeflate.rssBytes / 1_000).toFixed(1)} kB`]] : []),
    ['heap an idle subscriber', `${(idle.heapBytes / 1_000).toFixed(1)} kB`],
    ['1,000 joiners until the last has its snapshot of 200 pods', `${joinMs.toFixed(0)} ms`],
    ['cached pod', `${(costs.podBytes / 1_000).toFixed(1)} kB of heap`],
    ['one upstream event among 100 objects', `${costs.eventMicrosAmong100.toFixed(1)} µs`],
    ['among 10,000', `${costs.eventMicrosAmong10000.toFixed(1)} µs`],
    [
      'write in the cluster to client, p50, p90, p99',
      [latency.p50, latency.p90, latency.p99].map((each) => each.toFixed(1)).join(', ') + ' ms',
    ],
    ...Object.entries(upstream).map(([viewers, { list, watch, reviews }]) => [
      `upstream requests for ${viewers} viewers`,
      `${list} list, ${watch} watch, ${reviews} access reviews`,
    ]),
  ];
}

/** What issue 5 calls done. Ratios of deliveries a CPU second, each of one run. */
function targets({ throughput, idle, costs }: Results): string[][] {
  const cpu = (start: string, size: string) =>
    Object.entries(throughput).find(([name]) => name.startsWith(`${start}, `) && name.endsWith(size))?.[1].cpuMicros;
  const sizes = [...new Set(Object.keys(throughput).flatMap((name) => /kascade, (\d+)$/.exec(name)?.[1] ?? []))];
  const all: [what: string, wanted: number, measured: number][] = [
    ...sizes.flatMap((size): [string, number, number][] => {
      const list = cpu('list, raw broadcast', size);
      return [
        [
          `small change against raw broadcast, ${size}`,
          0.85,
          ratio(cpu('small, raw broadcast', size), exact('small', size)),
        ],
        [`full list against raw broadcast, ${size}`, 0.85, ratio(list, exact('list', size))],
        [
          `full list, compressed, against raw broadcast, ${size}`,
          1.5,
          ratio(list, cpu('list, kascade, compressed', size)),
        ],
      ];
    }),
    ['small change against plain yoga + graphql-ws', 10, ratio(cpu('small, plain', ''), exact('small', '1000'))],
    ['full list against plain yoga + graphql-ws', 60, ratio(cpu('list, plain', ''), exact('list', '1000'))],
  ];
  function exact(what: string, size: string): number | undefined {
    return throughput[`${what}, kascade, ${size}`]?.cpuMicros;
  }
  const rows = all.map(([what, wanted, is]) => [what, `≥ ${wanted} ×`, `${is.toFixed(2)} ×`, verdict(is >= wanted)]);
  const idleKb = idle.rssBytes / 1_000;
  rows.push(['RSS an idle subscriber', '≤ 30 kB', `${idleKb.toFixed(1)} kB`, verdict(idleKb <= 30)]);
  rows.push(['cached pod', '≤ 16 kB', `${(costs.podBytes / 1_000).toFixed(1)} kB`, verdict(costs.podBytes <= 16_000)]);
  const worst = Math.max(
    ...Object.entries(throughput).map(([name, each]) => (name.includes('kascade') ? each.delayP99Ms : 0)),
  );
  rows.push(['loop delay p99 under full load', '< 50 ms', `${worst.toFixed(1)} ms`, verdict(worst < 50)]);
  return rows;
}

function ratio(than = Number.NaN, ours = Number.NaN): number {
  return than / ours;
}

function verdict(holds: boolean): string {
  return holds ? 'yes' : 'NO';
}

function table(head: readonly string[], rows: readonly string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
