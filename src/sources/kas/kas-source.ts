import type { Clock } from '../../clock.ts';
import { ApiError } from '../../errors.ts';
import { AgentAdmission } from '../admission.ts';
import type { Credentials } from '../credentials.ts';
import type { Step } from '../reflector/policy.ts';
import { Reflector } from '../reflector/reflector.ts';
import type { Sink } from '../sink.ts';
import { Slots } from '../slots.ts';
import type { Caller, Donors, Reflection, Source, WatchTarget } from '../source.ts';
import { KasCaller } from './kas-caller.ts';
import { KasHttp } from './http.ts';
import { KasUpstream } from './kas-upstream.ts';

/** Lists that may run at once, for an agent and for the process: they are what costs a cluster most. */
export const LISTS_PER_AGENT = 5;
export const LISTS_PER_PROCESS = 50;

export interface KasSourceOptions {
  /** Base URL of KAS's k8s-proxy. */
  readonly url: URL;
  readonly clock: Clock;
  /** Upstream streams that one agent may carry for us. */
  readonly agentStreamBudget: number;
  readonly onStep?: (target: WatchTarget, step: Step) => void;
  readonly onDefect: (target: WatchTarget, error: unknown) => void;
}

interface AgentState {
  readonly admission: AgentAdmission;
  readonly listSlots: Slots;
  streams: number;
}

/** The clusters behind KAS. */
export class KasSource implements Source {
  readonly #options: KasSourceOptions;
  readonly #http: KasHttp;
  readonly #processSlots = new Slots(LISTS_PER_PROCESS);
  readonly #agents = new Map<string, AgentState>();

  constructor(options: KasSourceOptions) {
    this.#options = options;
    this.#http = new KasHttp(options.clock);
  }

  reflect(target: WatchTarget, donors: Donors, sink: Sink): Reflection {
    const { url, clock, onStep, onDefect } = this.#options;
    const agent = this.#reserveStream(target.agentId);
    const reflector = new Reflector({
      upstream: new KasUpstream(url, this.#http, target, donors),
      sink,
      clock,
      admission: agent.admission,
      listSlots: {
        run: (signal, task) => agent.listSlots.run(signal, () => this.#processSlots.run(signal, task)),
      },
      ...(onStep && { onStep: (step) => onStep(target, step) }),
      onDefect: (error) => onDefect(target, error),
    });
    reflector.start();
    let stopped = false;
    return {
      retryNow: () => reflector.retryNow(),
      renew: () => reflector.renew(),
      stop: () => {
        if (stopped) return;
        stopped = true;
        reflector.stop();
        this.#releaseStream(target.agentId, agent);
      },
    };
  }

  caller(agentId: string, credentials: Credentials): Caller {
    return new KasCaller(this.#options.url, this.#http, agentId, credentials);
  }

  /** Upstream streams held or being opened, by agent. */
  streams(agentId: string): number {
    return this.#agents.get(agentId)?.streams ?? 0;
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #reserveStream(agentId: string): AgentState {
    const { clock, agentStreamBudget } = this.#options;
    const agent = this.#agents.get(agentId) ?? {
      admission: new AgentAdmission(clock),
      listSlots: new Slots(LISTS_PER_AGENT),
      streams: 0,
    };
    if (agent.streams >= agentStreamBudget) {
      throw new ApiError(
        'LIMIT_EXCEEDED',
        `Agent ${agentId} already carries ${agentStreamBudget} streams (AGENT_STREAM_BUDGET).`,
        {
          retryable: true,
        },
      );
    }
    agent.streams += 1;
    this.#agents.set(agentId, agent);
    return agent;
  }

  #releaseStream(agentId: string, agent: AgentState): void {
    agent.streams -= 1;
    if (agent.streams === 0) this.#agents.delete(agentId);
  }
}
