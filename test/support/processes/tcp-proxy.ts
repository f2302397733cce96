import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ProxiedConnection, type LinkFault } from './proxied-connection.ts';

export type { LinkFault, ProxiedConnection } from './proxied-connection.ts';

/** A line between two processes that a test may disturb. */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #open = new Set<ProxiedConnection>();
  #targetPort: number;
  #fault: LinkFault = { kind: 'pass' };
  #refuses = false;

  /** `targetPort`: of 127.0.0.1. */
  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open, oldest first. */
  get connections(): readonly ProxiedConnection[] {
    return [...this.#open];
  }

  /** The same on every connection, those to come included. */
  disturb(fault: LinkFault): void {
    this.#fault = fault;
    for (const connection of this.#open) connection.disturb(fault);
  }

  /** Everything passes again, and what was held back arrives. */
  heal(): void {
    this.#refuses = false;
    this.disturb({ kind: 'pass' });
  }

  /** Resets every connection. */
  cutAll(): void {
    for (const connection of this.#open) connection.cut();
  }

  /** Resets every connection, and each that is tried until `heal`. */
  refuse(): void {
    this.#refuses = true;
    this.cutAll();
  }

  /** New connections go there; those that are open stay where they are. */
  switchTo(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#refuses) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const connection = new ProxiedConnection(
      client,
      connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true }),
      this.#fault,
      () => this.#open.delete(connection),
    );
    this.#open.add(connection);
  }
}
