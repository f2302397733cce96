import type { Clock } from '../clock.ts';
import { AgentAdmission } from './admission.ts';
import { AgentBudget } from './agent-budget.ts';
import { totalLoad, type Connections, type SourceLoad } from './load.ts';
import { LogFollow, type LogFollowOptions } from './logs/log-follow.ts';
import type { LogFollowing, LogTarget } from './logs/log-source.ts';
import type { Step } from './reflector/policy.ts';
import type { TakenStep } from './reflector/record-steps.ts';
import { Reflector } from './reflector/reflector.ts';
import type { Sink } from './sink.ts';
import { Slots, type Turnstile } from './slots.ts';
import type { Beginning, Reflection, StreamUsage, WatchTarget } from './source.ts';
import type { HopName } from './status.ts';
import type { Upstream } from './upstream.ts';

/** Lists that may run at once for the process. */
export const LISTS_PER_PROCESS = 50;
/** Lists that may run at once for an agent: they are what costs a cluster most. */
export const LISTS_PER_AGENT = 5;

export interface AgentStreamsOptions {
  readonly clock: Clock;
  /** Upstream streams that one agent may carry for us. */
  readonly agentStreamBudget: number;
  /** Told of every transition: the step that follows, and the one that is done. */
  readonly onStep?: (target: WatchTarget, next: Step, done: TakenStep) => void;
  readonly onDefect: (target: WatchTarget, error: unknown) => void;
  /** An agent carries 80 % of what it may. */
  readonly onBudgetNearlyUsedUp?: (agentId: string, used: number, budget: number) => void;
}

/** What an upstream is opened with. */
export interface Opening {
  readonly listSlots: Turnstile;
  /** Opens the stream anew, then closes the present one. */
  readonly renew: () => void;
}

export interface Opened {
  readonly upstream: Upstream;
  /** Called once, when nothing is read from it any more. */
  readonly release?: () => void;
}

interface Agent {
  readonly admission: AgentAdmission;
  readonly listSlots: Slots;
  readonly budget: AgentBudget;
}

/** Everything that runs for ever against agents: reflectors and follows of logs, each agent's within its budget. */
export class AgentStreams {
  readonly #options: AgentStreamsOptions;
  readonly #way: readonly HopName[];
  readonly #processSlots = new Slots(LISTS_PER_PROCESS);
  /** Of agents that carry something. */
  readonly #agents = new Map<string, Agent>();
  readonly #reflectors = new Set<Reflector>();

  /** `way`: the stations between us and a cluster, both included. */
  constructor(options: AgentStreamsOptions, way: readonly HopName[]) {
    this.#options = options;
    this.#way = way;
  }

  /** Throws LIMIT_EXCEEDED when the agent's budget is used up. */
  reflect(
    target: WatchTarget,
    sink: Sink,
    from: Beginning | undefined,
    open: (opening: Opening) => Opened,
  ): Reflection {
    const { clock, onStep, onDefect } = this.#options;
    const scope = idOfScope(target);
    const agent = this.#agent(target.agentId);
    agent.budget.take(scope);
    const listSlots: Turnstile = {
      run: (signal, task) => agent.listSlots.run(signal, () => this.#processSlots.run(signal, task)),
    };
    const { upstream, release } = open({ listSlots, renew: () => reflector.renew() });
    const reflector = new Reflector({
      upstream,
      sink,
      clock,
      admission: agent.admission,
      listSlots,
      from,
      way: this.#way,
      ...(onStep && { onStep: (next, done) => onStep(target, next, done) }),
      onDefect: (error) => onDefect(target, error),
    });
    this.#reflectors.add(reflector);
    reflector.start();
    const stop = once(() => {
      reflector.stop();
      this.#reflectors.delete(reflector);
      release?.();
      this.#giveBack(target.agentId, agent, scope);
    });
    return { retryNow: () => reflector.retryNow(), renew: () => reflector.renew(), stop };
  }

  /** Throws LIMIT_EXCEEDED like `reflect`. */
  followLog({ agentId, namespace }: LogTarget, options: Omit<LogFollowOptions, 'clock'>): LogFollowing {
    const scope = idOfScope({ namespace });
    const agent = this.#agent(agentId);
    agent.budget.take(scope);
    const follow = new LogFollow({ ...options, clock: this.#options.clock });
    follow.start();
    const stop = once(() => {
      follow.stop();
      this.#giveBack(agentId, agent, scope);
    });
    return { renew: () => follow.renew(), stop };
  }

  /** Streams held or being opened for an agent, and how many there may be. */
  usage(agentId: string): StreamUsage {
    return { used: this.#agents.get(agentId)?.budget.used ?? 0, budget: this.#options.agentStreamBudget };
  }

  /** Everything that is carried, for metrics. `connections`: what carries the watches, when it is not an HTTP stream each. */
  load(connections?: Connections): SourceLoad {
    const agents = Array.from(this.#agents.keys(), (agentId) => this.usage(agentId));
    return totalLoad(agents, this.#reflectors, connections);
  }

  #agent(agentId: string): Agent {
    const { clock, agentStreamBudget, onBudgetNearlyUsedUp } = this.#options;
    const existing = this.#agents.get(agentId);
    if (existing !== undefined) return existing;
    const budget = new AgentBudget(agentId, agentStreamBudget, (used) =>
      onBudgetNearlyUsedUp?.(agentId, used, agentStreamBudget),
    );
    const agent = { admission: new AgentAdmission(clock), listSlots: new Slots(LISTS_PER_AGENT), budget };
    this.#agents.set(agentId, agent);
    return agent;
  }

  #giveBack(agentId: string, { budget }: Agent, scope: string): void {
    budget.giveBack(scope);
    if (budget.used === 0) this.#agents.delete(agentId);
  }
}

/** What shares a part of the budget: a namespace, and with `SHARING=identity` one viewer's in it. */
export function idOfScope({ namespace, identity }: Pick<WatchTarget, 'namespace' | 'identity'>): string {
  return JSON.stringify([namespace ?? null, identity ?? null]);
}

function once(task: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    task();
  };
}
