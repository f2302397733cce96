import { parseArgs } from 'node:util';
import { table } from '../support/table.ts';
import { machine, write } from './report.ts';
import type { LoopDelay, Memory } from './probe.ts';
import { sleep, Stage, type Account } from './stage.ts';

const HELP = `npm run load [-- options]

Thousands of subscribers of many namespaces at once, each with a connection of its own, while pods change and the
streams upstream break once. Then every set must be the cluster's. Exit code 1 when one is not, or when somebody has
seen what must never be. Everything runs on this machine, clients in processes of their own, and ends by itself.

  --subscribers <n>  (5000)
  --namespaces <n>   (50)
  --seconds <n>      how long pods change (60)
  --replicas <n>     servers; more than one share through a Redis (3)
  --write            puts the report into docs/reliability.md
  --help
`;

const PODS_EACH = 20;
const CHANGES_PER_SECOND = 20;
/** Subscribers that one process of clients carries. */
const PER_CROWD = 2_500;
const JOIN_AT_ONCE = 250;
const EVENTS_SHARE = 0.1;
const CONVERGE_MS = 30_000;

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '5000' },
    namespaces: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '60' },
    replicas: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

interface Loaded {
  readonly joinMs: number;
  readonly before: readonly Memory[];
  readonly during: readonly Memory[];
  readonly after: readonly Memory[];
  readonly delays: readonly LoopDelay[];
  readonly changes: number;
  readonly account: Account;
  readonly different: readonly string[];
  readonly openAtEnd: Readonly<Record<string, number>>;
}

if (values.help) process.stdout.write(HELP);
else process.exitCode = await run(Number(values.subscribers), Number(values.namespaces), Number(values.seconds));
process.exit();

async function run(subscribers: number, namespaces: number, seconds: number): Promise<number> {
  const stage = await Stage.start({
    replicas: Number(values.replicas),
    crowds: Math.ceil(subscribers / PER_CROWD),
    namespaces,
    podsEach: PODS_EACH,
    users: Math.ceil(subscribers / 10),
    seed: 1,
    env: { LINGER_SECONDS: '2', MAX_UPGRADES_PER_SECOND: '0', MAX_SOCKETS_PER_VIEWER: '100' },
  });
  try {
    const loaded = await load(stage, subscribers, seconds);
    const text = report(loaded, { subscribers, namespaces, seconds, replicas: stage.replicas.length });
    process.stdout.write(`\n${text}\n`);
    if (values.write) write('load', text);
    const { account, different, openAtEnd } = loaded;
    const isEverybodyThere = Object.keys(account.endings).length === 0 && account.viewers === subscribers;
    const isAllReleased = Object.values(openAtEnd).every((open) => open === 0);
    return account.breaches.length === 0 && different.length === 0 && isEverybodyThere && isAllReleased ? 0 : 1;
  } finally {
    await stage.stop();
  }
}

async function load(stage: Stage, subscribers: number, seconds: number): Promise<Loaded> {
  const { cluster, replicas } = stage;
  const memories = () => Promise.all(replicas.map((replica) => replica.memory()));
  const before = await memories();
  const joinMs = await join(stage, subscribers);
  process.stdout.write(`All have joined after ${(joinMs / 1_000).toFixed(1)} s.\n`);
  const during = await memories();
  await Promise.all(replicas.map((replica) => replica.startDelay()));
  cluster.startChanging(CHANGES_PER_SECOND);
  await sleep((seconds * 1_000) / 2);
  cluster.cut();
  await sleep((seconds * 1_000) / 2);
  cluster.stopChanging();
  const delays = await Promise.all(replicas.map((replica) => replica.delay()));
  const different = await stage.different(CONVERGE_MS);
  const account = await stage.accounts();
  const { changes } = cluster;
  await stage.tell('leaveAll');
  const openAtEnd = await stage.released(CONVERGE_MS);
  return { joinMs, before, during, after: await memories(), delays, changes, account, different, openAtEnd };
}

/** Some hundreds at a time; a tenth of them over server-sent events. */
async function join(stage: Stage, subscribers: number): Promise<number> {
  const startedAt = performance.now();
  const shares = stage.crowds.map((crowd, index) => ({
    crowd,
    left: Math.floor(subscribers / stage.crowds.length) + (index < subscribers % stage.crowds.length ? 1 : 0),
  }));
  await Promise.all(
    shares.map(async ({ crowd, left }) => {
      for (let rest = left; rest > 0; rest -= JOIN_AT_ONCE) {
        const some = Math.min(JOIN_AT_ONCE, rest);
        const overEvents = Math.floor(some * EVENTS_SHARE);
        await crowd.ask('join', some - overEvents, 'websocket');
        await crowd.ask('join', overEvents, 'events');
      }
    }),
  );
  return performance.now() - startedAt;
}

interface Size {
  readonly subscribers: number;
  readonly namespaces: number;
  readonly seconds: number;
  readonly replicas: number;
}

function report(loaded: Loaded, { subscribers, namespaces, seconds, replicas }: Size): string {
  const { joinMs, before, during, after, delays, changes, account, different, openAtEnd } = loaded;
  const kilobytes = (memories: readonly Memory[]) =>
    memories.reduce((sum, { rssBytes }, index) => sum + rssBytes - (before[index]?.rssBytes ?? 0), 0) / 1_000;
  const endings = Object.entries(account.endings).map(([why, number]) => `${why} (${number})`);
  const open = Object.entries(openAtEnd).filter(([, level]) => level > 0);
  return [
    `Run of ${new Date().toISOString()} on ${machine()}: ${subscribers} subscribers of ${namespaces} namespaces with ${PODS_EACH} pods each, on ${replicas} ${replicas === 1 ? 'server' : 'servers'}; ${CHANGES_PER_SECOND} changes a second for ${seconds} s, and all streams upstream reset in the middle.`,
    table(
      ['what', 'measured'],
      [
        ['until the last of them had its snapshot', `${(joinMs / 1_000).toFixed(1)} s`],
        ['changes, and messages received', `${changes}, ${account.messages}`],
        ['breaches of order or set, seen by subscribers', String(account.breaches.length)],
        ["sets unlike the cluster's in the end", String(different.length)],
        ['streams that ended before their subscriber left', endings.join(', ') || '0'],
        [
          'loop delay p99, max',
          delays.map((each) => `${each.p99Ms.toFixed(0)}, ${each.maxMs.toFixed(0)} ms`).join('; '),
        ],
        ['RSS a subscriber', `${(kilobytes(during) / subscribers).toFixed(1)} kB`],
        ['heap before, with all of them, after they left', [before, during, after].map(heaps).join('; ')],
        ['left open afterwards', open.map(([what, level]) => `${what} (${level})`).join(', ') || 'nothing'],
      ],
    ),
  ].join('\n\n');
}

function heaps(memories: readonly Memory[]): string {
  return memories.map(({ heapBytes }) => `${(heapBytes / 2 ** 20).toFixed(1)} MiB`).join(', ');
}
