import type { Operation, Sink, Subscribe, TypedDocument, Update } from '../../client/index.ts';

export interface Pod {
  readonly id: string;
}

export interface PodsData {
  readonly [field: string]: Update<Pod>;
}

export const PODS = 'subscription { pods }' as TypedDocument<PodsData, { readonly namespace: string }>;

/** One subscription, as the transport sees it. */
export interface Opened {
  readonly variables: unknown;
  readonly sink: Sink<unknown>;
  stopped: boolean;
}

/** A transport that does what the test says. */
export class ScriptedTransport {
  readonly opened: Opened[] = [];
  readonly subscribe: Subscribe = <Data>(operation: Operation, sink: Sink<Data>) => {
    const opened: Opened = { variables: operation.variables, sink, stopped: false };
    this.opened.push(opened);
    return () => {
      opened.stopped = true;
    };
  };

  get last(): Opened {
    const last = this.opened.at(-1);
    if (!last) throw new Error('nobody subscribed');
    return last;
  }

  send(type: Update<Pod>['type'], ids: readonly string[], cursor: string): void {
    const pods = { type, upserted: ids.map((id) => ({ id })), removed: [], cursor };
    this.last.sink.next({ data: { pods } });
  }
}

export function refusal(code: string, retryable: boolean) {
  return [{ message: `${code}!`, extensions: { code, retryable, remedy: 'Do something.' } }];
}
