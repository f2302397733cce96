import { parseArgs } from 'node:util';
import { runTest } from './run-test.ts';
import type { Seed } from './seed.ts';
import { SEEDS } from './seeds.ts';
import { Workspace } from './workspace.ts';

const HELP = `npm run seeded-bugs [-- options] [-- <name> …]

Plants deliberate defects, one at a time, in a copy of the tree, and runs the test that must notice each. Exit code 1
when one is not noticed, when its test fails without it, or when it does not fit the source any more.

  <name> …     only these
  --list       all names, with what must notice them
  --help
`;

const PARALLEL = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});

if (values.help) process.stdout.write(HELP);
else if (values.list) list();
else process.exitCode = await run(chosen());

function list(): void {
  for (const { name, file, caughtBy } of SEEDS) {
    process.stdout.write(`${name}\n  in ${file}\n  noticed by "${caughtBy.test}" (${caughtBy.file})\n`);
  }
}

function chosen(): readonly Seed[] {
  const unknown = positionals.filter((name) => !SEEDS.some((seed) => seed.name === name));
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}; --list shows what there is.`);
  return positionals.length === 0 ? SEEDS : SEEDS.filter(({ name }) => positionals.includes(name));
}

async function run(seeds: readonly Seed[]): Promise<number> {
  const startedAt = performance.now();
  const workspaces = Array.from({ length: PARALLEL }, () => new Workspace());
  try {
    const problems = [...(await withoutDefects(seeds, workspaces)), ...(await withEach(seeds, workspaces))];
    for (const problem of problems) process.stdout.write(`${problem}\n`);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    process.stdout.write(`${seeds.length} defects, ${problems.length} problems, ${seconds} s\n`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    for (const workspace of workspaces) workspace.remove();
  }
}

/** A test that fails anyway notices nothing. Each runs alone, as it does with the defect: no other test prepares for it. */
async function withoutDefects(seeds: readonly Seed[], workspaces: readonly Workspace[]): Promise<string[]> {
  const byTest = Map.groupBy(seeds, ({ caughtBy }) => `${caughtBy.file} ${caughtBy.test}`);
  return eachOf([...byTest.values()], workspaces, async (workspace, [seed, ...others]) => {
    if (seed === undefined) return undefined;
    const outcome = await runTest(workspace, seed.caughtBy);
    if (outcome === 'passed') return undefined;
    const names = [seed, ...others].map(({ name }) => name).join(', ');
    return `${names}: without it, "${seed.caughtBy.test}" has ${outcome} (${seed.caughtBy.file})`;
  });
}

async function withEach(seeds: readonly Seed[], workspaces: readonly Workspace[]): Promise<string[]> {
  return eachOf(seeds, workspaces, async (workspace, seed) => {
    const startedAt = performance.now();
    const problem = await tryOne(workspace, seed);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5);
    process.stdout.write(`${problem === undefined ? 'noticed  ' : 'UNNOTICED'} ${seconds} s  ${seed.name}\n`);
    return problem;
  });
}

/** What is wrong with each, if anything; as many at a time as there are workspaces. */
async function eachOf<T>(
  all: readonly T[],
  workspaces: readonly Workspace[],
  problemOf: (workspace: Workspace, one: T) => Promise<string | undefined>,
): Promise<string[]> {
  const waiting = all.values();
  const problems: string[] = [];
  const work = async (workspace: Workspace) => {
    for (const one of waiting) {
      const problem = await problemOf(workspace, one);
      if (problem !== undefined) problems.push(problem);
    }
  };
  await Promise.all(workspaces.map(work));
  return problems;
}

async function tryOne(workspace: Workspace, seed: Seed): Promise<string | undefined> {
  const { name, caughtBy } = seed;
  try {
    const outcome = await workspace.with(seed, () => runTest(workspace, caughtBy));
    return outcome === 'failed' ? undefined : `${name}: with it, "${caughtBy.test}" has ${outcome} (${caughtBy.file})`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
