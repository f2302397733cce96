import type { ServerResponse } from 'node:http';

/**
 * Writes a body in pieces of a fixed size, each an HTTP chunk of its own. Node joins what is written in one turn of the
 * event loop, so there is one piece a turn.
 */
export class SplitWriter {
  readonly #response: ServerResponse;
  readonly #size: number;
  readonly #waiting: Buffer[] = [];
  #afterLast: (() => void) | undefined;
  #isPumping = false;

  constructor(response: ServerResponse, size: number) {
    this.#response = response;
    this.#size = size;
  }

  get backlog(): number {
    return this.#waiting.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  write(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#pump();
  }

  /** Calls `task` once everything is written. */
  finish(task: () => void): void {
    this.#afterLast = task;
    this.#pump();
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    setImmediate(() => this.#writePiece(0));
  }

  #writePiece(start: number): void {
    const [bytes] = this.#waiting;
    if (this.#response.destroyed || bytes === undefined) {
      this.#isPumping = false;
      this.#afterLast?.();
      return;
    }
    this.#response.write(bytes.subarray(start, start + this.#size));
    const next = start + this.#size;
    if (next >= bytes.length) this.#waiting.shift();
    setImmediate(() => this.#writePiece(next >= bytes.length ? 0 : next));
  }
}
