import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Json } from './apiserver/json.ts';
import { grant } from './apiserver/grants.ts';
import { startKas, type Kas, type KasOptions } from './kas/index.ts';
import { pause } from '../test/support/eventually.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  // The tests below look into documents of every shape.
  readonly body: unknown;
}

interface SendOptions {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: Json;
  contentType?: string;
}

/** A plain HTTP client over node:http: it sends paths exactly as given, and repeats headers when told to. */
export class TestClient {
  readonly kas: Kas;
  readonly #headers: Record<string, string>;

  constructor(kas: Kas, user: string, agent = 1) {
    this.kas = kas;
    this.#headers = { authorization: `Bearer ${kas.bearer(user, agent)}` };
  }

  async send(path: string, options: SendOptions = {}): Promise<Answer> {
    const response = await this.open(path, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString();
    const isJson = (response.headers['content-type'] ?? '').startsWith('application/json');
    const body: unknown = isJson && text !== '' ? JSON.parse(text) : undefined;
    return { status: response.statusCode ?? 0, headers: response.headers, text, body };
  }

  open(path: string, { method = 'GET', headers, body, contentType = 'application/json' }: SendOptions = {}) {
    const { port, url } = this.kas;
    return new Promise<IncomingMessage>((resolve, reject) => {
      const prefix = new URL(url).pathname;
      const text = body === undefined ? '' : JSON.stringify(body);
      const length = String(Buffer.byteLength(text));
      const extra = body === undefined ? {} : { 'content-type': contentType, 'content-length': length };
      const options = { port, host: '127.0.0.1', path: prefix + path, method, agent: false as const };
      const request = httpRequest({ ...options, headers: { ...(headers ?? this.#headers), ...extra } }, resolve);
      request.on('error', reject);
      request.end(text);
    });
  }

  async watch(path: string): Promise<TestWatch> {
    const mark = path.includes('?') ? '&' : '?';
    return new TestWatch(await this.open(`${path}${mark}watch=true`));
  }
}

export interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly code?: number;
    readonly reason?: string;
    readonly metadata: {
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly annotations?: Record<string, string>;
      readonly labels?: Record<string, string>;
    };
  };
}

/** Reads a watch: its chunks as they come, its lines as events. */
export class TestWatch {
  readonly response: IncomingMessage;
  readonly chunks: Buffer[] = [];
  readonly events: WatchEvent[] = [];
  /** `end` after a clean end, `error` after a broken connection. */
  readonly ended: Promise<'end' | 'error'>;
  #rest: string[] = [];

  constructor(response: IncomingMessage) {
    this.response = response;
    this.ended = new Promise((resolve) => {
      response.on('end', () => resolve('end'));
      response.on('error', () => resolve('error'));
    });
    response.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  get types(): string[] {
    return this.events.map((event) => event.type);
  }

  /** Waits until `count` events have come. */
  async take(count: number, withinMs = 5_000): Promise<WatchEvent[]> {
    const deadline = Date.now() + withinMs;
    while (this.events.length < count) {
      if (Date.now() > deadline) throw new Error(`got ${this.events.length} of ${count} events`);
      await pause(5);
    }
    return this.events;
  }

  close(): void {
    this.response.destroy();
  }

  #read(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.#rest.push(chunk.toString('latin1'));
    if (!chunk.includes(0x0a)) return;
    const lines = this.#rest.join('').split('\n');
    this.#rest = [lines.pop() ?? ''];
    for (const line of lines) {
      try {
        const event: WatchEvent = JSON.parse(Buffer.from(line, 'latin1').toString());
        this.events.push(event);
      } catch {
        // A fault's output; the tests look at the chunks.
      }
    }
  }
}

/** One agent, and `ada` who may do everything on it. */
export async function startWithAda(options: KasOptions = {}) {
  const kas = await startKas(options);
  const { api } = kas.agent(1);
  kas.user('ada');
  grant(api.store, 'ada', '', ['*'], ['*']);
  return { kas, api, store: api.store, faults: api.faults, ada: new TestClient(kas, 'ada') };
}
