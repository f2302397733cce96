import type { Kas } from '../../demo/kas/index.ts';
import { Replica } from '../support/processes/replica.ts';
import type { RedisServer } from '../support/processes/redis-server.ts';
import { TcpProxy } from '../support/processes/tcp-proxy.ts';

/** A replica, and its lines to the others. */
export interface Actor {
  readonly replica: Replica;
  readonly toKas: TcpProxy;
  readonly toRedis: TcpProxy | undefined;
}

/** Limits that are no part of what is tested here. */
const ROOMY = {
  MAX_SOCKETS_PER_VIEWER: '10000',
  MAX_SUBSCRIPTIONS_PER_VIEWER: '10000',
  MAX_FEEDS_PER_VIEWER: '1000',
  MAX_UPGRADES_PER_SECOND: '0',
};

interface ActorOptions {
  readonly name: string;
  readonly env: Readonly<Record<string, string>> | undefined;
  readonly clockShiftMs: number | undefined;
}

export async function startActor(kas: Kas, redis: RedisServer | undefined, options: ActorOptions): Promise<Actor> {
  const { name, env, clockShiftMs } = options;
  const toKas = await TcpProxy.start(kas.port);
  const toRedis = redis && (await TcpProxy.start(redis.port));
  const replica = await Replica.start({
    name,
    // It is part of what they share: all must call KAS the same.
    kasUrl: kas.url,
    route: [kas.port, toKas.port],
    ...(toRedis && { redisUrl: `redis://127.0.0.1:${toRedis.port}` }),
    ...(clockShiftMs !== undefined && { clockShiftMs }),
    env: { ...ROOMY, ...env },
  });
  return { replica, toKas, toRedis };
}

/** Whether the last request on one of its connections to KAS is for a watch of pods, or for the WebSocket that carries them. */
export function holdsWatch({ toKas }: Actor): boolean {
  return toKas.connections.some(({ said }) => {
    const [line = ''] = [...said.matchAll(/(GET|POST|PATCH|PUT|DELETE) (\S+) HTTP/g)].at(-1) ?? [];
    return /\/pods\?\S*watch=true|\/watch HTTP/.test(line);
  });
}
