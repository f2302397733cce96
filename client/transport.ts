/** What is asked. A transport that retries by itself reads `variables` anew each time: `resume` changes. */
export interface Operation {
  readonly query: string;
  readonly variables?: Record<string, unknown> | null | undefined;
}

/** One message of a subscription. */
export interface Result<Data> {
  readonly data?: Data | null | undefined;
  readonly errors?: readonly unknown[] | undefined;
}

/** Where messages go. After `error` or `complete` nothing comes any more. */
export interface Sink<Data> {
  next(result: Result<Data>): void;
  error(error: unknown): void;
  complete(): void;
  /** The connection is lost, and the transport is about to bring it back by itself. */
  interrupted?(error: unknown): void;
}

/** A transport. Answers how to stop, after which nothing comes any more. */
export type Subscribe = <Data>(operation: Operation, sink: Sink<Data>) => () => void;
