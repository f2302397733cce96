import type { RedisOptions } from 'ioredis';

/** As ioredis takes them; the mapping of replies is not ours to choose. */
export type RedisSettings = Omit<RedisOptions, 'replyMapping'>;

/** Where Redis is, and in which form. */
export type RedisAddress =
  | { readonly form: 'single'; readonly options: RedisSettings }
  | { readonly form: 'sentinel'; readonly options: RedisSettings }
  | {
      readonly form: 'cluster';
      readonly nodes: readonly { readonly host: string; readonly port: number }[];
      readonly options: RedisSettings;
    };

const FORM = /^redis(s?)(-sentinel|-cluster)?:\/\/(?:([^@/\s]*)@)?([^@/\s]+)(?:\/([^?#\s]*))?$/;
const DEFAULT_PORT = { single: 6379, sentinel: 26379, cluster: 6379 } as const;

/**
 * `redis://[user:password@]host[:port][/db]`, `redis-sentinel://[user:password@]host[:port],…/name[/db]`,
 * `redis-cluster://[user:password@]host[:port],…`; each with `rediss` instead of `redis` for TLS. The password of a
 * sentinel address is Redis' own, and used for the sentinels as well. Throws a TypeError that does not repeat the
 * address, since it may hold a password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const [, tls, suffix, userInfo, hosts = '', path = ''] = FORM.exec(url) ?? [];
  if (hosts === '') throw new TypeError('it is not redis://host:port, redis-sentinel://… or redis-cluster://…');
  const form = suffix === '-sentinel' ? 'sentinel' : suffix === '-cluster' ? 'cluster' : 'single';
  const nodes = hosts.split(',').map((host) => node(host, DEFAULT_PORT[form]));
  const login = { ...credentials(userInfo), ...(tls === 's' && { tls: {} }) };
  if (form === 'cluster') {
    if (path !== '') throw new TypeError('a cluster has no numbered databases');
    return { form, nodes, options: login };
  }
  if (form === 'single') {
    const [first, ...others] = nodes;
    if (first === undefined || others.length > 0)
      throw new TypeError('several hosts need redis-sentinel or redis-cluster');
    return { form, options: { ...login, ...first, db: database(path) } };
  }
  const [name = '', db = ''] = path.split('/');
  if (name === '') throw new TypeError('the name of the master must follow the sentinels: redis-sentinel://host/name');
  return {
    form,
    options: {
      ...login,
      sentinels: nodes,
      name: decodeURIComponent(name),
      db: database(db),
      role: 'master',
      ...(login.password !== undefined && { sentinelPassword: login.password }),
      ...(login.username !== undefined && { sentinelUsername: login.username }),
      ...(tls === 's' && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    },
  };
}

function credentials(userInfo: string | undefined): { username?: string; password?: string } {
  if (userInfo === undefined) return {};
  const [username = '', ...password] = userInfo.split(':');
  return {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password.length > 0 && { password: decodeURIComponent(password.join(':')) }),
  };
}

function node(text: string, defaultPort: number): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || number > 65_535) throw new TypeError('a host must be name, name:port or [address]:port');
  return { host, port: number };
}

function database(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw new TypeError('a database is a number');
  return Number(text);
}
