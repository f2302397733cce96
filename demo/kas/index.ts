import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server } from 'node:net';
import { Faults } from '../apiserver/faults.ts';
import { Agent, type AgentOptions } from './agent.ts';
import { selfSignedCertificate } from './certificate.ts';
import { Proxy } from './proxy.ts';
import { fits, type RecordedRequest, type RequestFilter } from './recorder.ts';
import { GitlabUsers, type GitlabUser, type UserOptions } from './users.ts';
import { WatchApi } from './watch-api/index.ts';

export type { Agent, AgentOptions } from './agent.ts';
export type { RecordedRequest, RequestFilter } from './recorder.ts';
export type { WatchApi, WatchConnection } from './watch-api/index.ts';
export type { GitlabUser, UserOptions } from './users.ts';

export interface KasOptions {
  /** 0, the default, takes a free port. */
  port?: number | undefined;
  host?: string | undefined;
  /** Path under which the proxy is mounted; `/k8s-proxy` by default. */
  prefix?: string | undefined;
  /** The one browser origin that is let in. */
  gitlabOrigin?: string | undefined;
  /** Listens with TLS on a second port too; kubectl sends tokens over nothing else. */
  tls?: boolean | undefined;
  /** Agents to start with, by ID; one agent 1 by default. */
  agents?: Record<number, AgentOptions> | undefined;
}

/** A running stand-in for KAS, as tests hold it. */
export interface Kas {
  /** Base URL of the k8s-proxy, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** The same with TLS, if asked for, and the certificate to trust. */
  readonly secure: { readonly url: string; readonly certificate: string } | undefined;
  /** Every request received, oldest first. */
  readonly requests: RecordedRequest[];
  /** Faults of KAS's own, struck after authentication and before the tunnel. */
  readonly faults: Faults;
  readonly agents: ReadonlyMap<number, Agent>;
  readonly gitlab: GitlabUsers;
  /** The aggregated watch: its open WebSockets, its tokens, its faults. */
  readonly watchApi: WatchApi;
  /** An agent that must exist. */
  agent(id: number): Agent;
  addAgent(id: number, options?: AgentOptions): Agent;
  removeAgent(id: number): void;
  /** Makes a user or changes one. */
  user(name: string, options?: UserOptions): GitlabUser;
  /** The bearer token of a user for an agent: `pat:<agent>:<token>`. */
  bearer(user: string, agent?: number): string;
  /** How many requests fit. */
  counts(filter?: RequestFilter): number;
  /** Requests that fit and are not finished. */
  inFlight(filter?: RequestFilter): RecordedRequest[];
  /** Streams through an agent's tunnel. */
  openStreams(agent: number): number;
  close(): Promise<void>;
}

export async function startKas(options: KasOptions = {}): Promise<Kas> {
  const { port = 0, host = '127.0.0.1', prefix = '/k8s-proxy' } = options;
  const agents = new Map<number, Agent>();
  const gitlab = new GitlabUsers();
  const faults = new Faults();
  const requests: RecordedRequest[] = [];
  const base = `${prefix.replace(/\/+$/, '')}/`;
  const gitlabOrigin = options.gitlabOrigin ?? 'https://gitlab.example.com';
  const watchApi = new WatchApi({ base, gitlabOrigin, agents, gitlab, requests, port: () => boundPort });
  const proxy = new Proxy({ base, gitlabOrigin, agents, gitlab, faults, requests, watchApi });
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => proxy.handle(request, response));
  server.on('upgrade', (request, tcp, head) => watchApi.upgrade(request, tcp, head));
  const boundPort = await listen(server, port, host);
  const secure = options.tls ? await listenSecurely(proxy, watchApi, host) : undefined;
  const path = base.slice(0, -1);

  const addAgent = (id: number, agentOptions: AgentOptions = {}) => {
    const agent = new Agent(id, agentOptions);
    agents.set(id, agent);
    return agent;
  };
  const agent = (id: number) => {
    const found = agents.get(id);
    if (!found) throw new Error(`there is no agent ${id}`);
    return found;
  };
  for (const [id, agentOptions] of Object.entries(options.agents ?? { 1: {} })) addAgent(Number(id), agentOptions);

  return {
    url: `http://${host}:${boundPort}${path}`,
    port: boundPort,
    secure: secure && { url: `https://${host}:${secure.port}${path}`, certificate: secure.certificate },
    requests,
    faults,
    agents,
    gitlab,
    watchApi,
    agent,
    addAgent,
    removeAgent(id) {
      agent(id).close();
      agents.delete(id);
    },
    user: (name, userOptions) => gitlab.set(name, userOptions),
    bearer: (user, id = 1) => `pat:${id}:${gitlab.set(user).token}`,
    counts: (filter = {}) => requests.filter((request) => fits(request, filter)).length,
    inFlight: (filter = {}) => requests.filter((request) => request.endedAt === undefined && fits(request, filter)),
    openStreams: (id) => agents.get(id)?.streams ?? 0,
    async close() {
      watchApi.close();
      for (const each of agents.values()) each.close();
      await Promise.all([server, ...(secure ? [secure.server] : [])].map(closeServer));
    },
  };
}

async function listenSecurely(proxy: Proxy, watchApi: WatchApi, host: string) {
  const { key, cert } = selfSignedCertificate();
  const server = createSecureServer({ key, cert }, (request, response) => proxy.handle(request, response));
  server.on('upgrade', (request, tcp, head) => watchApi.upgrade(request, tcp, head));
  return { server, certificate: cert, port: await listen(server, 0, host) };
}

/** Answers the port it got. */
function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function closeServer(server: Server & { closeAllConnections(): void }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
