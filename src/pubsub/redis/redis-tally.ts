import type { Clock, Timer } from '../../clock.ts';
import type { Counted, Tally } from '../tally.ts';
import { countKey } from './keys.ts';
import type { RedisBus } from './redis-bus.ts';
import { Scripts } from './script-runner.ts';

/** How long what a replica holds counts without being said again, in milliseconds: so long, what has crashed counts. */
const LIFE_MS = 60_000;
const REFRESH_MS = 20_000;

/**
 * KEYS: the count. ARGV: replica, what it would hold, limit, life ms. One field a replica: "count:until".
 * Answers 1, or 0 when all together would hold more than the limit.
 */
const TAKE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local held = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local count, till = string.match(all[i + 1], '^(%d+):(%d+)$')
  if tonumber(till) < now then redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= ARGV[1] then held = held + tonumber(count) end
end
if held + tonumber(ARGV[2]) > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. string.format('%.0f', now + ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`;

/** More than anybody holds: for what is held already, and only said again. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

interface Held {
  readonly key: string;
  count: number;
}

export interface RedisTallyOptions {
  readonly bus: RedisBus;
  readonly clock: Clock;
  readonly onFailed: (error: unknown) => void;
}

/** Counts over all replicas, in Redis. */
export class RedisTally implements Tally {
  readonly #options: RedisTallyOptions;
  readonly #scripts: Scripts;
  readonly #held = new Map<string, Held>();
  readonly #stopTurns: () => void;
  #timer: Timer | undefined;

  constructor(options: RedisTallyOptions) {
    this.#options = options;
    this.#scripts = new Scripts(options.bus.commands);
    this.#stopTurns = options.bus.onTurn(() => this.#sayAll());
    this.#refresh();
  }

  async take(what: Counted, owner: string, limit: number): Promise<(() => void) | undefined> {
    const key = countKey(what, owner);
    const held = this.#held.get(key) ?? { key, count: 0 };
    this.#held.set(key, held);
    held.count += 1;
    if (!(await this.#mayHold(held, limit))) {
      this.#giveBack(held);
      return undefined;
    }
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#giveBack(held);
      void this.#say(held);
    };
  }

  /** Gives everything back. */
  async close(): Promise<void> {
    this.#stopTurns();
    this.#timer?.cancel();
    const given = [...this.#held.values()].map((held) => this.#say({ ...held, count: 0 }));
    await Promise.all(given);
  }

  async #mayHold(held: Held, limit: number): Promise<boolean> {
    try {
      return (await this.#write(held, limit)) !== 0;
    } catch (error) {
      this.#options.onFailed(error);
      return held.count <= limit;
    }
  }

  #giveBack(held: Held): void {
    held.count -= 1;
    if (held.count === 0 && this.#held.get(held.key) === held) this.#held.delete(held.key);
  }

  #refresh(): void {
    this.#timer = this.#options.clock.after(REFRESH_MS, () => {
      this.#sayAll();
      this.#refresh();
    });
  }

  #sayAll(): void {
    for (const held of this.#held.values()) void this.#say(held);
  }

  /** What is held is held: the others are told, and nobody is asked. */
  async #say(held: Held): Promise<void> {
    if (this.#options.bus.isUp) await this.#write(held, NO_LIMIT).catch(this.#options.onFailed);
  }

  #write({ key, count }: Readonly<Held>, limit: number): Promise<unknown> {
    return this.#scripts.run(TAKE, [key], [this.#options.bus.replica, count, limit, LIFE_MS]);
  }
}
