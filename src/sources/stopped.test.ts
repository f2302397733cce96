import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import { ApiHttp } from './apiserver/http.ts';
import { KAS } from './kas/kas.ts';
import { AggregatedSocket } from './kas/aggregated/socket.ts';
import { KnownObjects } from './kas/known-objects.ts';
import { ReplayGuard, ReplayMemory } from './kas/replay-guard.ts';
import { Stopped } from './stopped.ts';

interface Started {
  /** Held by what is under way, and by libraries after it has ended. */
  readonly signal: AbortSignal;
  readonly stop: () => void;
}

/** Whoever stops it: a feed, with all that belongs to it. */
class Owner {
  readonly #started: Started;

  constructor(started: Started) {
    this.#started = started;
  }

  stop(): AbortSignal {
    this.#started.stop();
    return this.#started.signal;
  }
}

function pending(): Promise<never> {
  return new Promise(() => undefined);
}

function startSocket(): Started {
  const http = new ApiHttp({ clock: systemClock, peer: KAS });
  const call = vi.spyOn(http, 'call').mockImplementation(pending);
  const socket = new AggregatedSocket({
    http,
    base: new URL('http://127.0.0.1'),
    clock: systemClock,
    headers: {},
    lender: { kind: 'local' },
    probe: pending,
    onClosed: () => undefined,
    onLeft: () => undefined,
    onIgnored: () => undefined,
  });
  const signal = call.mock.calls[0]?.[1];
  if (signal === undefined) throw new Error('No token was asked for.');
  return { signal, stop: () => socket.close() };
}

function startGuard(): Started {
  const memory = new ReplayMemory();
  memory.state = 'replays';
  const signals: AbortSignal[] = [];
  const guard = new ReplayGuard({
    request: { resourceVersion: '1', timeoutSeconds: 240 },
    memory,
    known: new KnownObjects([]),
    get: pending,
    list: (_, signal) => {
      signals.push(signal);
      return pending();
    },
    opened: () => undefined,
    event: () => undefined,
    failed: () => undefined,
  });
  guard.accepted();
  const [signal] = signals;
  if (signal === undefined) throw new Error('No list was asked for.');
  return { signal, stop: () => guard.close() };
}

function startBare(): Started {
  const life = new AbortController();
  return { signal: life.signal, stop: () => life.abort(new Stopped()) };
}

test.each([
  ['anything', startBare],
  ['a WebSocket of KAS', startSocket],
  ['the list of a watch that replays', startGuard],
])('the signal that ended %s holds nothing of who stopped it', async (_, start) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const stopped = (() => {
    const owner = new Owner(start());
    return { signal: owner.stop(), owner: new WeakRef(owner) };
  })();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  collectGarbage();
  expect(stopped.signal.aborted).toBe(true);
  expect(stopped.owner.deref()).toBeUndefined();
});
