import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { eventually } from '../eventually.ts';
import { guard, release } from './guard.ts';

export interface ChildOptions {
  /** For failure reports. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Lines kept of what a process says. */
const REMEMBERED = 2_000;
/** How long it may take to start, on a machine that has other things to do. */
const READY_MS = 60_000;

/** A process of the test's own: what it says is kept, and it does not outlive the test's process. */
export class Child {
  readonly name: string;
  /** The last lines of its output, oldest first. */
  readonly lines: string[] = [];
  /** Resolves when it has ended: "exit 0", "SIGKILL". */
  readonly exited: Promise<string>;
  readonly #process: ChildProcess;
  readonly #pid: number;
  #ending: string | undefined;

  constructor({ name, command, args, env, cwd }: ChildOptions) {
    this.name = name;
    this.#process = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd !== undefined && { cwd }),
      env: { PATH: process.env['PATH'], ...env },
    });
    if (this.#process.pid === undefined) throw new Error(`${name}: ${command} could not be started`);
    this.#pid = this.#process.pid;
    guard(this.#pid);
    this.#keep(this.#process.stdout);
    this.#keep(this.#process.stderr);
    this.exited = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => {
        release(this.#pid);
        this.#ending = signal ?? `exit ${code}`;
        resolve(this.#ending);
      });
    });
  }

  get isRunning(): boolean {
    return this.#ending === undefined;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#process.kill(signal);
  }

  /** At once, also when it is stopped. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** The first line that is as wanted. Throws, with everything it said, when it ends or says none in time. */
  async line(wanted: (line: string) => boolean, withinMs = READY_MS): Promise<string> {
    await eventually(
      `${this.name} is ready`,
      () => !this.isRunning || this.lines.some(wanted),
      withinMs,
      () => this.lines,
    );
    const found = this.lines.find(wanted);
    if (found === undefined) throw new Error(`${this.name} ended (${this.#ending}):\n${this.lines.join('\n')}`);
    return found;
  }

  #keep(stream: NodeJS.ReadableStream | null): void {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      this.lines.push(line);
      if (this.lines.length > REMEMBERED * 1.5) this.lines.splice(0, this.lines.length - REMEMBERED);
    });
  }
}
