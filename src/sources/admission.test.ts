import { describe, expect, it } from 'vitest';
import { failure } from '../../test/support/scripted-upstream.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { AgentAdmission, KNOCK_MS, OPEN_BURST, OPENS_PER_SECOND, type Ticket } from './admission.ts';

const AWAY = failure('agentNotConnected');

describe('pace', () => {
  it('lets a burst through at once, and then so many a second, in the order in which they came', async () => {
    const { clock, queue } = queued(100);
    await clock.advance(0);
    expect(queue.served).toEqual(range(OPEN_BURST));
    await clock.advance(1_000);
    expect(queue.served.length).toBeGreaterThanOrEqual(OPEN_BURST + OPENS_PER_SECOND - 1);
    expect(queue.served.length).toBeLessThanOrEqual(OPEN_BURST + OPENS_PER_SECOND);
    await clock.advance(3_100);
    expect(queue.served).toEqual(range(100));
    expect(clock.pending).toBe(0);
  });

  it('serves nobody who has given up, and leaves no timer behind', async () => {
    const { clock, queue, admission } = queued(OPEN_BURST + 5);
    await clock.advance(0);
    queue.giveUp(OPEN_BURST);
    await clock.advance(10_000);
    expect(queue.served).not.toContain(OPEN_BURST);
    expect(queue.served).toHaveLength(OPEN_BURST + 4);
    const last = new AbortController();
    for (let index = 0; index < OPEN_BURST; index += 1) await admission.open(last.signal);
    const never = admission.open(last.signal);
    last.abort(new Error('gone'));
    await expect(never).rejects.toThrow('gone');
    expect(clock.pending).toBe(0);
  });

  it('refuses whoever has given up before', async () => {
    const admission = new AgentAdmission(new VirtualClock());
    await expect(admission.open(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });
});

describe('an agent that is away', () => {
  it('is knocked at by one at a time', async () => {
    const { clock, queue } = await away(10);
    await clock.advance(800);
    expect(queue.served).toHaveLength(1);
    queue.tickets[0]?.failed(AWAY);
    await clock.advance(1_600);
    expect(queue.served).toHaveLength(2);
  });

  it('is let alone for as long as it asks for, also by those who push', async () => {
    const { clock, queue, admission } = await away(3, failure('unreachable', 20_000));
    admission.retryNow();
    await clock.advance(19_999);
    expect(queue.served).toEqual([]);
    await clock.advance(1);
    expect(queue.served).toHaveLength(1);
  });

  it('is knocked at at once when somebody asks for it', async () => {
    const { clock, queue, admission } = await away(3);
    admission.retryNow();
    await clock.advance(0);
    expect(queue.served).toHaveLength(1);
  });

  it('lets everybody in when one got through', async () => {
    const { clock, queue } = await away(10);
    await clock.advance(800);
    queue.tickets[0]?.succeeded();
    await clock.advance(0);
    expect(queue.served).toHaveLength(10);
  });

  it('is back as well when the answer was a refusal from behind it', async () => {
    const { clock, queue } = await away(10);
    await clock.advance(800);
    queue.tickets[0]?.failed(failure('forbidden'));
    await clock.advance(0);
    expect(queue.served).toHaveLength(10);
  });

  it('is knocked at by the next one when the first has lost interest', async () => {
    const { clock, queue } = await away(10);
    await clock.advance(800);
    queue.tickets[0]?.abandoned();
    await clock.advance(1);
    expect(queue.served).toHaveLength(2);
  });

  it('is knocked at by the next one when the first gets no answer', async () => {
    const { clock, queue } = await away(10);
    await clock.advance(800);
    expect(queue.served).toHaveLength(1);
    await clock.advance(KNOCK_MS);
    expect(queue.served).toHaveLength(2);
  });

  it('tells all who wait how long it will be, and again when that changes', async () => {
    const { clock, queue } = await away(3);
    expect(queue.delays.map((told) => told.length)).toEqual([1, 1, 1]);
    await clock.advance(800);
    queue.tickets[0]?.failed(AWAY);
    expect(queue.delays.map((told) => told.length)).toEqual([1, 2, 2]);
    for (const told of queue.delays.slice(1)) expect(told.at(-1)).toBeLessThanOrEqual(1_600);
  });

  it('takes what is said of a ticket first, and latecomers of the same outage for one failure', async () => {
    const clock = new VirtualClock();
    const admission = new AgentAdmission(clock);
    const signal = new AbortController().signal;
    const tickets = await Promise.all(range(10).map(() => admission.open(signal)));
    for (const ticket of tickets) ticket.failed(AWAY);
    for (const ticket of tickets) ticket.succeeded();
    let served = false;
    void admission.open(signal, (ms) => expect(ms).toBeLessThanOrEqual(800)).then(() => (served = true));
    await clock.advance(0);
    expect(served).toBe(false);
    await clock.advance(800);
    expect(served).toBe(true);
  });

  it('waits longer each time, and from the beginning after it was back', async () => {
    const { clock, queue } = await away(40);
    let longest = 0;
    for (let round = 0; round < 12; round += 1) {
      const before = clock.monotonic();
      while (queue.tickets.length <= round) await clock.advance(100);
      longest = Math.max(longest, clock.monotonic() - before);
      queue.tickets[round]?.failed(AWAY);
    }
    expect(longest).toBeGreaterThan(3_000);
    expect(longest).toBeLessThanOrEqual(30_100);
  });
});

interface Queue {
  readonly served: number[];
  readonly tickets: Ticket[];
  readonly delays: number[][];
  giveUp(index: number): void;
}

function queued(count: number, admission?: AgentAdmission, clock = new VirtualClock()) {
  const made = admission ?? new AgentAdmission(clock);
  const lives = range(count).map(() => new AbortController());
  const queue: Queue = {
    served: [],
    tickets: [],
    delays: range(count).map(() => []),
    giveUp: (index) => lives[index]?.abort(new Error('gave up')),
  };
  for (const [index, { signal }] of lives.entries()) void wait(made, signal, index, queue);
  return { clock, admission: made, queue };
}

async function wait(admission: AgentAdmission, signal: AbortSignal, index: number, queue: Queue): Promise<void> {
  try {
    queue.tickets.push(await admission.open(signal, (ms) => queue.delays[index]?.push(ms)));
    queue.served.push(index);
  } catch {
    // gave up
  }
}

/** An agent that has just been found away, with so many waiting. */
async function away(count: number, error = AWAY) {
  const clock = new VirtualClock();
  const admission = new AgentAdmission(clock);
  const ticket = await admission.open(new AbortController().signal);
  ticket.failed(error);
  const made = queued(count, admission, clock);
  await clock.advance(0);
  return made;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
