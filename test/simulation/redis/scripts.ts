import { createHash } from 'node:crypto';
import { ACQUIRE, POSITION, PUBLISH, RELEASE, RENEW, TRANSFER } from '../../../src/pubsub/redis/scripts.ts';
import { idOf, ReplyError, type RedisStore } from './store.ts';

/** What the scripts call, with its effects on one store. */
export interface Calls {
  readonly store: RedisStore;
  /** By the server's clock. */
  readonly now: number;
  /** Why a command may not be done, as the server says it: those that write, or those that need memory. */
  readonly refusal: { readonly of: 'writes' | 'memory'; readonly message: string } | undefined;
  readonly publish: (channel: string, bytes: Buffer) => number;
}

export type Argument = string | Buffer;
type Answer = string | number | null | readonly (string | number | null)[];
type Script = (redis: Redis, keys: readonly string[], argv: readonly Argument[]) => Answer;

/** `redis.call`: what may not be written is refused with the first command that writes; then Redis lets it go on. */
class Redis {
  readonly #calls: Calls;
  #hasWritten = false;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  get now(): number {
    return this.#calls.now;
  }

  get(key: string): string | undefined {
    return this.#calls.store.get(key);
  }

  set(key: string, text: string, forMs: number): void {
    this.#needs('memory');
    this.#calls.store.set(key, text, this.now + forMs);
  }

  del(...keys: readonly string[]): void {
    this.#needs('writes');
    this.#calls.store.delete(...keys);
  }

  hmget<Field extends string>(key: string, ...fields: readonly Field[]): Partial<Record<Field, string>> {
    const hash = this.#calls.store.hash(key);
    const found = fields.flatMap((field) => {
      const value = hash.get(field);
      return value === undefined ? [] : [[field, value.toString()] as const];
    });
    return Object.fromEntries(found) as Partial<Record<Field, string>>;
  }

  hset(key: string, fields: Readonly<Record<string, Argument>>): void {
    this.#needs('memory');
    for (const [field, value] of Object.entries(fields)) this.#calls.store.hset(key, field, Buffer.from(value));
  }

  hdel(key: string, field: string): void {
    this.#needs('writes');
    this.#calls.store.hdel(key, field);
  }

  pexpire(keys: readonly string[], forMs: number): void {
    this.#needs('writes');
    for (const key of keys) this.#calls.store.pexpire(key, this.now + forMs);
  }

  zadd(key: string, score: number, bytes: Buffer): void {
    this.#needs('memory');
    this.#calls.store.zadd(key, score, bytes);
  }

  zremUpTo(key: string, score: number): void {
    this.#needs('writes');
    this.#calls.store.zremUpTo(key, score);
  }

  xadd(key: string, least: string, id: string, bytes: Buffer): void {
    this.#needs('memory');
    this.#calls.store.xadd(key, idOf(id), bytes, idOf(least));
  }

  publish(channel: string, message: Argument): void {
    this.#calls.publish(channel, Buffer.from(message));
  }

  #needs(what: 'writes' | 'memory'): void {
    const { refusal } = this.#calls;
    const isMeant = refusal !== undefined && (refusal.of === 'writes' || what === 'memory');
    if (isMeant && !this.#hasWritten) throw new ReplyError(refusal.message);
    this.#hasWritten = true;
  }
}

const text = (argument: Argument | undefined): string => argument?.toString() ?? '';
const taken = (leader: string, fence: string): string =>
  JSON.stringify({ type: 'taken', leader, fence: Number(fence) });
const orNull = (values: readonly (string | undefined)[]) => values.map((value) => value ?? null);

const acquire: Script = (redis, [lease = '', meta = '', snapshot = '', removed = '', log = ''], argv) => {
  const [me = '', leaseMs, keepMs, channel = ''] = argv.map(text);
  const owner = redis.get(lease);
  if (owner !== undefined && owner !== me) return [0, owner];
  const known = redis.hmget(meta, 'fence', 'complete');
  const fence = String(Math.max(Number(known.fence ?? 0) + 1, redis.now));
  redis.set(lease, me, Number(leaseMs));
  if (known.complete !== '1') redis.del(meta, snapshot, removed, log);
  redis.hset(meta, { fence, leader: me });
  redis.pexpire([meta, snapshot, removed, log], Number(keepMs));
  redis.publish(channel, taken(me, fence));
  const { epoch, offset, lineage, floor, rv, at } = redis.hmget(
    meta,
    'epoch',
    'offset',
    'lineage',
    'floor',
    'rv',
    'at',
  );
  return [1, fence, ...orNull([epoch, offset, lineage, floor, rv]), ageOf(at, redis.now)];
};

const renew: Script = (redis, [lease = '', meta = '', ...others], argv) => {
  const [me = '', fence, leaseMs, keepMs, channel = '', beacon = '', rv = '', epoch, offset] = argv.map(text);
  const known = redis.hmget(meta, 'fence', 'epoch', 'offset', 'complete');
  if (known.fence === undefined) return 'emptied';
  const owner = redis.get(lease);
  if (known.fence !== fence || (owner !== undefined && owner !== me)) return 'fenced';
  redis.set(lease, me, Number(leaseMs));
  redis.pexpire([meta, ...others], Number(keepMs));
  const isThere = known.complete === '1' && known.epoch === epoch && known.offset === offset;
  if (isThere && rv !== '') redis.hset(meta, { at: String(redis.now), rv });
  redis.publish(channel, beacon);
  if (isThere || (epoch === '' && known.complete !== '1')) return 'kept';
  return known.complete === '1' ? [known.epoch ?? null, known.offset ?? null] : [];
};

const release: Script = (redis, [lease = '', meta = ''], argv) => {
  const [me, fence, channel = '', message = ''] = argv.map(text);
  if (redis.get(lease) !== me || redis.hmget(meta, 'fence').fence !== fence) return 0;
  redis.del(lease);
  redis.publish(channel, message);
  return 1;
};

const transfer: Script = (redis, [lease = '', meta = ''], argv) => {
  const [me, fence, leaseMs, channel = '', to = ''] = argv.map(text);
  if (redis.get(lease) !== me || redis.hmget(meta, 'fence').fence !== fence) return 0;
  const next = String(Math.max(Number(fence) + 1, redis.now));
  redis.set(lease, to, Number(leaseMs));
  redis.hset(meta, { fence: next, leader: to });
  redis.publish(channel, taken(to, next));
  return 1;
};

const publish: Script = (redis, [, meta = '', snapshot = '', removed = '', log = ''], argv) => {
  const [fence = '', channel = '', keepMs, least = '', afterEpoch, afterOffset] = argv.slice(0, 6).map(text);
  const [epoch = '', offset = '', lineage = '', theirs = '', rv = '', complete = ''] = argv.slice(6, 12).map(text);
  const known = redis.hmget(meta, 'fence', 'epoch', 'offset', 'complete', 'floor', 'wrote', 'before');
  if (known.fence === undefined) return 'emptied';
  if (known.fence !== fence) return 'fenced';
  if (afterEpoch === '') redis.del(snapshot, removed, log);
  else if (known.epoch !== afterEpoch || known.offset !== afterOffset) {
    if (known.epoch === undefined || known.complete !== '1') return [];
    return [known.epoch, known.offset ?? null];
  }
  const floor = afterEpoch !== '' && Number(known.floor ?? 0) > Number(theirs) ? (known.floor ?? theirs) : theirs;
  const frame = [Buffer.from(argv[12] ?? '')];
  for (let index = 13; index < argv.length; index += 4) {
    const [uid, at] = [text(argv[index]), Number(text(argv[index + 1]))];
    const bytes = Buffer.from(argv[index + 3] ?? '');
    if (text(argv[index + 2]) === '1') {
      redis.hdel(snapshot, uid);
      redis.zadd(removed, at, bytes);
    } else redis.hset(snapshot, { [uid]: bytes });
    frame.push(Buffer.from(`${bytes.length}\n`), bytes);
  }
  const whole = Buffer.concat(frame);
  redis.zremUpTo(removed, Number(floor));
  const before = (known.wrote === fence ? known.before : known.wrote) ?? '0';
  if (argv.length > 13) redis.xadd(log, least === '' ? `${before}-0` : least, `${fence}-${offset}`, whole);
  redis.hset(meta, { epoch, offset, lineage, floor, complete, wrote: fence, before });
  if (rv !== '') redis.hset(meta, { rv, at: String(redis.now) });
  redis.pexpire([meta, snapshot, removed, log], Number(keepMs));
  redis.publish(channel, whole);
  return 'written';
};

const position: Script = (redis, [lease = '', meta = '']) => {
  const { fence, epoch, offset, lineage, floor, rv, complete, at } = redis.hmget(
    meta,
    'fence',
    'epoch',
    'offset',
    'lineage',
    'floor',
    'rv',
    'complete',
    'at',
  );
  const owner = redis.get(lease);
  return [...orNull([owner, fence, complete, epoch, offset, lineage, floor, rv]), ageOf(at, redis.now)];
};

const ageOf = (at: string | undefined, now: number): string => (at === undefined ? '' : String(now - Number(at)));

const TWINS: readonly (readonly [string, { readonly name: string; readonly run: Script }])[] = [
  [ACQUIRE, { name: 'acquire', run: acquire }],
  [RENEW, { name: 'renew', run: renew }],
  [RELEASE, { name: 'release', run: release }],
  [TRANSFER, { name: 'transfer', run: transfer }],
  [PUBLISH, { name: 'publish', run: publish }],
  [POSITION, { name: 'position', run: position }],
];

const BY_DIGEST = new Map(TWINS.map(([lua, twin]) => [createHash('sha1').update(lua).digest('hex'), twin] as const));

/** What a script of the product does, done here. The same suite of tests runs against both. */
export function evaluate(
  digest: string,
  calls: Calls,
  keys: readonly string[],
  argv: readonly Argument[],
): { readonly name: string; readonly answer: Answer } {
  const twin = BY_DIGEST.get(digest);
  if (twin === undefined) throw new ReplyError('NOSCRIPT No matching script. Please use EVAL.');
  return { name: twin.name, answer: twin.run(new Redis(calls), keys, argv) };
}
