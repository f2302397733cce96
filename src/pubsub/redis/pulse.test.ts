import { expect, it } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { Client } from './clients.ts';
import { Pulse } from './pulse.ts';
import { slotOf } from './slots.ts';

class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

let failure: Error | undefined;
// Of which it uses no more.
const client = { set: () => (failure === undefined ? Promise.resolve(null) : Promise.reject(failure)) };

async function taken(pulse: Pulse, times: number): Promise<boolean> {
  for (let time = 0; time < times; time += 1) await pulse.take();
  return pulse.isThere;
}

it('takes a Redis that refuses for gone, and believes it only when it has taken writes for a while', async () => {
  const pulse = new Pulse(client as unknown as Client, new VirtualClock());
  expect(await taken(pulse, 1)).toBe(true);
  failure = new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");
  expect(await taken(pulse, 1)).toBe(true);
  expect(await taken(pulse, 1)).toBe(false);
  expect(pulse.trouble).toBe('Redis takes no writes (OOM).');
  failure = undefined;
  expect(await taken(pulse, 9)).toBe(false);
  expect(await taken(pulse, 1)).toBe(true);
});

it('believes a Redis that was silent as soon as it answers', async () => {
  const pulse = new Pulse(client as unknown as Client, new VirtualClock());
  failure = new Error('Command timed out');
  expect(await taken(pulse, 2)).toBe(false);
  expect(pulse.trouble).toBe('Redis does not answer.');
  failure = undefined;
  expect(await taken(pulse, 1)).toBe(true);
});

it('computes slots as the specification of Redis Cluster does', () => {
  expect(slotOf('123456789')).toBe(0x31_c3);
});
