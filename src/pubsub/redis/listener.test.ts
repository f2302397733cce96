import { EventEmitter } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { Clock, Timer } from '../../clock.ts';
import { Listener } from './listener.ts';

const PROBES = 'probes';

/** A connection that does what it is asked, and passes on what is published. */
class FakeClient extends EventEmitter {
  connect = () => Promise.resolve();
  subscribe = () => Promise.resolve(1);
  ping = () => Promise.resolve('PONG');
  disconnect = () => undefined;
}

it('keeps no timer that has run, however long it listens', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const clock = new VirtualClock();
  const timers: WeakRef<Timer>[] = [];
  const counting: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    random: () => clock.random(),
    after(milliseconds, task) {
      const timer = clock.after(milliseconds, task);
      timers.push(new WeakRef(timer));
      return timer;
    },
  };
  const client = new FakeClient();
  const listener = new Listener({
    clock: counting,
    connect: () => client as unknown as Redis, // of which it uses no more
    publish: async (_, message) => {
      await Promise.resolve(); // it comes back over the network
      client.emit('messageBuffer', Buffer.from(PROBES), Buffer.from(message));
    },
    probeChannel: PROBES,
    onTurn: () => undefined,
    onFailed: () => undefined,
  });
  listener.start();
  for (let second = 0; second < 600; second += 1) await clock.advance(1_000);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  collectGarbage();
  expect(timers.length).toBeGreaterThan(300);
  expect(timers.filter((timer) => timer.deref() !== undefined).length).toBeLessThan(10);
  expect(listener.isUp).toBe(true);
  listener.close();
  expect(clock.pending).toBe(0);
});
