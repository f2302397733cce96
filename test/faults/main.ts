import { parseArgs } from 'node:util';
import { nameOf, type Row } from './matrix/row.ts';
import { select } from './matrix/index.ts';
import { lineOf, table, writeDocument } from './report.ts';
import { runRow, type Outcome } from './run-row.ts';
import { tripleOf } from './triples.ts';

const HELP = `The fault matrix, over real processes: replicas, Redis, KAS's stand-in, and lines between them that are disturbed.

npm run faults                           every row (about a quarter of an hour), then a table
npm run faults -- U1 R3 "U3 http" P      rows by id, by id and variant, or by family (U, R, P, K, X)
npm run faults -- --write                every row, and the table into docs/reliability.md; with rows, their lines only
npm run faults -- --list                 the rows
npm run faults -- --triples --minutes 60 three random disturbances at once, again and again
  --seed 7                               other dice; a triple repeats with the seed it names
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    list: { type: 'boolean' },
    write: { type: 'boolean' },
    triples: { type: 'boolean' },
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);

if (values.help) console.log(HELP);
else if (values.list) for (const row of select(positionals)) console.log(`${nameOf(row).padEnd(24)} ${row.fault}`);
else process.exit((await (values.triples ? runTriples() : runMatrix())) ? 0 : 1);

/** Whether everything is as it should be. */
async function runMatrix(): Promise<boolean> {
  const rows = select(positionals);
  const outcomes = new Map<Row, Outcome>();
  const run = async (row: Row) => {
    const outcome = await runRow(row, seed);
    outcomes.set(row, outcome);
    console.log(lineOf(outcome));
  };
  // Those that wait for minutes do it side by side; all others have the machine to themselves, one after the other.
  const waiting = Promise.all(rows.filter(({ mostlyWaits }) => mostlyWaits).map(run));
  for (const row of rows.filter(({ mostlyWaits }) => !mostlyWaits)) await run(row);
  await waiting;
  const ordered = rows.flatMap((row) => outcomes.get(row) ?? []);
  console.log(`\n${table(ordered)}`);
  if (values.write) writeDocument(ordered, positionals.length === 0);
  return ordered.every(({ problems }) => problems.length === 0);
}

/** One after the other until time is up, at least one; stops at nothing. */
async function runTriples(): Promise<boolean> {
  const end = performance.now() + Number(values.minutes) * 60_000;
  let failed = 0;
  for (let each = seed; each === seed || performance.now() < end; each += 1) {
    const outcome = await runRow(tripleOf(each), each);
    if (outcome.problems.length > 0) failed += 1;
    console.log(`${lineOf(outcome)}  seed ${each}: ${outcome.row.fault}`);
  }
  console.log(`${failed} failed`);
  return failed === 0;
}
