import type { Clock } from '../../clock.ts';
import type { Credentials } from '../credentials.ts';
import { LogFollow } from '../logs/log-follow.ts';
import type { LogFollowing, LogSink, LogTarget } from '../logs/log-source.ts';
import type { Step } from '../reflector/policy.ts';
import { Reflector } from '../reflector/reflector.ts';
import type { Sink } from '../sink.ts';
import { Slots, type Turnstile } from '../slots.ts';
import type { Caller, Donors, Reflection, Source, StreamUsage, WatchTarget } from '../source.ts';
import { AgentBudget, type AgentLoad } from './agent-budget.ts';
import { AgentState, Scope } from './agent-scope.ts';
import { KasCaller } from './kas-caller.ts';
import { KasHttp } from './http.ts';
import { KasUpstream } from './kas-upstream.ts';
import type { TransportMode } from './transport-chooser.ts';

/** Lists that may run at once for the process. */
export const LISTS_PER_PROCESS = 50;

export interface KasSourceOptions {
  /** Base URL of KAS's k8s-proxy. */
  readonly url: URL;
  readonly clock: Clock;
  /** What carries the watches; `auto` is the WebSocket, and HTTP while it cannot be had. */
  readonly transport?: TransportMode;
  /** Upstream streams that one agent may carry for us. */
  readonly agentStreamBudget: number;
  readonly onStep?: (target: WatchTarget, step: Step) => void;
  readonly onDefect: (target: WatchTarget, error: unknown) => void;
  /** An agent carries 80 % of what it may. */
  readonly onBudgetNearlyUsedUp?: (agentId: string, used: number, budget: number) => void;
}

/** The clusters behind KAS. */
export class KasSource implements Source {
  readonly #options: KasSourceOptions;
  readonly #http: KasHttp;
  readonly #processSlots = new Slots(LISTS_PER_PROCESS);
  /** Of agents that carry something. */
  readonly #agents = new Map<string, AgentState>();

  constructor(options: KasSourceOptions) {
    this.#options = options;
    this.#http = new KasHttp(options.clock);
  }

  reflect(target: WatchTarget, donors: Donors, sink: Sink): Reflection {
    const { url, clock, onStep, onDefect } = this.#options;
    const scopeId = idOfScope(target);
    const agent = this.#agent(target.agentId);
    agent.budget.take(scopeId);
    const scope = this.#scope(agent, scopeId, target.agentId);
    const listSlots: Turnstile = {
      run: (signal, task) => agent.listSlots.run(signal, () => this.#processSlots.run(signal, task)),
    };
    const upstream = new KasUpstream({
      base: url,
      http: this.#http,
      clock,
      target,
      donors,
      sockets: scope.sockets,
      chooser: scope.chooser,
      memory: agent.replayMemory,
      listSlots,
      renew: () => reflector.renew(),
    });
    const reflector = new Reflector({
      upstream,
      sink,
      clock,
      admission: agent.admission,
      listSlots,
      ...(onStep && { onStep: (step) => onStep(target, step) }),
      onDefect: (error) => onDefect(target, error),
    });
    scope.join(upstream);
    reflector.start();
    let stopped = false;
    return {
      retryNow: () => reflector.retryNow(),
      renew: () => reflector.renew(),
      stop: () => {
        if (stopped) return;
        stopped = true;
        reflector.stop();
        scope.leave(upstream);
        this.#release(agent, scope, scopeId, target.agentId);
      },
    };
  }

  followLog(target: LogTarget, tailLines: number, donors: Donors, sink: LogSink): LogFollowing {
    const { agentId, namespace } = target;
    const agent = this.#agent(agentId);
    const scopeId = idOfScope({ namespace });
    agent.budget.take(scopeId);
    const follow = new LogFollow({
      donors,
      sink,
      clock: this.#options.clock,
      tailLines,
      open: (donor, request, listener) =>
        this.caller(agentId, donor.credentials).actions.openLog(target, request, listener),
    });
    follow.start();
    let stopped = false;
    return {
      renew: () => follow.renew(),
      stop: () => {
        if (stopped) return;
        stopped = true;
        follow.stop();
        agent.budget.giveBack(scopeId);
        if (agent.budget.used === 0) this.#agents.delete(agentId);
      },
    };
  }

  caller(agentId: string, credentials: Credentials): Caller {
    return new KasCaller(this.#options.url, this.#http, agentId, credentials);
  }

  streamUsage(agentId: string): StreamUsage {
    return { used: this.streams(agentId), budget: this.#options.agentStreamBudget };
  }

  /** Upstream streams held or being opened, by agent. */
  streams(agentId: string): number {
    return this.#agents.get(agentId)?.budget.used ?? 0;
  }

  /** Upstream streams held or being opened, over all agents. */
  get streamsInUse(): number {
    return [...this.#agents.values()].reduce((sum, { budget }) => sum + budget.used, 0);
  }

  /** What an agent carries, and what on; for metrics. */
  load(agentId: string): AgentLoad {
    const agent = this.#agents.get(agentId);
    const scopes = [...(agent?.scopes.values() ?? [])];
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

  async close(): Promise<void> {
    for (const { scopes } of this.#agents.values()) for (const { sockets } of scopes.values()) sockets.close();
    await this.#http.close();
  }

  #agent(agentId: string): AgentState {
    const { clock, agentStreamBudget, onBudgetNearlyUsedUp } = this.#options;
    const existing = this.#agents.get(agentId);
    if (existing !== undefined) return existing;
    const budget = new AgentBudget(agentId, agentStreamBudget, (used) =>
      onBudgetNearlyUsedUp?.(agentId, used, agentStreamBudget),
    );
    const agent = new AgentState(clock, budget);
    this.#agents.set(agentId, agent);
    return agent;
  }

  #scope(agent: AgentState, scopeId: string, agentId: string): Scope {
    const existing = agent.scopes.get(scopeId);
    if (existing !== undefined) return existing;
    const { transport = 'auto', url, clock } = this.#options;
    const scope = new Scope(transport, { http: this.#http, base: url, clock, agentId });
    agent.scopes.set(scopeId, scope);
    return scope;
  }

  /** A scope's socket closes by itself a moment after its last watch. */
  #release(agent: AgentState, scope: Scope, scopeId: string, agentId: string): void {
    agent.budget.giveBack(scopeId);
    if (scope.upstreams.size === 0) {
      scope.sockets.close();
      agent.scopes.delete(scopeId);
    }
    if (agent.budget.used === 0) this.#agents.delete(agentId);
  }
}

function idOfScope({ namespace, identity }: Pick<WatchTarget, 'namespace' | 'identity'>): string {
  return JSON.stringify([namespace ?? null, identity ?? null]);
}
