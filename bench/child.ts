import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Node's own arguments. */
  readonly execArgv?: readonly string[];
}

/** A process of its own, asked by name. It ends with this one, and after a deadline whatever happens. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #next = 0;

  /** `file`: a path from here, or a `file:` URL. */
  constructor(file: string, args: readonly string[] = [], { env, execArgv = [] }: ChildOptions = {}) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    this.#process = fork(path, args, {
      execArgv: ['--expose-gc', ...execArgv],
      env: { ...process.env, NODE_ENV: 'production', ...env },
    });
    this.#process.on('message', ({ id, result, error }: Reply) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(`${file}: ${error}`));
    });
    this.#process.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${file} ended (${code})`));
    });
  }

  ask<Result>(what: string, ...args: readonly unknown[]): Promise<Result> {
    const id = (this.#next += 1);
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#process.send({ id, what, args });
    return waiting.promise as Promise<Result>;
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Question {
  readonly id: number;
  readonly what: string;
  readonly args: readonly unknown[];
}

type Answer = (...args: never[]) => unknown;

const DEADLINE_MS = 15 * 60_000;

/** The child's side. */
export function answer(answers: Readonly<Record<string, Answer>>, deadlineMs = DEADLINE_MS): void {
  setTimeout(() => process.exit(1), deadlineMs).unref();
  process.once('disconnect', () => process.exit(0));
  process.on('message', ({ id, what, args }: Question) => {
    Promise.resolve()
      .then(() => answers[what]?.(...(args as never[])))
      .then(
        (result) => process.send?.({ id, result }),
        (error: unknown) => process.send?.({ id, error: String(error) }),
      );
  });
}
