import { randomBytes } from 'node:crypto';
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Answer } from '../../apiserver/effects.ts';
import { parseRequest } from '../../apiserver/request.ts';
import type { Agent } from '../agent.ts';
import { readCredentials } from '../credentials.ts';
import { record, type RecordedRequest } from '../recorder.ts';
import { KasError, unauthorized, writeKasError } from '../status.ts';
import type { GitlabUsers } from '../users.ts';
import { WatchConnection } from './connection.ts';
import { WatchApiFaults } from './faults.ts';
import { INNER_AGENT, INNER_SECRET, INNER_USER } from './inner-headers.ts';
import { WatchTokens, type Grant } from './tokens.ts';

export type { WatchConnection } from './connection.ts';

const SUBPROTOCOL = 'gitlab-agent-watch-api';
const TOKEN_SUBPROTOCOL = 'websocket-token.kas.gitlab.com.';
const TOKEN_QUERY = 'kas-websocket-token-request';

export interface WatchApiParts {
  /** The path prefix, ending in a slash. */
  readonly base: string;
  readonly gitlabOrigin: string;
  readonly agents: ReadonlyMap<number, Agent>;
  readonly gitlab: GitlabUsers;
  readonly requests: RecordedRequest[];
  /** Where the proxy listens, for the watches behind a connection. */
  readonly port: () => number;
}

/** KAS's aggregated watch: many watches in one WebSocket at `<base>watch`. */
export class WatchApi {
  readonly faults = new WatchApiFaults();
  readonly tokens = new WatchTokens();
  /** Known to this process alone: lets its own requests pass as the user of a connection. */
  readonly secret = randomBytes(16).toString('hex');
  /** Connections accepted so far. */
  accepted = 0;
  readonly #parts: WatchApiParts;
  readonly #open = new Set<WatchConnection>();
  readonly #server = new WebSocketServer({
    noServer: true,
    autoPong: false,
    perMessageDeflate: false,
    maxPayload: 1024 * 1024,
    handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });

  constructor(parts: WatchApiParts) {
    this.#parts = parts;
  }

  /** Connections that are open, oldest first. */
  get connections(): WatchConnection[] {
    return [...this.#open];
  }

  /** Answers a request for a token, of a user who has been authorized. False: it is none. */
  serveToken(path: string, query: URLSearchParams, grant: Grant, response: ServerResponse): boolean {
    if (this.faults.absent || path !== '/watch' || query.get(TOKEN_QUERY) !== 'true') return false;
    if (this.faults.refuseToken) {
      writeAnswer(response, this.faults.refuseToken);
      return true;
    }
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    response.end(JSON.stringify({ token: this.tokens.issue(grant) }));
    return true;
  }

  upgrade(request: IncomingMessage, tcp: Duplex, head: Buffer): void {
    const { base, requests } = this.#parts;
    const { method = 'GET', url = '/', rawHeaders } = request;
    const parsed = parseRequest(method, url.startsWith(base) ? url.slice(base.length - 1) : url);
    const entry: RecordedRequest = { ...record(method, url, rawHeaders, parsed), verb: 'upgrade' };
    requests.push(entry);
    tcp.on('error', () => {});
    tcp.on('close', () => {
      entry.endedAt = Date.now();
    });
    const refuse = (write: (response: ServerResponse) => void) => {
      const response = new ServerResponse(request);
      response.assignSocket(tcp as never);
      response.shouldKeepAlive = false;
      response.on('finish', () => tcp.end());
      write(response);
      entry.status = response.statusCode;
    };
    try {
      const grant = this.#authorize(request, parsed.path, parsed.query);
      entry.agent = grant.agentId;
      entry.user = grant.user.name;
      const { refuseUpgrade } = this.faults;
      if (refuseUpgrade) {
        refuse((response) => writeAnswer(response, refuseUpgrade));
        return;
      }
      entry.status = 101;
      this.#server.handleUpgrade(request, tcp, head, (socket) => this.#accept(socket, grant));
    } catch (error) {
      refuse((response) =>
        writeKasError(response, error instanceof KasError ? error : new KasError(500, 'InternalError', String(error))),
      );
    }
  }

  close(): void {
    for (const connection of this.#open) connection.reset();
    this.#server.close();
  }

  #accept(socket: WebSocket, grant: Grant): void {
    const { base, port } = this.#parts;
    const connection = new WatchConnection(grant, socket, this.faults, ({ user, agentId }, path) => ({
      port: port(),
      path: base.slice(0, -1) + path,
      headers: { [INNER_SECRET]: this.secret, [INNER_USER]: user.name, [INNER_AGENT]: String(agentId) },
    }));
    this.accepted += 1;
    this.#open.add(connection);
    socket.on('close', () => this.#open.delete(connection));
  }

  /** By the token among the subprotocols; without one, by what any request is authorized by. */
  #authorize(request: IncomingMessage, path: string, query: URLSearchParams): Grant {
    const { origin } = request.headers;
    if (origin !== undefined && origin !== this.#parts.gitlabOrigin)
      throw new KasError(403, 'Forbidden', 'origin not allowed');
    if (this.faults.absent || path !== '/watch') throw new KasError(404, 'NotFound', '404 page not found');
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (!protocols.includes(SUBPROTOCOL)) throw new KasError(400, 'BadRequest', 'unsupported subprotocol');
    const token = protocols.find((name) => name.startsWith(TOKEN_SUBPROTOCOL))?.slice(TOKEN_SUBPROTOCOL.length);
    if (token !== undefined) {
      const grant = this.tokens.redeem(token);
      if (grant === undefined) throw unauthorized('invalid WebSocket token');
      return grant;
    }
    const credentials = readCredentials(request, query);
    const user = this.#parts.gitlab.authorize(credentials);
    if (!this.#parts.agents.has(credentials.agentId)) throw unauthorized();
    return { user, agentId: credentials.agentId };
  }
}

function writeAnswer(response: ServerResponse, { status, headers, contentType, body }: Answer): void {
  response.writeHead(status, { 'Content-Type': contentType ?? 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
}
