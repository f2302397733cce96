import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { KubeconfigError, parseKubeconfig, type Context } from './kubeconfig.ts';

/** A kubeconfig on disk, read anew whenever it is asked for a context. */
export class KubeconfigFile {
  readonly #path: string;
  readonly #onProblem: (problem: string) => void;
  /** By name. */
  #contexts = new Map<string, Context>();
  #content = '';
  #isBroken = false;

  /** Rejects with KubeconfigError. `onProblem` is told once when the file cannot be read any more. */
  static async open(path: string, onProblem: (problem: string) => void): Promise<KubeconfigFile> {
    const file = new KubeconfigFile(path, onProblem);
    await file.#read();
    return file;
  }

  private constructor(path: string, onProblem: (problem: string) => void) {
    this.#path = expanded(path);
    this.#onProblem = onProblem;
  }

  /** Those that are in the file now. */
  async all(): Promise<readonly Context[]> {
    await this.#refresh();
    return [...this.#contexts.values()];
  }

  /** As last read. */
  known(name: string): Context | undefined {
    return this.#contexts.get(name);
  }

  /** As it is in the file now. The same object as long as nothing has changed in it. */
  async current(name: string): Promise<Context | undefined> {
    await this.#refresh();
    return this.known(name);
  }

  async #refresh(): Promise<void> {
    try {
      await this.#read();
      this.#isBroken = false;
    } catch (error) {
      // It may be in the middle of being written: what it said before goes on.
      if (!(error instanceof KubeconfigError)) throw error;
      if (!this.#isBroken) this.#onProblem(`The kubeconfig ${error.message}; what it said before is used.`);
      this.#isBroken = true;
    }
  }

  async #read(): Promise<void> {
    const content = await contentOf(this.#path);
    if (content === this.#content) return;
    const contexts = parseKubeconfig(content, this.#path);
    this.#content = content;
    this.#contexts = new Map(contexts.map((context) => [context.name, this.#unlessSame(context)]));
  }

  #unlessSame(context: Context): Context {
    const before = this.known(context.name);
    return before !== undefined && JSON.stringify(before) === JSON.stringify(context) ? before : context;
  }
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new KubeconfigError(`cannot be read (${code})`);
  }
}

/** `~` is the home directory, as in a shell, which does not see what an environment file holds. */
function expanded(path: string): string {
  return resolve(path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path);
}
