import { describe, expect, it } from 'vitest';
import { FakeSource } from '../../test/support/fake-source.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { Donor } from '../sources/source.ts';
import { LogHub } from './log-hub.ts';

const KEY = { agentId: '1', namespace: 'shop', pod: 'web', container: 'app' };

function donor(token: string): Donor {
  return { credentials: { kind: 'bearer', agentId: undefined, tokenType: 'pat', token }, refused: () => undefined };
}

function bench() {
  const clock = new VirtualClock();
  const source = new FakeSource();
  return { clock, source, hub: new LogHub({ source, clock, lingerMs: 1_000 }) };
}

describe('LogHub', () => {
  it('follows a container once for all, and for a while after the last', async () => {
    const { clock, source, hub } = bench();
    const first = hub.attach(KEY, 500, donor('a'));
    const second = hub.attach(KEY, 100, donor('b'));
    expect(second.feed).toBe(first.feed);
    expect(source.follows).toMatchObject([{ tailLines: 500, stops: 0 }]);
    first.release();
    first.release();
    second.release();
    expect(hub.size).toBe(1);
    await clock.advance(1_000);
    expect(hub.size).toBe(0);
    expect(source.follows[0]?.stops).toBe(1);
  });

  it('lets another take over when the one whose credentials it has is dismissed', () => {
    const { source, hub } = bench();
    const [ada, eve] = [donor('ada'), donor('eve')];
    hub.attach(KEY, 500, ada);
    hub.attach(KEY, 500, eve);
    expect(source.follows[0]?.donors.current()).toBe(ada);
    hub.dismiss((each) => each === ada);
    expect(source.follows[0]?.renewals).toBe(1);
    expect(source.follows[0]?.donors.current()).toBe(eve);
  });

  it('begins anew after an end, and gives the stream back at once', async () => {
    const { source, hub } = bench();
    const old = hub.attach(KEY, 500, donor('a'));
    source.follows[0]?.sink.ended(undefined);
    await Promise.resolve();
    expect(source.follows[0]?.stops).toBeGreaterThan(0);
    const fresh = hub.attach(KEY, 500, donor('b'));
    expect(fresh.feed).not.toBe(old.feed);
    expect(source.follows).toHaveLength(2);
    old.release();
    expect(hub.size).toBe(1);
  });
});
