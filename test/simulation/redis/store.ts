/** What a server answers with an error to. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

export interface StreamEntry {
  /** `<milliseconds>-<sequence>` as two numbers. */
  readonly id: readonly [number, number];
  readonly bytes: Buffer;
}

export interface SortedMember {
  readonly score: number;
  readonly bytes: Buffer;
}

type Value =
  | { readonly type: 'string'; text: string }
  | { readonly type: 'hash'; readonly fields: Map<string, Buffer> }
  | { readonly type: 'zset'; readonly members: Map<string, SortedMember> }
  | { readonly type: 'stream'; entries: StreamEntry[]; top: readonly [number, number] };

type Kept<Type extends Value['type']> = Extract<Value, { type: Type }>;

/** Keys with their values and the moments, in milliseconds by the server's clock, at which they go. */
export class RedisStore {
  readonly #values = new Map<string, Value>();
  readonly #expiry = new Map<string, number>();

  clone(): RedisStore {
    const copy = new RedisStore();
    for (const [key, value] of this.#values) copy.#values.set(key, copyOf(value));
    for (const [key, at] of this.#expiry) copy.#expiry.set(key, at);
    return copy;
  }

  flush(): void {
    this.#values.clear();
    this.#expiry.clear();
  }

  /** Drops what has run out. Called before each command. */
  expire(now: number): void {
    for (const [key, at] of this.#expiry) if (at <= now) this.delete(key);
  }

  get keys(): string[] {
    return [...this.#values.keys()];
  }

  delete(...keys: readonly string[]): void {
    for (const key of keys) {
      this.#values.delete(key);
      this.#expiry.delete(key);
    }
  }

  get(key: string): string | undefined {
    return this.#find(key, 'string')?.text;
  }

  set(key: string, text: string, expiresAt: number): void {
    this.#values.set(key, { type: 'string', text });
    this.#expiry.set(key, expiresAt);
  }

  pexpire(key: string, at: number): void {
    if (this.#values.has(key)) this.#expiry.set(key, at);
  }

  hash(key: string): ReadonlyMap<string, Buffer> {
    return this.#find(key, 'hash')?.fields ?? new Map();
  }

  hset(key: string, field: string, value: Buffer): void {
    const hash = this.#find(key, 'hash') ?? this.#put(key, { type: 'hash', fields: new Map() });
    hash.fields.set(field, value);
  }

  hdel(key: string, field: string): void {
    const hash = this.#find(key, 'hash');
    hash?.fields.delete(field);
    if (hash?.fields.size === 0) this.delete(key);
  }

  /** In order of score. */
  sorted(key: string): SortedMember[] {
    return [...(this.#find(key, 'zset')?.members.values() ?? [])].toSorted((a, b) => a.score - b.score);
  }

  zadd(key: string, score: number, bytes: Buffer): void {
    const zset = this.#find(key, 'zset') ?? this.#put(key, { type: 'zset', members: new Map() });
    zset.members.set(bytes.toString('latin1'), { score, bytes });
  }

  zremUpTo(key: string, score: number): void {
    const zset = this.#find(key, 'zset');
    for (const [name, member] of zset?.members ?? []) if (member.score <= score) zset?.members.delete(name);
    if (zset?.members.size === 0) this.delete(key);
  }

  stream(key: string): readonly StreamEntry[] {
    return this.#find(key, 'stream')?.entries ?? [];
  }

  xadd(key: string, id: readonly [number, number], bytes: Buffer, least: readonly [number, number]): void {
    const stream = this.#find(key, 'stream') ?? this.#put(key, { type: 'stream', entries: [], top: [0, 0] });
    if (compareIds(id, stream.top) <= 0) {
      throw new ReplyError('ERR The ID specified in XADD is equal or smaller than the target stream top item');
    }
    stream.top = id;
    stream.entries.push({ id, bytes });
    stream.entries = stream.entries.filter((entry) => compareIds(entry.id, least) >= 0);
  }

  #find<Type extends Value['type']>(key: string, type: Type): Kept<Type> | undefined {
    const value = this.#values.get(key);
    if (value !== undefined && value.type !== type) throw new ReplyError('WRONGTYPE');
    return value as Kept<Type> | undefined;
  }

  #put<V extends Value>(key: string, value: V): V {
    this.#values.set(key, value);
    return value;
  }
}

export function compareIds(a: readonly [number, number], b: readonly [number, number]): number {
  return a[0] - b[0] || a[1] - b[1];
}

export function idOf(text: string): readonly [number, number] {
  const [first = 0, second = 0] = text.split('-').map(Number);
  return [first, second];
}

function copyOf(value: Value): Value {
  switch (value.type) {
    case 'string':
      return { ...value };
    case 'hash':
      return { type: 'hash', fields: new Map(value.fields) };
    case 'zset':
      return { type: 'zset', members: new Map(value.members) };
    case 'stream':
      return { ...value, entries: [...value.entries] };
    default:
      return value satisfies never;
  }
}
