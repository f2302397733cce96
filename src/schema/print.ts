/**
 * node src/schema/print.ts                 writes schema/schema.graphql from the code
 * node src/schema/print.ts --check         exits 1 when that file differs, or when the code breaks what is committed
 *     --against <commit>                   compares with that commit instead of HEAD
 *     --allow-breaking                     lists breaking changes and lets them pass
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { schema } from './index.ts';
import { breakingChanges, sdlOf } from './sdl.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILE = fileURLToPath(new URL('../../schema/schema.graphql', import.meta.url));

const { values: options } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    against: { type: 'string' },
    'allow-breaking': { type: 'boolean', default: false },
  },
});

const baseline = options.against ?? 'HEAD';
const sdl = sdlOf(schema);
if (options.check) checkFile();
else writeFile();
checkCompatibility();

function writeFile(): void {
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, sdl);
  console.log('schema/schema.graphql is written.');
}

function checkFile(): void {
  const written = readIfThere();
  if (written === sdl) return;
  fail('schema/schema.graphql differs from the code. Run `npm run schema` and commit the result.');
  if (written !== undefined) report('Breaking against the file', breakingChanges(written, schema));
}

/** Only a check can fail for this: whoever prints a new schema is told, and decides. */
function checkCompatibility(): void {
  const committed = committedSdl();
  if (committed === undefined) {
    if (options.against !== undefined) fail(`git cannot show schema/schema.graphql at ${options.against}.`);
    return;
  }
  const changes = breakingChanges(committed, schema);
  if (changes.length === 0) return;
  report(`Breaking against ${baseline}`, changes);
  if (options.check && !options['allow-breaking']) {
    fail('Operations of existing clients would fail. If that is meant, pass --allow-breaking.');
  }
}

function report(title: string, changes: readonly string[]): void {
  if (changes.length > 0) console.error([`${title}:`, ...changes.map((change) => `  ${change}`)].join('\n'));
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

function readIfThere(): string | undefined {
  try {
    return readFileSync(FILE, 'utf8');
  } catch {
    return undefined;
  }
}

/** Undefined without git, without commits, and before the file was first committed. */
function committedSdl(): string | undefined {
  try {
    return execFileSync('git', ['show', `${baseline}:schema/schema.graphql`], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return undefined;
  }
}
