import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';

export interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

export interface PodsUpdate {
  readonly type: string;
  readonly resyncReason: string | null;
  readonly cursor: string;
  readonly total: number;
}

export interface RawSocketOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** False: it does not say who it is. */
  readonly init?: boolean;
}

/** A WebSocket without a client library around it: what is said on it, and how it ended. */
export class RawSocket {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  /** The code it was closed with; a handshake that was refused: its HTTP status. */
  ending: number | undefined;

  /** Resolves when it has been acknowledged, or is over. */
  static async open(url: string, options: RawSocketOptions = {}): Promise<RawSocket> {
    const raw = new RawSocket(url, options);
    const isReady = () =>
      raw.ending !== undefined ||
      (options.init === false ? raw.socket.readyState === WebSocket.OPEN : raw.messages.length > 0);
    await eventually('an answer', isReady, 15_000);
    return raw;
  }

  private constructor(url: string, { token, headers = {}, init = true }: RawSocketOptions) {
    // What fills buffers must not shrink on the way.
    this.socket = new WebSocket(url, ['graphql-transport-ws'], { headers, perMessageDeflate: false });
    this.socket.on('message', (data: Buffer) => this.messages.push(JSON.parse(data.toString()) as Message));
    this.socket.on('error', () => undefined);
    this.socket.on('unexpected-response', (request, response) => {
      this.ending = response.statusCode;
      request.destroy();
    });
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code) => {
        this.ending ??= code;
        resolve(code);
      });
    });
    if (init) {
      const payload = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      this.socket.once('open', () => this.send({ type: 'connection_init', payload }));
    }
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables: object = {}): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } });
  }

  /** What came of `k8sPods` for one operation. */
  updates(id: string): PodsUpdate[] {
    const frames = this.messages.filter((message) => message.id === id && message.type === 'next');
    const shown = frames.map(({ payload }) => (payload as { data?: { k8sPods?: PodsUpdate } | null }).data?.k8sPods);
    return shown.filter((update) => update !== undefined);
  }

  /** Codes of the errors that one operation ended with, as JSON. */
  errorText(id: string): string {
    return JSON.stringify(this.messages.filter((message) => message.id === id && message.type !== 'complete'));
  }
}

export const LIVE_PODS = /* GraphQL */ `
  subscription ($namespace: String = "shop", $resume: String) {
    k8sPods(agentId: "1", namespace: $namespace, resume: $resume) {
      type
      upserted {
        metadata {
          name
          resourceVersion
        }
      }
      removed
      cursor
      resyncReason
      total
    }
  }
`;

/** The same with everything that is large about a pod. */
export const LARGE_PODS = LIVE_PODS.replace('resourceVersion', 'resourceVersion labels annotations');
