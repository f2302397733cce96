import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ApiServer } from '../../demo/apiserver/index.ts';
import { grant } from '../../demo/apiserver/objects.ts';
import { parseRequest } from '../../demo/apiserver/request.ts';
import { selfSignedCertificate } from '../../demo/kas/certificate.ts';

/** Who is authorized, and how the connection came: what a request looked like to the API server. */
export interface SeenRequest {
  readonly url: string;
  readonly user: string | undefined;
  readonly authorization: string | undefined;
  readonly servername: string | false | null;
}

export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** An API server as clusters have them: with TLS, and authenticating by client certificate, token or password. */
export class SecureApi implements AsyncDisposable {
  readonly api = new ApiServer();
  /** For localhost and 127.0.0.1; it is its own authority. */
  readonly serverCertificate: string;
  /** A pair that stands for `user:cert`. */
  readonly clientPair: KeyPair;
  /** What may be sent in Authorization, and for whom it stands. */
  readonly authorizations = new Map<string, string>();
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;

  static async start(): Promise<SecureApi> {
    const api = new SecureApi();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  private constructor() {
    const pair = selfSignedCertificate();
    this.serverCertificate = pair.cert;
    this.clientPair = selfSignedCertificate();
    this.#server = createServer(
      { ...pair, ca: this.clientPair.cert, requestCert: true, rejectUnauthorized: false },
      (request, response) => void this.#serve(request, response),
    );
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Makes a value of Authorization stand for a user who may do anything. The user's name holds a colon, as RBAC's do. */
  allow(authorization: string, user: string): void {
    this.authorizations.set(authorization, user);
    grant(this.api.store, user, '', ['*'], ['*', '*/log', '*/scale']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.api.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    const socket = request.socket as TLSSocket & { servername: string | false | null };
    const name = this.#userOf(headers.authorization, socket);
    this.seen.push({ url, user: name, authorization: headers.authorization, servername: socket.servername });
    if (name === undefined) {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'Unauthorized', code: 401 }));
      return;
    }
    const impersonated = headers['impersonate-user'];
    const user = { name: typeof impersonated === 'string' ? impersonated : name, groups: ['system:authenticated'] };
    await this.api.handle(parseRequest(method, url), user, request, response);
  }

  #userOf(authorization: string | undefined, socket: TLSSocket): string | undefined {
    if (authorization !== undefined) return this.authorizations.get(authorization);
    const shown = socket.getPeerX509Certificate();
    const expected = new X509Certificate(this.clientPair.cert);
    return socket.authorized && shown?.fingerprint256 === expected.fingerprint256 ? 'user:cert' : undefined;
  }
}
