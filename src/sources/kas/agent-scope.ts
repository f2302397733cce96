import { AggregatedSockets, type SocketsOptions } from './aggregated/sockets.ts';
import type { KasUpstream } from './kas-upstream.ts';
import { ReplayMemory } from './replay-guard.ts';
import { TransportChooser, type TransportMode } from './transport-chooser.ts';

/** What all watches of one agent have in common behind KAS. */
export class AgentState {
  readonly replayMemory = new ReplayMemory();
  readonly scopes = new Map<string, Scope>();
}

/** What the watches of one agent and namespace have in common: their WebSocket, and whether there can be one. */
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
