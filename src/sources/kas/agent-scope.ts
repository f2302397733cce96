import type { Clock } from '../../clock.ts';
import { AgentAdmission } from '../admission.ts';
import { Slots } from '../slots.ts';
import type { AgentBudget } from './agent-budget.ts';
import { AggregatedSockets, type SocketsOptions } from './aggregated/sockets.ts';
import type { KasUpstream } from './kas-upstream.ts';
import { ReplayMemory } from './replay-guard.ts';
import { TransportChooser, type TransportMode } from './transport-chooser.ts';

/** Lists that may run at once for an agent: they are what costs a cluster most. */
export const LISTS_PER_AGENT = 5;

/** What all streams of one agent have in common. */
export class AgentState {
  readonly admission: AgentAdmission;
  readonly listSlots = new Slots(LISTS_PER_AGENT);
  readonly replayMemory = new ReplayMemory();
  readonly budget: AgentBudget;
  readonly scopes = new Map<string, Scope>();

  constructor(clock: Clock, budget: AgentBudget) {
    this.admission = new AgentAdmission(clock);
    this.budget = budget;
  }
}

/** What the streams of one agent and namespace have in common: their WebSocket, and whether there can be one. */
export class Scope {
  readonly sockets: AggregatedSockets;
  readonly chooser: TransportChooser;
  readonly upstreams = new Set<KasUpstream>();

  constructor(mode: TransportMode, options: SocketsOptions) {
    this.sockets = new AggregatedSockets(options);
    this.chooser = new TransportChooser(mode, options.clock);
  }

  join(upstream: KasUpstream): void {
    this.upstreams.add(upstream);
    this.chooser.join(upstream);
  }

  leave(upstream: KasUpstream): void {
    this.upstreams.delete(upstream);
    this.chooser.leave(upstream);
  }
}
