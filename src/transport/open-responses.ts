import type { ServerResponse } from 'node:http';
import type { Farewell } from './send-away.ts';

/** The operations over HTTP that are not answered to the end, and which of them are event streams. */
export class OpenResponses {
  readonly #all = new Set<ServerResponse>();
  readonly #streams = new Set<ServerResponse>();

  add(response: ServerResponse): void {
    this.#all.add(response);
    response.once('close', () => {
      this.#all.delete(response);
      this.#streams.delete(response);
    });
  }

  /** A subscription's: it ends when it is cut. A mutation may be sent as events, too, and is owed its answer. */
  asStream(response: ServerResponse): ServerResponse {
    this.#streams.add(response);
    return response;
  }

  /** Event streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Bytes that wait for the clients of event streams to take them. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const { writableLength } of this.#streams) bytes += writableLength;
    return bytes;
  }

  /** For each event stream: how to cut it without a `complete`, so that its client comes back, here or elsewhere. */
  farewells(): Farewell[] {
    return Array.from(this.#streams, (response) => () => {
      response.destroy();
      return closed(response);
    });
  }

  /** Nothing more is to come on the connections of those that are open now. */
  beTheLast(): void {
    for (const response of this.#all) response.shouldKeepAlive = false;
  }

  /** Resolves when those that are open now have left. */
  async left(): Promise<void> {
    await Promise.all(Array.from(this.#all, closed));
  }
}

function closed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.closed) resolve();
    else response.once('close', () => resolve());
  });
}
