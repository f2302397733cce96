import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runSeeds } from './pool.ts';
import { simulate } from './simulation.ts';
import { INTERESTING, Sometimes } from './sometimes.ts';

const HELP = `npm run sim [-- options]

Runs three replicas and fifty subscribers between a simulated Redis and a simulated cluster, with everything going wrong
that can, and checks that what must always hold does. A run follows from its seed.

  --seeds 1000     how many runs
  --from 1         the first seed
  --seed 4711      this one only
  --verbose        with --seed: tells everything that happens
  --workers 2      processes; as many as there are cores if not given
  --help

Exit code 1 when a rule was broken, or when a thousand runs or more never met a state that they should have.
`;

/** From so many runs on, all that is interesting must have been met. */
const ENOUGH = 1_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: String(ENOUGH) },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else if (values.seed !== undefined) process.exitCode = await replay(number('seed', values.seed));
else process.exitCode = await run(number('seeds', values.seeds), number('from', values.from));

function number(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} must be a whole number, not ${text}.`);
  return value;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function replay(seed: number): Promise<number> {
  const { failure, lasted } = await simulate(seed, values.verbose ? print : undefined);
  print(failure ?? `seed ${seed}: nothing was broken in ${Math.round(lasted / 1_000)} s of simulated time`);
  return failure === undefined ? 0 : 1;
}

async function run(count: number, from: number): Promise<number> {
  const startedAt = performance.now();
  const sometimes = new Sometimes();
  let failures = 0;
  let lasted = 0;
  await runSeeds({ from, count, workers: number('workers', values.workers) }, (outcome) => {
    sometimes.add(outcome.sometimes);
    lasted += outcome.lasted;
    if (outcome.failure === undefined) return;
    failures += 1;
    process.stdout.write(`${outcome.failure}\nreplay: npm run sim -- --seed ${outcome.seed} --verbose\n\n`);
  });
  const missing = sometimes.missing(INTERESTING);
  tell(sometimes);
  for (const what of missing) process.stdout.write(`NEVER MET: ${what}\n`);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const hours = (lasted / 3_600_000).toFixed(1);
  process.stdout.write(`${count} seeds, ${failures} failed, ${hours} simulated hours in ${seconds} s\n`);
  return failures > 0 || (count >= ENOUGH && missing.length > 0) ? 1 : 0;
}

function tell({ counts }: Sometimes): void {
  const lines = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [what, times] of lines) process.stdout.write(`${String(times).padStart(9)}  ${what}\n`);
}
