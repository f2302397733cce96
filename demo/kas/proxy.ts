import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Faults } from '../apiserver/faults.ts';
import type { User as ClusterUser } from '../apiserver/rbac.ts';
import { parseRequest, type ApiRequest } from '../apiserver/request.ts';
import { resetConnection } from '../apiserver/reset.ts';
import { Responder } from '../apiserver/responder.ts';
import type { Agent } from './agent.ts';
import { CREDENTIAL_HEADERS, readCredentials, withoutCredentials } from './credentials.ts';
import { record, type RecordedRequest } from './recorder.ts';
import { KasError, unauthorized, writeKasError } from './status.ts';
import { impersonated, type GitlabUsers } from './users.ts';
import type { WatchApi } from './watch-api/index.ts';
import { INNER_AGENT, INNER_SECRET, INNER_USER } from './watch-api/inner-headers.ts';
import type { Grant } from './watch-api/tokens.ts';

export interface ProxyParts {
  /** The path prefix, ending in a slash. */
  readonly base: string;
  readonly gitlabOrigin: string;
  readonly agents: ReadonlyMap<number, Agent>;
  readonly gitlab: GitlabUsers;
  readonly faults: Faults;
  readonly requests: RecordedRequest[];
  readonly watchApi: WatchApi;
}

const VIA = 'HTTP/1.1 gitlab-agent-server/demo, HTTP/1.1 gitlab-agent/demo';

/** KAS's k8s-proxy: who is asking, which agent, and then the cluster's own answer. */
export class Proxy {
  readonly #parts: ProxyParts;

  constructor(parts: ProxyParts) {
    this.#parts = parts;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { base, requests } = this.#parts;
    const { method = 'GET', url = '/', rawHeaders } = request;
    const hasPrefix = url.startsWith(base);
    const parsed = parseRequest(method, withoutCredentials(hasPrefix ? url.slice(base.length - 1) : url));
    const entry = record(method, url, rawHeaders, parsed);
    requests.push(entry);
    response.on('close', () => {
      if (response.headersSent) entry.status = response.statusCode;
      entry.endedAt = Date.now();
    });
    if (!this.#checkOrigin(request, response)) return;
    this.#forward(request, response, parsed, entry, hasPrefix).catch((error: unknown) => {
      writeKasError(response, error instanceof KasError ? error : new KasError(500, 'InternalError', String(error)));
    });
  }

  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    parsed: ApiRequest,
    entry: RecordedRequest,
    hasPrefix: boolean,
  ): Promise<void> {
    if (!hasPrefix) throw new KasError(400, 'BadRequest', 'Bad request: URL does not start with expected prefix');
    const { agents, faults, watchApi } = this.#parts;
    const grant = this.#grant(request, entry);
    const { user, agentId } = grant;
    entry.user = user.name;
    const agent = agents.get(agentId);
    if (!agent) throw unauthorized();
    if (watchApi.serveToken(parsed.path, parsed.query, grant, response)) return;
    if (agent.accessAs === 'user') refuseNestedImpersonation(request);
    if (this.#struckByFault(faults, parsed, user.name, response)) return;
    const release = await agent.open({ reset: () => resetConnection(response.socket) });
    response.on('close', release);
    if (agent.latencyMs > 0) await delay(agent.latencyMs);
    if (response.destroyed) {
      release();
      return;
    }
    response.setHeader('Via', VIA);
    for (const name of CREDENTIAL_HEADERS) delete request.headers[name];
    const seen = agent.accessAs === 'user' ? impersonated(user) : clientsChoice(request, agent.serviceAccount);
    await agent.cluster.handle(parsed, seen, request, response);
  }

  #grant(request: IncomingMessage, entry: RecordedRequest): Grant {
    const { gitlab, watchApi } = this.#parts;
    const inner = gitlab.find(String(request.headers[INNER_USER] ?? ''));
    if (inner && request.headers[INNER_SECRET] === watchApi.secret) {
      const agentId = Number(request.headers[INNER_AGENT]);
      Object.assign(entry, { agent: agentId, via: 'websocket' });
      return { user: inner, agentId };
    }
    const [, search = ''] = /\?(.*)$/s.exec(request.url ?? '') ?? [];
    const credentials = readCredentials(request, new URLSearchParams(search));
    entry.agent = credentials.agentId;
    return { user: gitlab.authorize(credentials), agentId: credentials.agentId };
  }

  /** A server sends no Origin; a browser's must be GitLab's own. False: answered here. */
  #checkOrigin(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin } = request.headers;
    if (origin === undefined) return true;
    if (origin !== this.#parts.gitlabOrigin) {
      response.writeHead(403).end();
      return false;
    }
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Allow-Credentials', 'true');
    response.setHeader('Vary', 'Origin');
    if (request.method !== 'OPTIONS') return true;
    response.writeHead(200, {
      'Access-Control-Allow-Headers': request.headers['access-control-request-headers'] ?? '',
      'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'Access-Control-Max-Age': '86400',
    });
    response.end();
    return false;
  }

  /** KAS's own faults: refusals, silence, resets. True: the request ends here. */
  #struckByFault(faults: Faults, parsed: ApiRequest, user: string, response: ServerResponse): boolean {
    const { respond, blackHole, reset, ...rest } = faults.strike(parsed, user);
    if (blackHole) return true;
    if (reset) {
      resetConnection(response.socket);
      return true;
    }
    if (!respond) return false;
    const { status, headers = {}, contentType = 'application/json', body } = respond;
    const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
    new Responder(response, rest).text(text, contentType, status, headers);
    return true;
  }
}

function refuseNestedImpersonation(request: IncomingMessage): void {
  if (Object.keys(request.headers).some((name) => name.startsWith('impersonate-'))) {
    throw new KasError(
      400,
      'BadRequest',
      'Nested impersonation is not supported - agent is already configured to impersonate an identity',
    );
  }
}

/** Under `access_as: agent` a client's own impersonation headers go through. */
function clientsChoice(request: IncomingMessage, own: ClusterUser): ClusterUser {
  const name = request.headers['impersonate-user'];
  if (typeof name !== 'string') return own;
  const groups = request.headers['impersonate-group'];
  return { name, groups: ['system:authenticated', ...(groups === undefined ? [] : [groups].flat())] };
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
