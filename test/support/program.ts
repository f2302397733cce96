import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './eventually.ts';

/** A command in a shell, as somebody at a terminal runs it: with its children, in a group of its own. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  #output = '';
  #errors = '';

  constructor(command: string, { cwd, env = {} }: { cwd: string; env?: Record<string, string> }) {
    const quiet = { npm_config_update_notifier: 'false', npm_config_fund: 'false' };
    this.#child = spawn('sh', ['-c', command], { cwd, env: { ...process.env, ...quiet, ...env }, detached: true });
    this.#child.stdout?.on('data', (part: Buffer) => (this.#output += part.toString()));
    this.#child.stderr?.on('data', (part: Buffer) => (this.#errors += part.toString()));
    this.#exit = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  get output(): string {
    return this.#output;
  }

  get errors(): string {
    return this.#errors;
  }

  /** Waits until it has said something. */
  async says(what: RegExp, withinMs: number): Promise<RegExpExecArray> {
    await eventually(
      String(what),
      () => what.test(this.#output) || this.#child.exitCode !== null,
      withinMs,
      () => ({ output: this.#output, errors: this.#errors }),
    );
    const found = what.exec(this.#output);
    if (!found) throw new Error(`It ended without ${String(what)}: ${this.#output}${this.#errors}`);
    return found;
  }

  /** Ctrl-C: all of the group get it. Answers the exit code. */
  interrupt(): Promise<number | null> {
    this.#signal('SIGINT');
    return this.#exit;
  }

  get exited(): Promise<number | null> {
    return this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal('SIGKILL');
    await this.#exit;
  }

  #signal(name: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    process.kill(-pid, name);
  }
}
