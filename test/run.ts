/**
 * npm test: makes sure of what some tests need beside Node, then runs all of them. Arguments go to vitest.
 * What cannot be had is said loudly, and its tests are skipped.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORT = join(ROOT, '.cache', 'test-report.json');
const APT_TIMEOUT_MS = 120_000;

interface Tool {
  readonly name: string;
  /** Tests read the path of the program here. */
  readonly variable: string;
  readonly programs: readonly string[];
  readonly debianPackage: string;
}

const TOOLS: readonly Tool[] = [
  {
    name: 'Chromium',
    variable: 'KASCADE_TEST_CHROMIUM',
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    debianPackage: 'chromium',
  },
  { name: 'Redis', variable: 'KASCADE_TEST_REDIS', programs: ['redis-server'], debianPackage: 'redis-server' },
];

installMissing(TOOLS.filter((tool) => find(tool) === undefined));
process.exitCode = runTests({ ...process.env, ...Object.fromEntries(TOOLS.flatMap(pathOf)) });

function installMissing(missing: readonly Tool[]): void {
  if (missing.length === 0) return;
  const mayInstall = process.platform === 'linux' && process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
  if (!mayInstall) return;
  const packages = missing.map(({ debianPackage }) => debianPackage);
  console.log(`Installing ${packages.join(' and ')} for the tests.`);
  if (aptGet('install', packages)) return;
  aptGet('update', []);
  aptGet('install', packages);
}

function aptGet(command: string, packages: readonly string[]): boolean {
  try {
    execFileSync('apt-get', [command, '--yes', '--quiet', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 'ignore'],
      timeout: APT_TIMEOUT_MS,
      // Runlevel 1: a package that brings a service does not start it.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    });
    return true;
  } catch {
    return false;
  }
}

function pathOf(tool: Tool): [string, string][] {
  const path = find(tool);
  if (path !== undefined) return [[tool.variable, path]];
  console.warn(`\n*** ${tool.name} is not here and cannot be installed: THE TESTS THAT NEED IT ARE SKIPPED. ***\n`);
  return [];
}

function find({ variable, programs }: Tool): string | undefined {
  const given = process.env[variable];
  return given !== undefined && existsSync(given)
    ? given
    : programs.map(findProgram).find((path) => path !== undefined);
}

function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function runTests(env: NodeJS.ProcessEnv): number {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...reports, ...process.argv.slice(2)], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  });
  return status ?? 1;
}
