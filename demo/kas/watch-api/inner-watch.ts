import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { Framer } from '../../../src/sources/framer.ts';
import { isObject, type Json, type JsonObject } from '../../apiserver/json.ts';
import { failure } from '../../apiserver/status.ts';

export interface InnerListener {
  event(event: JsonObject): void;
  /** As client-go's watch ends: with a Status, without one, or ('stop') without an error. */
  ended(end: 'stop' | { readonly message: string; readonly status: JsonObject | undefined }): void;
}

/** Where KAS itself watches for a connection, and as whom. */
export interface InnerRequest {
  readonly port: number;
  readonly path: string;
  readonly headers: Record<string, string>;
}

/** One watch behind KAS: a stream through the agent's tunnel, read as client-go does. */
export class InnerWatch {
  readonly #listener: InnerListener;
  readonly #request: ClientRequest;
  readonly #framer = new Framer();
  #isOpen = false;
  #isOver = false;

  constructor({ port, path, headers }: InnerRequest, listener: InnerListener) {
    this.#listener = listener;
    this.#request = request({ port, host: '127.0.0.1', path, headers, agent: false }, (response) =>
      this.#answered(response),
    );
    this.#request.on('error', (error) =>
      // client-go takes a connection that breaks in the middle for the end of the watch.
      this.#end(this.#isOpen ? 'stop' : { message: `Get "${path}": ${error.message}`, status: undefined }),
    );
    this.#request.end();
  }

  close(): void {
    this.#isOver = true;
    this.#request.destroy();
  }

  #answered(response: IncomingMessage): void {
    if (response.statusCode !== 200) {
      void refusal(response).then((status) => this.#end({ message: 'failed to start the watch', status }));
      return;
    }
    this.#isOpen = true;
    response.on('data', (chunk: Buffer) => this.#read(() => this.#framer.push(chunk)));
    response.on('end', () => this.#end('stop'));
    response.on('error', () => this.#end('stop'));
  }

  #read(documents: () => Iterable<unknown>): void {
    try {
      for (const document of documents()) if (!this.#isOver) this.#pass(document as Json);
    } catch {
      const message = 'unable to decode an event from the watch stream';
      const details = { causes: [{ reason: 'ClientWatchDecoding', message }] };
      this.#end({ message, status: failure(500, 'InternalError', message, details) });
    }
  }

  #pass(document: Json): void {
    if (!isObject(document) || typeof document['type'] !== 'string') throw new Error('not an event');
    const { type, object } = document;
    if (type !== 'ERROR') this.#listener.event(document);
    else this.#end({ message: 'the watch failed', status: isObject(object) ? object : undefined });
  }

  #end(end: Parameters<InnerListener['ended']>[0]): void {
    if (this.#isOver) return;
    this.close();
    this.#listener.ended(end);
  }
}

/** The answer's Status; where it is no JSON, one made of its code, as client-go does. */
async function refusal(response: IncomingMessage): Promise<JsonObject> {
  let body = '';
  try {
    for await (const chunk of response) body += String(chunk);
    const status = JSON.parse(body) as Json;
    if (isObject(status)) return status;
  } catch {
    // not JSON, or cut off
  }
  const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
  const details = Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : undefined;
  return failure(response.statusCode ?? 500, '', body.slice(0, 200), details);
}
