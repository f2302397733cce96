/**
 * npm run conformance: the suites of sources and feeds on a real kube-apiserver with etcd, and on the demo's API server
 * beside it. Without a real one: a loud line, and the demo alone.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provideAssets } from '../apiserver/assets.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const REPORT = join(ROOT, '.cache', 'conformance-report.json');

const HELP = `npm run conformance [-- <option>]

Runs the conformance suites on a real kube-apiserver with etcd: lists, watches, 410s, restarts, a restored backup,
RBAC, Flux' kinds, 5,000 pods, and request by request against the demo's API server. Some ten minutes.

  --real        only what needs the real API server; npm test has run the rest
  --build       only build kube-apiserver and etcd, and stop
  --help        this text
  anything else is passed on to vitest, such as -t 'restarts'

The programs: those in the folder KUBEBUILDER_ASSETS; otherwise built once with Go 1.26 by test/apiserver (four to
fifteen minutes on two cores), into .cache/; otherwise the real API server is left out, loudly.
`;

const args = process.argv.slice(2);
if (args.includes('--help')) console.log(HELP);
else process.exitCode = await run();

async function run(): Promise<number> {
  const assets = await provideAssets();
  if (args.includes('--build')) return 0;
  if (assets === undefined && args.includes('--real')) return 0;
  const { status } = spawnSync(process.execPath, vitestArguments(), {
    cwd: ROOT,
    env: { ...process.env, ...(assets && { KASCADE_TEST_APISERVER: assets }) },
    stdio: 'inherit',
  });
  return status ?? 1;
}

function vitestArguments(): string[] {
  return [
    join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    args.includes('--real') ? 'test/conformance/real' : 'test/conformance',
    // One API server at a time; and each has to be filled and emptied.
    '--no-file-parallelism',
    '--testTimeout=240000',
    '--hookTimeout=120000',
    '--reporter=verbose',
    '--reporter=json',
    `--outputFile.json=${REPORT}`,
    ...args.filter((arg) => arg !== '--real'),
  ];
}
