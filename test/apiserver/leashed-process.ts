import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';

/**
 * Runs "$@" and ends with it. Its standard input is the leash: once the other end is gone, for whatever reason, the
 * program is killed, so that none outlives the tests. TERM is passed on.
 */
const LEASH = `
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
trap 'kill -TERM "$program"' TERM
{ cat <&3 >/dev/null; kill -KILL "$program"; } &
wait "$program"
wait "$program" 2>/dev/null
exit 0
`;

/** A server that runs beside the tests and never longer than they do. */
export class LeashedProcess {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #ended: Promise<void>;
  #hasEnded = false;

  /** What the program prints is appended to `logFile`. */
  constructor(program: string, flags: readonly string[], logFile: string) {
    const log = openSync(logFile, 'a');
    this.#logFile = logFile;
    this.#child = spawn('/bin/sh', ['-c', LEASH, 'sh', program, ...flags], { stdio: ['pipe', log, log] });
    this.#child.stdin?.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      const end = () => {
        this.#hasEnded = true;
        resolve();
      };
      this.#child.once('error', end);
      this.#child.once('exit', end);
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The end of what it has printed. */
  get lastWords(): string {
    return readFileSync(this.#logFile, 'utf8').slice(-4_000);
  }

  /** Politely; resolves when it has ended. */
  stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    return this.#ended;
  }

  /** Without a farewell, as a crash; resolves when it has ended. */
  kill(): Promise<void> {
    this.#child.stdin?.end();
    return this.#ended;
  }
}
