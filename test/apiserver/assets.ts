import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));
/** Some 1,600 packages: ten minutes on two free cores, once; after that the programs are cached. */
const BUILD_TIMEOUT_MS = 45 * 60_000;

/** Package → program. go.mod names them as tools, with their versions. */
const PACKAGES = { 'go.etcd.io/etcd/server/v3': 'etcd', 'k8s.io/kubernetes/cmd/kube-apiserver': 'kube-apiserver' };
const PROGRAMS = Object.values(PACKAGES);

/**
 * The folder with kube-apiserver and etcd: that of `KUBEBUILDER_ASSETS`, or built here once with Go. Undefined, and a loud line, where
 * neither can be.
 */
export async function provideAssets(): Promise<string | undefined> {
  const given = process.env['KUBEBUILDER_ASSETS'];
  if (given !== undefined && given !== '') {
    if (isComplete(given)) return given;
    throw new Error(`KUBEBUILDER_ASSETS is ${given}, which does not hold both ${PROGRAMS.join(' and ')}`);
  }
  const folder = join(CACHE, `apiserver-${fingerprint()}`);
  if (isComplete(folder)) return folder;
  try {
    await build(folder);
    return folder;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n').slice(0, 3).join(' ') : String(error);
    console.error(
      `\n*** SKIPPED: NOTHING WAS TESTED AGAINST A REAL API SERVER. KUBEBUILDER_ASSETS is not set, and it cannot be ` +
        `built (Go 1.26 does it): ${why} ***\n`,
    );
    return undefined;
  }
}

async function build(folder: string): Promise<void> {
  const go = promisify(execFile);
  const options = {
    cwd: HERE,
    timeout: BUILD_TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', GOTOOLCHAIN: 'local' },
  };
  await go('go', ['version'], options);
  const version = /k8s\.io\/kubernetes (v\S+)/.exec(readFileSync(join(HERE, 'go.mod'), 'utf8'))?.[1] ?? '';
  console.log(`Building kube-apiserver ${version} and etcd. This is done once, and takes some ten minutes.`);
  const unfinished = `${folder}.unfinished`;
  mkdirSync(unfinished, { recursive: true });
  for (const [path, program] of Object.entries(PACKAGES)) {
    const flags = ['-trimpath', '-ldflags', `-s -w ${versionFlags(version)}`, '-o', join(unfinished, program)];
    await go('nice', ['-n', '10', 'go', 'build', ...flags, path], options);
  }
  renameSync(unfinished, folder);
}

/** What /version answers; Kubernetes' own build sets it the same way. */
function versionFlags(version: string): string {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return Object.entries(values)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
}

function isComplete(folder: string): boolean {
  return PROGRAMS.every((program) => existsSync(join(folder, program)));
}

/** Another version of Kubernetes or etcd is another folder. */
function fingerprint(): string {
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum']) hash.update(readFileSync(join(HERE, name)));
  return hash.digest('hex').slice(0, 16);
}
