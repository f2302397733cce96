import { checkAgentId } from '../../kubernetes/names.ts';
import { AgentStreams, idOfScope, type AgentStreamsOptions } from '../agent-streams.ts';
import type { AgentLoad } from '../agent-budget.ts';
import { ApiCaller } from '../apiserver/caller.ts';
import { ApiClient } from '../apiserver/client.ts';
import { ApiHttp, type HttpTools } from '../apiserver/http.ts';
import { StartingClusters } from '../apiserver/starting-clusters.ts';
import type { Credentials } from '../credentials.ts';
import type { LogFollowing, LogSink, LogTarget } from '../logs/log-source.ts';
import type { SourceLoad } from '../load.ts';
import type { Sink } from '../sink.ts';
import type { Beginning, Caller, Donors, Reflection, Source, StreamUsage, WatchTarget } from '../source.ts';
import { THROUGH_KAS } from '../status.ts';
import { AgentState, Scope } from './agent-scope.ts';
import { authHeaders } from './auth.ts';
import { KAS } from './kas.ts';
import { KasUpstream } from './kas-upstream.ts';
import type { TransportMode } from './transport-chooser.ts';

export interface KasSourceOptions extends AgentStreamsOptions, HttpTools {
  /** Base URL of KAS's k8s-proxy. */
  readonly url: URL;
  /** What carries the watches; `auto` is the WebSocket, and HTTP while it cannot be had. */
  readonly transport?: TransportMode;
}

/** The clusters behind KAS. */
export class KasSource implements Source {
  readonly #options: KasSourceOptions;
  readonly #http: ApiHttp;
  readonly #starting: StartingClusters;
  readonly #streams: AgentStreams;
  /** Of agents with a watch. */
  readonly #agents = new Map<string, AgentState>();

  constructor(options: KasSourceOptions) {
    this.#options = options;
    this.#http = new ApiHttp({ ...options, peer: KAS });
    this.#starting = new StartingClusters(options.clock);
    this.#streams = new AgentStreams(options, THROUGH_KAS);
  }

  /** Which agents there are is GitLab's to say. */
  async checkAgentId(agentId: string): Promise<void> {
    checkAgentId(agentId);
  }

  reflect(target: WatchTarget, donors: Donors, sink: Sink, from?: Beginning): Reflection {
    return this.#streams.reflect(target, sink, from, (opening) => {
      const { agentId } = target;
      const agent = this.#agent(agentId);
      const scopeId = idOfScope(target);
      const scope = this.#scope(agent, scopeId, agentId);
      const upstream = new KasUpstream({
        ...opening,
        base: this.#options.url,
        http: this.#http,
        starting: this.#starting,
        clock: this.#options.clock,
        target,
        donors,
        sockets: scope.sockets,
        chooser: scope.chooser,
        memory: agent.replayMemory,
        known: from?.objects(),
      });
      scope.join(upstream);
      return { upstream, release: () => this.#leave(upstream, agent, scope, scopeId, agentId) };
    });
  }

  followLog(target: LogTarget, tailLines: number, donors: Donors, sink: LogSink): LogFollowing {
    return this.#streams.followLog(target, {
      donors,
      sink,
      tailLines,
      open: (donor, request, listener) =>
        this.caller(target.agentId, donor.credentials).actions.openLog(target, request, listener),
    });
  }

  caller(agentId: string, credentials: Credentials): Caller {
    const { url: base } = this.#options;
    const endpoint = () => ({ http: this.#http, base, headers: authHeaders(credentials, agentId) });
    return new ApiCaller(new ApiClient({ agentId, peer: KAS, starting: this.#starting, endpoint }), agentId);
  }

  streamUsage(agentId: string): StreamUsage {
    return this.#streams.usage(agentId);
  }

  /** Upstream streams held or being opened, by agent. */
  streams(agentId: string): number {
    return this.#streams.usage(agentId).used;
  }

  /** What an agent carries, and what on; for metrics. */
  load(agentId: string): AgentLoad {
    const scopes = [...(this.#agents.get(agentId)?.scopes.values() ?? [])];
    return {
      streams: this.streams(agentId),
      budget: this.#options.agentStreamBudget,
      webSockets: scopes.reduce((sum, { sockets }) => sum + sockets.size, 0),
      httpStreams: scopes
        .flatMap(({ upstreams }) => [...upstreams])
        .reduce((sum, { httpStreams }) => sum + httpStreams, 0),
      ignoredMessages: scopes.reduce((sum, { sockets }) => sum + sockets.ignored, 0),
    };
  }

  /** Everything that is carried, for metrics. */
  get totalLoad(): SourceLoad {
    const loads = Array.from(this.#agents.keys(), (agentId) => this.load(agentId));
    return this.#streams.load({
      websocket: sum(loads.map(({ webSockets }) => webSockets)),
      http: sum(loads.map(({ httpStreams }) => httpStreams)),
    });
  }

  async close(): Promise<void> {
    for (const { scopes } of this.#agents.values()) for (const { sockets } of scopes.values()) sockets.close();
    await this.#http.close();
  }

  #agent(agentId: string): AgentState {
    const existing = this.#agents.get(agentId);
    if (existing !== undefined) return existing;
    const agent = new AgentState();
    this.#agents.set(agentId, agent);
    return agent;
  }

  #scope(agent: AgentState, scopeId: string, agentId: string): Scope {
    const existing = agent.scopes.get(scopeId);
    if (existing !== undefined) return existing;
    const { transport = 'auto', url, clock, counters } = this.#options;
    const scope = new Scope(transport, { http: this.#http, base: url, clock, agentId, counters });
    agent.scopes.set(scopeId, scope);
    return scope;
  }

  /** A scope's socket closes by itself a moment after its last watch. */
  #leave(upstream: KasUpstream, agent: AgentState, scope: Scope, scopeId: string, agentId: string): void {
    scope.leave(upstream);
    if (scope.upstreams.size > 0) return;
    scope.sockets.close();
    agent.scopes.delete(scopeId);
    if (agent.scopes.size === 0) this.#agents.delete(agentId);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
