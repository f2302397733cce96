import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { GOOD_SOCKET_MS, PROBE_BASE_MS, TransportChooser, type Mover } from './transport-chooser.ts';

const PROBE_AT_MOST = PROBE_BASE_MS * 1.25;

class FakeMover implements Mover {
  renewals = 0;
  isHttp = true;

  renew(): void {
    this.renewals += 1;
  }

  isOnHttp(): boolean {
    return this.isHttp;
  }
}

function auto() {
  const clock = new VirtualClock();
  const chooser = new TransportChooser('auto', clock);
  const movers = [new FakeMover(), new FakeMover(), new FakeMover()];
  for (const mover of movers) chooser.join(mover);
  const renewals = () => movers.map((mover) => mover.renewals);
  return { clock, chooser, movers, renewals };
}

describe('auto', () => {
  it('begins with the WebSocket, and stays there while it works', async () => {
    const { clock, chooser, renewals } = auto();
    const first = chooser.next();
    first.worked();
    expect([first.transport, chooser.next().transport]).toEqual(['WEBSOCKET', 'WEBSOCKET']);
    await clock.advance(3_600_000);
    expect(renewals()).toEqual([0, 0, 0]);
  });

  it('goes over HTTP when it fails, and lets one watch at a time try again', async () => {
    const { clock, chooser, renewals } = auto();
    chooser.next().failed();
    expect(chooser.next().transport).toBe('HTTP_STREAM');
    await clock.advance(PROBE_AT_MOST);
    expect(renewals()).toEqual([1, 0, 0]);
    expect([chooser.next().transport, chooser.next().transport]).toEqual(['WEBSOCKET', 'HTTP_STREAM']);
  });

  it('moves the others, and only those that are on HTTP, when the try works', async () => {
    const { clock, chooser, movers, renewals } = auto();
    chooser.next().failed();
    await clock.advance(PROBE_AT_MOST);
    const probe = chooser.next();
    movers[0]!.isHttp = false;
    movers[2]!.isHttp = false;
    probe.worked();
    expect(renewals()).toEqual([1, 1, 0]);
    expect(chooser.next().transport).toBe('WEBSOCKET');
  });

  it('waits longer after each try that fails, up to ten minutes', async () => {
    const { clock, chooser, renewals } = auto();
    const waits: number[] = [];
    chooser.next().failed();
    for (let index = 0; index < 7; index += 1) {
      const before = renewals()[0] ?? 0;
      const since = clock.monotonic();
      while (renewals()[0] === before) await clock.advance(1_000);
      waits.push(clock.monotonic() - since);
      chooser.next().failed();
    }
    [30, 60, 120, 240, 480, 600, 600].forEach((seconds, index) => {
      expect(waits[index]).toBeGreaterThanOrEqual(seconds * 750 - 1_000);
      expect(waits[index]).toBeLessThanOrEqual(seconds * 1_250 + 1_000);
    });
  });

  it('forgets its failures after a WebSocket that has served for long, and not after one that has not', async () => {
    const { clock, chooser, renewals } = auto();
    chooser.next().failed();
    await clock.advance(PROBE_AT_MOST);
    const probe = chooser.next();
    probe.worked();
    await clock.advance(GOOD_SOCKET_MS / 2);
    probe.failed();
    const [before = 0] = renewals();
    await clock.advance(PROBE_AT_MOST);
    expect(renewals()[0]).toBe(before); // the second failure in a row: a minute
    await clock.advance(PROBE_AT_MOST);
    const next = chooser.next();
    next.worked();
    await clock.advance(GOOD_SOCKET_MS + 1);
    next.failed();
    const [then = 0] = renewals();
    await clock.advance(PROBE_AT_MOST);
    expect(renewals()[0]).toBe(then + 1);
  });

  it('counts the failure of one WebSocket once, however many watches were on it', async () => {
    const { clock, chooser, renewals } = auto();
    const attempts = [chooser.next(), chooser.next(), chooser.next()];
    for (const attempt of attempts) attempt.failed();
    await clock.advance(PROBE_AT_MOST);
    expect(renewals()[0]).toBe(1);
  });

  it('lets another try when the one that did was given up', async () => {
    const { clock, chooser } = auto();
    chooser.next().failed();
    await clock.advance(PROBE_AT_MOST);
    chooser.next().abandoned();
    expect(chooser.next().transport).toBe('HTTP_STREAM');
    await clock.advance(PROBE_AT_MOST);
    expect(chooser.next().transport).toBe('WEBSOCKET');
  });

  it('waits for nothing any more when nobody is left', async () => {
    const { clock, chooser, movers } = auto();
    chooser.next().failed();
    for (const mover of movers) chooser.leave(mover);
    expect(clock.pending).toBe(0);
    await clock.advance(PROBE_AT_MOST);
  });
});

it.each([
  ['websocket', 'WEBSOCKET'],
  ['http', 'HTTP_STREAM'],
] as const)('%s is what it says, whatever happens', (mode, transport) => {
  const clock = new VirtualClock();
  const chooser = new TransportChooser(mode, clock);
  chooser.next().failed();
  expect(chooser.next().transport).toBe(transport);
  expect(chooser.hasFallback).toBe(false);
  expect(clock.pending).toBe(0);
});
