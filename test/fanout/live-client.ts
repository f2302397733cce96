import { once } from 'node:events';
import { WebSocket } from 'ws';
import { tokenOf } from '../support/whole-server.ts';

/** Whatever it talks to: a server in this process or in another. */
export interface Reachable {
  readonly server: { readonly url: string };
}

/** One message as every shape of these tests can be read, whatever it calls its fields. */
export interface Message {
  readonly type: 'SNAPSHOT' | 'CHANGES';
  readonly upserted: readonly { readonly id: string; readonly version?: string }[];
  readonly removed: readonly string[];
  readonly cursor: string;
  readonly total: number;
  readonly resyncReason?: string | null;
}

export interface Shape {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  /** Finds the fields again in what the shape gets. */
  readonly read: (data: never) => Message;
}

export interface JoinOptions {
  readonly user?: string;
  readonly transport?: 'ws' | 'deflated' | 'sse';
  readonly resume?: string | undefined;
  readonly maxRate?: number | undefined;
  readonly id?: string;
  /** The set as it was when the client left, with `resume`. */
  readonly before?: LiveClient | undefined;
}

/** A client that keeps its set as the contract says, and notes whatever must not happen. */
export class LiveClient {
  readonly shape: Shape;
  readonly options: JoinOptions;
  readonly messages: Message[] = [];
  readonly texts: string[] = [];
  readonly errors: unknown[] = [];
  readonly breaches: string[] = [];
  readonly set = new Map<string, string | undefined>();
  /** Resolves when the server, or `leave`, has ended it: with the WebSocket's close code, or for a stream whether it was cut. */
  readonly ended: Promise<number | 'whole' | 'cut'>;
  #end: (how: number | 'whole' | 'cut') => void;
  readonly #removed = new Set<string>();
  #socket: WebSocket | undefined;
  #abort: AbortController | undefined;

  static async join(whole: Reachable, shape: Shape, options: JoinOptions = {}): Promise<LiveClient> {
    const client = new LiveClient(shape, options);
    if (options.transport === 'sse') await client.#openStream(whole);
    else await client.#openSocket(whole);
    return client;
  }

  private constructor(shape: Shape, options: JoinOptions) {
    this.shape = shape;
    this.options = options;
    const ended = Promise.withResolvers<number | 'whole' | 'cut'>();
    this.ended = ended.promise;
    this.#end = ended.resolve;
    if (options.resume === undefined || options.before === undefined) return;
    for (const [id, version] of options.before.set) this.set.set(id, version);
  }

  get cursor(): string | undefined {
    return this.messages.at(-1)?.cursor;
  }

  /** Takes nothing more from the socket until `read()`. */
  stall(): void {
    this.#socket?.pause();
  }

  read(): void {
    this.#socket?.resume();
  }

  leave(): void {
    this.#socket?.terminate();
    this.#abort?.abort();
  }

  get #payload() {
    const { resume, maxRate } = this.options;
    return { query: this.shape.query, variables: { ...this.shape.variables, resume, maxRate } };
  }

  async #openSocket(whole: Reachable): Promise<void> {
    const { user = 'ada', id = crypto.randomUUID(), transport } = this.options;
    const socket = new WebSocket(`${whole.server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      perMessageDeflate: transport === 'deflated',
    });
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', (code) => this.#end(code));
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${tokenOf(user)}` } }));
    await once(socket, 'message');
    socket.on('message', (data: Buffer) => this.#receive(data.toString(), id));
    socket.send(JSON.stringify({ id, type: 'subscribe', payload: this.#payload }));
  }

  #receive(text: string, id: string): void {
    this.texts.push(text);
    const message = JSON.parse(text) as { id: string; type: string; payload: { data?: never; errors?: unknown } };
    if (message.id !== id) this.breaches.push(`a message for ${message.id}`);
    if (message.type === 'next') this.#take(message.payload);
    else if (message.type === 'error') this.errors.push(message.payload);
  }

  async #openStream(whole: Reachable): Promise<void> {
    const { user = 'ada' } = this.options;
    this.#abort = new AbortController();
    const response = await fetch(`${whole.server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${tokenOf(user)}`,
      },
      body: JSON.stringify(this.#payload),
      signal: this.#abort.signal,
    });
    void this.#readStream(response).then(
      () => this.#end('whole'),
      () => this.#end('cut'),
    );
  }

  async #readStream(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const data = /^event: next\ndata: (.*)$/s.exec(event)?.[1];
        if (data === undefined) continue;
        this.texts.push(data);
        this.#take(JSON.parse(data) as { data?: never; errors?: unknown });
      }
    }
  }

  #take({ data, errors }: { data?: never; errors?: unknown }): void {
    if (errors !== undefined) this.errors.push(errors);
    if (data === undefined || data === null) return;
    const message = this.shape.read(data);
    if (this.messages.length === 0 && message.type === 'CHANGES' && this.options.resume === undefined) {
      this.breaches.push('the first message is no snapshot');
    }
    this.messages.push(message);
    if (message.type === 'SNAPSHOT') this.set.clear();
    for (const id of message.removed) {
      this.set.delete(id);
      this.#removed.add(id);
    }
    for (const { id, version } of message.upserted) this.#upsert(id, version);
    if (this.set.size !== message.total) this.breaches.push(`${this.set.size} objects, total says ${message.total}`);
  }

  #upsert(id: string, version: string | undefined): void {
    const known = this.set.get(id);
    if (known !== undefined && version !== undefined && Number(version) < Number(known)) {
      this.breaches.push(`${id} went back from ${known} to ${version}`);
    }
    // Under a filter an object may come back into the view; without one, what is gone is gone.
    if (this.#removed.has(id) && this.shape.variables?.['filter'] === undefined) this.breaches.push(`${id} came back`);
    this.set.set(id, version);
  }
}
