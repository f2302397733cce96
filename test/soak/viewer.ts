import { DOCUMENTS, followsSet, type DocumentName } from './documents.ts';
import { LiveSet, type SetUpdate } from './live-set.ts';
import { overEvents, overWebSocket, type Connection } from './transports.ts';

export interface Look {
  readonly url: string;
  readonly token: string;
  readonly document: DocumentName;
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly transport: 'websocket' | 'events';
  readonly maxRate: number | undefined;
}

/** Somebody who looks at something until they leave. */
export class Viewer {
  readonly look: Look;
  readonly set: LiveSet;
  messages = 0;
  /** Why it ended, though nobody left. */
  ended: string | undefined;
  readonly #connection: Connection;
  readonly #first = Promise.withResolvers<void>();
  #isGone = false;

  /** `before`: the set of a client that comes back with its last cursor. */
  constructor(look: Look, before?: LiveSet) {
    this.look = look;
    this.set = before ?? new LiveSet();
    const { url, token, document, namespace, transport, maxRate } = look;
    const variables = { agentId: '1', namespace, maxRate, resume: before?.cursor };
    const open = transport === 'websocket' ? overWebSocket : overEvents;
    this.#connection = open(
      { url, token, query: DOCUMENTS[document], variables },
      {
        next: ({ data, errors }) => this.#take(data, errors),
        ended: (why) => {
          this.ended = why;
          this.#first.resolve();
        },
      },
    );
  }

  /** Resolves with the first message, or the end. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  get followsSet(): boolean {
    return followsSet(this.look.document);
  }

  stall(): void {
    this.#connection.pause();
  }

  read(): void {
    this.#connection.resume();
  }

  leave(): void {
    this.#isGone = true;
    this.#connection.close();
  }

  #take(data: Record<string, unknown> | null | undefined, errors: unknown): void {
    // What was decompressed when the connection ended may still come; the set may be another's by now.
    if (this.#isGone) return;
    this.messages += 1;
    if (errors !== undefined) this.ended = JSON.stringify(errors);
    const update = data?.['k8sPods'];
    if (this.followsSet && update !== undefined) this.set.apply(update as SetUpdate);
    this.#first.resolve();
  }
}
