import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

const PROTOCOL = 'graphql-transport-ws';

interface Message {
  readonly type: string;
  readonly payload?: {
    readonly variables?: Record<string, unknown>;
    readonly data?: { readonly k8sPods: { readonly type: string } };
  };
}

/** Between a graphql-ws client and the server: sees what they say, and cuts them off. */
export class CuttingProxy {
  /** What was subscribed to, in order. */
  readonly subscribed: { readonly variables: Record<string, unknown> }[] = [];
  /** The updates that went through, in order. */
  readonly answered: { readonly type: string }[] = [];
  readonly #server: WebSocketServer;
  readonly #sockets = new Set<WebSocket>();

  static async start(upstreamUrl: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(upstreamUrl);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(upstreamUrl: string) {
    this.#server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => PROTOCOL });
    this.#server.on('connection', (client) => this.#join(client, new WebSocket(upstreamUrl, PROTOCOL)));
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.terminate();
    this.#sockets.clear();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(client: WebSocket, upstream: WebSocket): void {
    this.#sockets.add(client).add(upstream);
    const isOpen = once(upstream, 'open');
    client.on('message', (data: Buffer) => {
      const { type, payload } = JSON.parse(data.toString()) as Message;
      if (type === 'subscribe') this.subscribed.push({ variables: payload?.variables ?? {} });
      void isOpen.then(() => upstream.send(data.toString()));
    });
    upstream.on('message', (data: Buffer) => {
      const { payload } = JSON.parse(data.toString()) as Message;
      if (payload?.data) this.answered.push(payload.data.k8sPods);
      client.send(data.toString());
    });
    upstream.on('error', () => client.terminate());
    for (const socket of [client, upstream]) socket.on('close', () => [client, upstream].map((each) => each.close()));
  }
}
