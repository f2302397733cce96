import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiServer, type ApiServerOptions } from '../apiserver/index.ts';
import { grant } from '../apiserver/grants.ts';
import type { User as ClusterUser } from '../apiserver/rbac.ts';
import type { ApiRequest } from '../apiserver/request.ts';
import { KasError } from './status.ts';

/** Whatever answers at the tunnel's other end. */
export interface Cluster {
  handle(request: ApiRequest, user: ClusterUser, incoming: IncomingMessage, response: ServerResponse): Promise<void>;
}

export interface AgentOptions extends ApiServerOptions {
  name?: string | undefined;
  /** Another cluster than the demo's own. */
  cluster?: Cluster | undefined;
  /** Whose rights a request has in the cluster: the user's (default here), or the agent's own. */
  accessAs?: 'user' | 'agent' | undefined;
  /** Requests in flight at once; 500 in KAS. */
  streamBudget?: number | undefined;
  /** How long a request waits for the agent to connect: 20 s in KAS, 50 ms here. */
  connectWaitMs?: number | undefined;
  /** Added to each request, as the way through the tunnel does. */
  latencyMs?: number | undefined;
}

/** One request in flight through the tunnel. */
export interface Stream {
  reset(): void;
}

/** A GitLab agent: the tunnel into one cluster. It may be cut and come back at any time. */
export class Agent {
  readonly id: number;
  readonly name: string;
  /** The demo's own cluster. */
  readonly api: ApiServer;
  readonly cluster: Cluster;
  readonly accessAs: 'user' | 'agent';
  readonly latencyMs: number;
  streamBudget: number;
  /** Requests refused because the budget was used up. */
  refusedStreams = 0;
  readonly #connectWaitMs: number;
  readonly #streams = new Set<Stream>();
  readonly #waiting = new Set<(connected: boolean) => void>();
  #connected = true;

  constructor(id: number, options: AgentOptions = {}) {
    this.id = id;
    this.name = options.name ?? `agent-${id}`;
    this.api = new ApiServer(options);
    this.cluster = options.cluster ?? this.api;
    this.accessAs = options.accessAs ?? 'user';
    this.latencyMs = options.latencyMs ?? 0;
    this.streamBudget = options.streamBudget ?? 500;
    this.#connectWaitMs = options.connectWaitMs ?? 50;
    if (this.accessAs === 'agent') grant(this.api.store, this.serviceAccount.name, '', ['*'], ['*']);
  }

  /** Who the cluster sees under `access_as: agent`. */
  get serviceAccount(): ClusterUser {
    const namespace = `gitlab-agent-${this.name}`;
    return {
      name: `system:serviceaccount:${namespace}:gitlab-agent`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    };
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Requests in flight. */
  get streams(): number {
    return this.#streams.size;
  }

  connect(): void {
    this.#connected = true;
    for (const finish of this.#waiting) finish(true);
  }

  /** The tunnel is gone: every open stream breaks, new requests wait and then fail with 502. */
  disconnect(): void {
    this.#connected = false;
    this.cutStreams();
  }

  /** For good: nothing waits any longer. */
  close(): void {
    this.#connected = false;
    for (const giveUp of this.#waiting) giveUp(false);
    this.cutStreams();
    this.api.close();
  }

  /** Breaks every open stream at once, as the rotation of agentk's connection does. */
  cutStreams(): void {
    for (const stream of this.#streams) stream.reset();
  }

  /** Waits for the tunnel and takes one of its streams. */
  async open(stream: Stream): Promise<() => void> {
    if (!this.#connected) await this.#waitForConnection();
    if (this.#streams.size >= this.streamBudget) {
      this.refusedStreams += 1;
      throw tunnelError(
        `failed to send gRPC request: rpc error: code = ResourceExhausted desc = too many streams: ${this.streamBudget}`,
      );
    }
    this.#streams.add(stream);
    return () => this.#streams.delete(stream);
  }

  #waitForConnection(): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (connected: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(finish);
        if (connected) resolve();
        else
          reject(
            tunnelError(
              'failed to read gRPC response: rpc error: code = DeadlineExceeded desc = Agent connection not found. Is agent up to date and connected?',
            ),
          );
      };
      const timer = setTimeout(() => finish(false), this.#connectWaitMs);
      this.#waiting.add(finish);
    });
  }
}

/** 502 is not in Kubernetes' table of reasons, so it has none. */
function tunnelError(what: string): KasError {
  return new KasError(502, '', `HTTP->gRPC: ${what}`);
}
