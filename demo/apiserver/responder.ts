import type { ServerResponse } from 'node:http';
import type { Effect } from './effects.ts';
import type { Json } from './json.ts';
import { resetConnection } from './reset.ts';
import { SplitWriter } from './split-writer.ts';
import type { StatusBody } from './status.ts';

const JSON_TYPE = 'application/json';

/** Writes an answer, bent by a fault's effect: late, in small pieces, pretty-printed, cut off. */
export class Responder {
  readonly #response: ServerResponse;
  readonly #effect: Effect;
  readonly #split: SplitWriter | undefined;
  #written = 0;
  #silenced = false;
  #timer: NodeJS.Timeout | undefined;
  /** What waits for headers that are being held back. */
  #held: (() => void)[] | undefined;

  constructor(response: ServerResponse, effect: Effect) {
    this.#response = response;
    this.#effect = effect;
    if (effect.splitBytes !== undefined) this.#split = new SplitWriter(response, effect.splitBytes);
    response.on('close', () => clearTimeout(this.#timer));
  }

  /** Calls `listener` once the client or the server has closed the connection, or the answer is complete. */
  onClose(listener: () => void): void {
    this.#response.on('close', listener);
  }

  /** Bytes that the client has not taken yet. */
  get backlog(): number {
    return this.#response.writableLength + (this.#split?.backlog ?? 0);
  }

  status(status: StatusBody): void {
    const retryAfter = status.details?.['retryAfterSeconds'];
    const headers = typeof retryAfter === 'number' ? { 'Retry-After': String(retryAfter) } : {};
    this.json(status, status.code, headers);
  }

  json(body: Json, code = 200, headers: Record<string, string> = {}): void {
    this.text(`${JSON.stringify(body)}\n`, JSON_TYPE, code, headers);
  }

  /** A whole answer. JSON goes through the effect's formatting. */
  text(body: string, contentType: string, code = 200, headers: Record<string, string> = {}): void {
    this.#start(code, { 'Content-Type': contentType, ...headers });
    this.write(contentType.startsWith(JSON_TYPE) ? this.#format(body) : body);
    this.end();
  }

  startStream(contentType = JSON_TYPE): void {
    this.#start(200, { 'Content-Type': contentType, 'Cache-Control': 'no-cache, private' });
    this.#whenOpen(() => this.#response.flushHeaders());
  }

  /** One document of a stream. */
  document(line: string): void {
    this.write(this.#format(line));
  }

  write(data: string | Uint8Array): void {
    this.#whenOpen(() => this.#writeNow(data));
  }

  end(): void {
    this.#whenOpen(() => {
      if (!this.#silenced) this.#afterWriting(() => this.#response.end());
    });
  }

  /** Breaks the connection with a TCP reset. */
  reset(): void {
    resetConnection(this.#response.socket);
  }

  /** From now on a black hole: the connection stays, nothing more is sent. */
  silence(): void {
    this.#silenced = true;
  }

  #start(code: number, headers: Record<string, string>): void {
    const { delayHeadersMs, contentType } = this.#effect;
    const open = () => {
      if (this.#response.destroyed || this.#response.headersSent) return;
      this.#response.writeHead(code, contentType === undefined ? headers : { ...headers, 'Content-Type': contentType });
    };
    if (delayHeadersMs === undefined) {
      open();
      return;
    }
    this.#held = [];
    this.#timer = setTimeout(() => {
      open();
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const task of held) task();
    }, delayHeadersMs);
  }

  #whenOpen(task: () => void): void {
    if (this.#held) this.#held.push(task);
    else task();
  }

  #writeNow(data: string | Uint8Array): void {
    if (this.#silenced || this.#response.destroyed || this.#response.writableEnded) return;
    const { cutAfterBytes } = this.#effect;
    if (cutAfterBytes === undefined) {
      this.#pass(data);
      return;
    }
    const bytes = Buffer.from(data);
    const left = cutAfterBytes - this.#written;
    this.#written += bytes.length;
    this.#pass(bytes.subarray(0, left));
    if (bytes.length >= left) this.#cut();
  }

  #pass(data: string | Uint8Array): void {
    if (this.#split) this.#split.write(Buffer.from(data));
    else this.#response.write(data);
  }

  #afterWriting(task: () => void): void {
    if (this.#split) this.#split.finish(task);
    else task();
  }

  /** A moment after the last bytes, so that they arrive before the reset does. */
  #cut(): void {
    this.#silenced = true;
    this.#afterWriting(() => {
      this.#timer = setTimeout(() => this.reset(), 20);
    });
  }

  #format(line: string): string {
    let text = line;
    if (this.#effect.pretty) text = `${JSON.stringify(JSON.parse(line), undefined, 2)}\n`;
    if (this.#effect.crlf) text = text.replaceAll('\n', '\r\n');
    return text;
  }
}
