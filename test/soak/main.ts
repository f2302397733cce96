import { parseArgs } from 'node:util';
import { table } from '../support/table.ts';
import { machine, write } from './report.ts';
import { soak, type Plan, type Soaked } from './soak.ts';
import { Stage } from './stage.ts';
import { judge, type Row } from './verdict.ts';

const HELP = `npm run soak [-- options]

Viewers come and go while pods change and the way to the cluster breaks; then everybody leaves, and everything must
be as it was before. Exit code 1 when it is not. Everything runs on this machine and ends by itself; beside the
minutes asked for it takes up to three.

  --minutes <n>   how long viewers come and go (3)
  --replicas <n>  servers; more than one share through a Redis (1)
  --seed <n>      of all chance (1)
  --write         puts the report into docs/reliability.md
  --help
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    replicas: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else process.exitCode = await run();
process.exit();

async function run(): Promise<number> {
  const plan: Plan = { minutes: Number(values.minutes), changesPerSecond: 20, joinsPerSecond: 8, cutEveryMs: 60_000 };
  const env = { LINGER_SECONDS: '2', MAX_SOCKETS_PER_VIEWER: '100', MAX_FEEDS_PER_VIEWER: '100' };
  const stage = await Stage.start({
    replicas: Number(values.replicas),
    crowds: 1,
    namespaces: 6,
    podsEach: 20,
    users: 100,
    seed: Number(values.seed),
    env,
  });
  try {
    const soaked = await soak(stage, plan, (text) => process.stdout.write(`${text}\n`));
    const rows = judge(soaked);
    const text = report(plan, soaked, rows);
    process.stdout.write(`\n${text}\n`);
    if (values.write) write(stage.replicas.length === 1 ? 'soak' : 'soak of replicas', text);
    return rows.every(({ isRight }) => isRight) ? 0 : 1;
  } finally {
    await stage.stop();
  }
}

function report(plan: Plan, soaked: Soaked, rows: readonly Row[]): string {
  const { account, changes, cuts, baseline } = soaked;
  const { joined, returned, queries, messages, endings } = account;
  return [
    `Run of ${new Date().toISOString()} on ${machine()}: ${plan.minutes} minutes, ${baseline.length} ${baseline.length === 1 ? 'server' : 'servers, which share through Redis'}.`,
    `${joined} viewers, of whom ${returned} came back with their cursor, and ${queries} queries; ${changes} changes; ${messages} messages received. Cuts: ${list(cuts)}. Streams that ended before their viewer left: ${list(endings)}.`,
    table(
      ['what', 'before', 'after', ''],
      rows.map(({ what, baseline: before, end, isRight }) => [what, before, end, isRight ? 'yes' : 'NO']),
    ),
  ].join('\n\n');
}

function list(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).map(([name, number]) => `${name} (${number})`);
  return all.join(', ') || 'none';
}
