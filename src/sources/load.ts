import type { StreamUsage } from './source.ts';
import type { ConnectionState } from './status.ts';

/** What carries watches: KAS's WebSockets, and HTTP streams. */
export type Connections = Readonly<Record<'websocket' | 'http', number>>;

/** A watch as far as its health goes. */
export interface WatchHealth {
  readonly state: ConnectionState;
  /** Milliseconds since the last proof that it was alive. */
  readonly quietMs: number;
}

/** What a source carries in all, for metrics. */
export interface SourceLoad {
  readonly agents: number;
  readonly streams: number;
  readonly connections: Connections;
  /** The part of its budget that the agent which carries most has used: 0 to 1. */
  readonly fullest: number;
  readonly watches: Readonly<Record<ConnectionState, number>>;
  /** Milliseconds that the quietest of the CONNECTED watches has said nothing. */
  readonly stalestMs: number;
}

/** Without `connections`, each watch that is CONNECTED has an HTTP stream of its own. */
export function totalLoad(
  agents: readonly StreamUsage[],
  watches: Iterable<WatchHealth>,
  connections?: Connections,
): SourceLoad {
  const all = [...watches];
  const count = (state: ConnectionState) => all.filter((watch) => watch.state === state).length;
  const connected = all.filter(({ state }) => state === 'CONNECTED');
  return {
    agents: agents.length,
    streams: agents.reduce((total, { used }) => total + used, 0),
    connections: connections ?? { websocket: 0, http: connected.length },
    fullest: most(agents.map(({ used, budget }) => used / budget)),
    watches: {
      CONNECTING: count('CONNECTING'),
      CONNECTED: connected.length,
      DISCONNECTED: count('DISCONNECTED'),
    },
    stalestMs: most(connected.map(({ quietMs }) => quietMs)),
  };
}

function most(numbers: readonly number[]): number {
  return numbers.reduce((greatest, each) => Math.max(greatest, each), 0);
}
