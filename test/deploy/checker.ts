import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));
/** Helm's engine and Kubernetes' types compile once, in one to three minutes; after that the program is cached. */
const BUILD_TIMEOUT_MS = 280_000;

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  readonly spec?: unknown;
  readonly data?: Record<string, string>;
}

export interface Report {
  readonly objects: readonly Manifest[];
  readonly notes?: string;
  readonly lint?: readonly string[];
}

/** Builds the program of check/, and answers its path; undefined, and a loud line, where that cannot be done. */
export async function buildChecker(): Promise<string | undefined> {
  const program = join(CACHE, `deploy-check-${fingerprint()}`);
  if (existsSync(program)) return program;
  try {
    await promisify(execFile)('go', ['build', '-o', program, './check'], {
      cwd: HERE,
      timeout: BUILD_TIMEOUT_MS,
      env: { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', GOTOOLCHAIN: 'local' },
    });
    return program;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    console.error(`SKIPPED: the deployment files, because their checker cannot be built (Go 1.26 does it): ${why}`);
    return undefined;
  }
}

export function checkManifests(program: string, yaml: string): Report {
  return run(program, ['manifests'], yaml);
}

export function checkChart(program: string, folder: string, values: unknown): Report {
  return run(program, ['chart', folder], JSON.stringify(values));
}

function run(program: string, args: string[], input: string): Report {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Report;
}

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', ...globSync('check/*.go', { cwd: HERE }).toSorted()])
    hash.update(readFileSync(join(HERE, name)));
  return hash.digest('hex').slice(0, 16);
}
