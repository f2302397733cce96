import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';

export interface ContextSpec {
  readonly name: string;
  readonly cluster: object;
  readonly user?: object;
  readonly namespace?: string;
}

/** A kubeconfig of these contexts, each with a cluster and a user of its own. */
export function kubeconfig(contexts: readonly ContextSpec[], current = contexts[0]?.name): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current,
    clusters: contexts.map(({ name, cluster }) => ({ name, cluster })),
    users: contexts.map(({ name, user }) => ({ name, user })),
    contexts: contexts.map(({ name, namespace }) => ({
      name,
      context: { cluster: name, user: name, ...(namespace !== undefined && { namespace }) },
    })),
  });
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** A directory for one test. */
export class Files implements AsyncDisposable {
  readonly directory: string;

  static async make(): Promise<Files> {
    return new Files(await mkdtemp(join(tmpdir(), 'kascade-kubeconfig-')));
  }

  private constructor(directory: string) {
    this.directory = directory;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async write(name: string, content: string): Promise<string> {
    await writeFile(this.path(name), content);
    return this.path(name);
  }

  /** '' when there is no such file. */
  read(name: string): Promise<string> {
    return readFile(this.path(name), 'utf8').catch(() => '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/**
 * The `exec` of a user whose command is a script: it notes each run in `runs`, with what it was told of the cluster, and
 * prints the ExecCredential in `credential`.
 */
export async function execPlugin(files: Files, credential: object, extra: object = {}): Promise<object> {
  await files.write('credential', JSON.stringify(credential));
  await files.write(
    'plugin.mjs',
    `import { appendFileSync, readFileSync } from 'node:fs';
appendFileSync(new URL('runs', import.meta.url), process.env.KUBERNETES_EXEC_INFO + '\\n');
process.stdout.write(readFileSync(new URL('credential', import.meta.url)));
`,
  );
  return {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: [files.path('plugin.mjs')],
    ...extra,
  };
}

export function execCredential(status: object): object {
  return { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
}
