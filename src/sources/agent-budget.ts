import { ApiError } from '../errors.ts';

/** The part of the budget from which on it is called nearly used up. */
export const WARN_AT = 0.8;
/** The last part of the budget, which no scope may take that has more than its share. */
export const RESERVE = 0.1;

/** What an agent carries for us. */
export interface AgentLoad {
  /** Watches: what the budget is about. */
  readonly streams: number;
  readonly budget: number;
  /** What carries them at this moment. */
  readonly webSockets: number;
  readonly httpStreams: number;
  /** Messages on the WebSockets that were not understood, or were for nobody. */
  readonly ignoredMessages: number;
}

/**
 * The streams that one agent may carry for us. Every watch counts as one, on whichever transport it is: over HTTP it is
 * one stream of the agent's, and KAS's WebSocket joins only the side towards us, so behind KAS each of its watches
 * most likely is one as well. The seconds in which one stream takes over from another are not counted.
 *
 * Fair to all scopes: the last tenth is for those that have less than an equal share, counted as if one more scope
 * were to come. So one large scope cannot keep the next one out. Below ten streams there is no such tenth.
 */
export class AgentBudget {
  readonly budget: number;
  readonly #agentId: string;
  readonly #onNearlyUsedUp: (used: number) => void;
  readonly #byScope = new Map<string, number>();
  #used = 0;

  /** `onNearlyUsedUp` is called each time the use reaches 80 % from below. */
  constructor(agentId: string, budget: number, onNearlyUsedUp: (used: number) => void) {
    this.#agentId = agentId;
    this.budget = budget;
    this.#onNearlyUsedUp = onNearlyUsedUp;
  }

  get used(): number {
    return this.#used;
  }

  /** Throws LIMIT_EXCEEDED. */
  take(scope: string): void {
    if (this.#used >= this.budget) {
      throw this.#exceeded(`already carries ${this.budget} streams`);
    }
    const held = this.#byScope.get(scope) ?? 0;
    const isReserve = this.#used >= this.budget - Math.floor(this.budget * RESERVE);
    const scopes = this.#byScope.size + (held === 0 ? 1 : 0);
    if (isReserve && held >= Math.max(1, Math.floor(this.budget / (scopes + 1)))) {
      throw this.#exceeded(`carries ${held} streams for this namespace, and keeps its last ones for others`);
    }
    this.#byScope.set(scope, held + 1);
    this.#used += 1;
    if (this.#used === Math.ceil(this.budget * WARN_AT)) this.#onNearlyUsedUp(this.#used);
  }

  giveBack(scope: string): void {
    const held = (this.#byScope.get(scope) ?? 0) - 1;
    if (held > 0) this.#byScope.set(scope, held);
    else this.#byScope.delete(scope);
    this.#used -= 1;
  }

  #exceeded(what: string): ApiError {
    return new ApiError('LIMIT_EXCEEDED', `Agent ${this.#agentId} ${what} (AGENT_STREAM_BUDGET).`, {
      retryable: true,
    });
  }
}
