import { Cluster, Redis } from 'ioredis';
import type { RedisAddress, RedisSettings } from './redis-url.ts';

/** How long Redis may take for one command, in milliseconds. */
export const COMMAND_MS = 2_000;
/** How long it may take to answer with a page of a log. */
export const BULK_MS = 10_000;

export type Client = Redis | Cluster;

/** How connections come to be. A simulation has others than those over the network. */
export interface Connections {
  /** A connection for commands, which finds its way back by itself. */
  command(kind: 'command' | 'bulk', name: string): Client;
  /** A connection to be told by, not yet open; `attempt` counts them. */
  listening(name: string, attempt: number): Redis;
}

export function connectionsTo(address: RedisAddress): Connections {
  return {
    command: (kind, name) => commandClient(address, kind, name),
    listening: (name, attempt) => listeningClient(address, name, attempt),
  };
}

/**
 * Never queue while there is no connection, and never send again what may have been done: a lease that is renewed late,
 * or a batch written twice, would be worse than an error.
 */
const NOTHING_LATE: RedisSettings = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  disableClientInfo: true,
  connectTimeout: 3_000,
  keepAlive: 15_000,
  retryStrategy: (times) => Math.min(2_000, 50 * 2 ** Math.min(times, 6)) + Math.random() * 100,
  // A master that was demoted: find the new one.
  reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 1 : false),
};

/** A connection for commands, which finds its way back by itself. */
export function commandClient(address: RedisAddress, kind: 'command' | 'bulk', name: string): Client {
  const options: RedisSettings = {
    ...NOTHING_LATE,
    ...address.options,
    connectionName: name,
    commandTimeout: kind === 'command' ? COMMAND_MS : BULK_MS,
  };
  if (address.form !== 'cluster') return new Redis(options);
  const { host: _host, port: _port, ...redisOptions } = options;
  return new Cluster([...address.nodes], {
    redisOptions,
    enableOfflineQueue: false,
    clusterRetryStrategy: (times) => Math.min(2_000, 50 * 2 ** Math.min(times, 6)),
    retryDelayOnFailover: 200,
    retryDelayOnClusterDown: 500,
  });
}

/**
 * A connection to be told by, once: whoever uses it makes another when it breaks. In a cluster every node passes on what
 * is published anywhere, so any will do, and `attempt` goes through them.
 */
export function listeningClient(address: RedisAddress, name: string, attempt: number): Redis {
  const seed = address.form === 'cluster' ? address.nodes[attempt % address.nodes.length] : undefined;
  const options: RedisSettings = {
    ...NOTHING_LATE,
    ...address.options,
    ...seed,
    connectionName: name,
    lazyConnect: true,
    autoResubscribe: false,
    commandTimeout: COMMAND_MS,
    retryStrategy: () => null,
  };
  return new Redis(options);
}
