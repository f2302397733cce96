import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Workspace } from './workspace.ts';

export interface NamedTest {
  readonly file: string;
  /** As the source has it: `%s` and `$name` stand for anything. */
  readonly test: string;
}

export type Outcome = 'passed' | 'failed' | 'not run';

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** What became of the test, when no other runs. */
export async function runTest(workspace: Workspace, { file, test }: NamedTest): Promise<Outcome> {
  const report = join(workspace.root, 'seeded-report.json');
  rmSync(report, { force: true });
  await vitest(workspace, [file, '-t', `${pattern(test)}$`, '--reporter=json', `--outputFile=${report}`]);
  const title = new RegExp(`^${pattern(test)}$`, 's');
  const found = read(report)
    .testResults.filter(({ name }) => name === join(workspace.root, file))
    .flatMap(({ assertionResults }) => assertionResults.filter((each) => title.test(each.title)));
  return outcomeOf(found.map(({ status }) => status).filter((status) => status !== 'skipped' && status !== 'pending'));
}

/** One that fails is enough where a title stands for several. */
function outcomeOf(statuses: readonly string[]): Outcome {
  if (statuses.length === 0) return 'not run';
  return statuses.every((status) => status === 'passed') ? 'passed' : 'failed';
}

function pattern(title: string): string {
  return title
    .split(/%[sdifjo]|\$[\w.]+/)
    .map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`))
    .join('.*');
}

/** A file that does not load leaves no result of its tests: they count as not run. */
function read(report: string): Report {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Report;
  } catch {
    return { testResults: [] };
  }
}

function vitest({ root }: Workspace, args: readonly string[]): Promise<void> {
  const entry = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [entry, 'run', '--root', root, '--no-cache', '--maxWorkers=1', ...args], {
    cwd: root,
    stdio: 'ignore',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
}
