import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { Child } from './child.ts';
import { eventCases, eventCosts } from './event-cost.ts';
import { idleMemory } from './idle.ts';
import { joining } from './joining.ts';
import { latency } from './latency.ts';
import { report } from './report.ts';
import type { Results } from './report.ts';
import { sharing } from './sharing.ts';
import { compare } from './throughput.ts';
import type { Case } from './throughput.ts';

const HELP = `npm run bench            about a minute, 1,000 subscribers
npm run bench -- --full  some eight minutes, 5,000 subscribers as well

Everything runs on this machine and on loopback, with at least 2 cores; every process ends by itself. Prints tables and
writes bench/results/latest.json. What is compared takes turns, so compare the ratios of one run; other load distorts
loop delays most of all. What the names mean: docs/performance.md.
`;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}

const full = process.argv.includes('--full');
const results = new URL('./results/', import.meta.url);

function cases(subscribers: number): Case[] {
  const one = { subscribers, shapes: 1, deflate: false };
  const small = { ...one, changed: 5, events: subscribers > 1_000 ? 60 : 200 };
  const list = { ...one, changed: 200, events: subscribers > 1_000 ? 10 : 40 };
  return [
    { ...small, name: `small, raw broadcast, ${subscribers}`, kind: 'raw' },
    { ...small, name: `small, kascade, ${subscribers}`, kind: 'kascade' },
    { ...small, name: `small, kascade, 100 shapes, ${subscribers}`, kind: 'kascade', shapes: 100 },
    { ...list, name: `list, raw broadcast, ${subscribers}`, kind: 'raw' },
    { ...list, name: `list, kascade, ${subscribers}`, kind: 'kascade' },
    { ...list, name: `list, kascade, compressed, ${subscribers}`, kind: 'kascade', deflate: true },
    ...(full && subscribers === 1_000
      ? [
          {
            ...list,
            name: `list, kascade, 100 shapes, ${subscribers}`,
            kind: 'kascade' as const,
            shapes: 100,
            events: 5,
          },
        ]
      : []),
  ];
}

/** It takes seconds for one event to all of 1,000. */
function plainCases(): Case[] {
  const one = { subscribers: full ? 1_000 : 100, shapes: 1, deflate: false, kind: 'plain' as const };
  return [
    { ...one, name: `small, plain, ${one.subscribers}`, changed: 5, events: 3 },
    { ...one, name: `list, plain, ${one.subscribers}`, changed: 200, events: 1 },
  ];
}

async function costs(): Promise<Results['costs']> {
  const server = new Child('./server.ts');
  try {
    return {
      podBytes: await server.ask<number>('podBytes', 5_000),
      eventMicrosAmong100: await server.ask<number>('eventMicros', 100),
      eventMicrosAmong10000: await server.ask<number>('eventMicros', 10_000),
    };
  } finally {
    server.stop();
  }
}

async function wholeServer(): Promise<Pick<Results, 'latency' | 'upstream'>> {
  const whole = new Child('./whole.ts');
  try {
    const url = await whole.ask<string>('start');
    const latencies = await latency(whole, url, full ? 400 : 60);
    const upstream: Results['upstream'] = {};
    for (const viewers of full ? [1, 10, 100, 1_000] : [1, 10, 100]) {
      upstream[viewers] = await whole.ask('upstream', viewers);
    }
    return { latency: latencies, upstream };
  } finally {
    whole.stop();
  }
}

const startedAt = new Date();
const rounds = full ? 7 : 3;
const sizes = full ? [1_000, 5_000] : [1_000];
const throughput = [];
for (const size of sizes) {
  const all = size === 1_000 ? [...cases(size), ...plainCases()] : cases(size);
  throughput.push(...(await compare(all, rounds)));
}
const measured: Results = {
  at: startedAt.toISOString(),
  machine: {
    cpus: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  },
  full,
  throughput: Object.fromEntries(throughput),
  idle: await idleMemory(full ? 5_000 : 3_000, false),
  idleDeflate: full ? await idleMemory(5_000, true) : undefined,
  events: eventCosts(await compare(eventCases(), rounds)),
  joiners: await joining({ subscribers: 1_000, pods: 200, times: full ? 5 : 1 }),
  largeSnapshot: await joining({ subscribers: 1, pods: 5_000, times: full ? 5 : 3 }),
  costs: await costs(),
  ...(await wholeServer()),
  shared: await sharing(full ? 400 : 60),
};

mkdirSync(results, { recursive: true });
writeFileSync(new URL('latest.json', results), `${JSON.stringify(measured, null, 2)}\n`);
process.stdout.write(report(measured));
process.exit(0);
