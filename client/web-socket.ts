import type { Operation, Result, Sink, Subscribe } from './transport.ts';

/** What is needed of a client of the graphql-ws package. */
export interface WebSocketClient {
  subscribe<Data>(
    payload: Operation,
    sink: {
      next(result: Result<Data>): void;
      error(error: unknown): void;
      complete(): void;
    },
  ): () => void;
  on(event: 'closed', listener: (event: unknown) => void): () => void;
}

/**
 * A graphql-ws client as a transport. Create it with `retryAttempts: 0`: then `live` does the retrying and can say when
 * it will. A client that retries by itself works too.
 */
export function overWebSocket(client: WebSocketClient): Subscribe {
  return <Data>(operation: Operation, sink: Sink<Data>) => {
    const forget = client.on('closed', (event) => sink.interrupted?.(event));
    const stop = client.subscribe<Data>(operation, {
      next: (result) => sink.next(result),
      error: (error) => {
        forget();
        sink.error(error);
      },
      complete: () => {
        forget();
        sink.complete();
      },
    });
    return () => {
      forget();
      stop();
    };
  };
}
