import { describe, expect, it } from 'vitest';
import { FakeSource } from '../../test/support/fake-source.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { Donor } from '../sources/source.ts';
import { DEPARTED_MS } from './donor-pool.ts';
import { LogHub } from './log-hub.ts';

const KEY = { agentId: '1', namespace: 'shop', pod: 'web', container: 'app' };

function donor(token: string): Donor {
  return { credentials: { kind: 'bearer', agentId: undefined, tokenType: 'pat', token }, refused: () => undefined };
}

function bench(lingerMs = 1_000) {
  const clock = new VirtualClock();
  const source = new FakeSource();
  return { clock, source, hub: new LogHub({ source, clock, lingerMs }) };
}

describe('LogHub', () => {
  it('follows a container once for all, and for a while after the last', async () => {
    const { clock, source, hub } = bench();
    const first = await hub.attach(KEY, 500, donor('a'));
    const second = await hub.attach(KEY, 100, donor('b'));
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

  it('lets another take over when the one whose credentials it has is dismissed', async () => {
    const { source, hub } = bench();
    const [ada, eve] = [donor('ada'), donor('eve')];
    await hub.attach(KEY, 500, ada);
    await hub.attach(KEY, 500, eve);
    expect(source.follows[0]?.donors.current()).toBe(ada);
    hub.dismiss((each) => each === ada);
    expect(source.follows[0]?.renewals).toBe(1);
    expect(source.follows[0]?.donors.current()).toBe(eve);
  });

  it('closes a follow at once whose last credentials were withdrawn, also after its reader has left', async () => {
    const { source, hub } = bench();
    const ada = donor('ada');
    const reader = await hub.attach(KEY, 500, ada);
    source.follows[0]?.donors.current();
    hub.dismiss((each) => each === ada); // the view ends with the right, and lets go right after
    expect(source.follows[0]?.stops).toBe(0);
    reader.release();
    expect(source.follows[0]?.stops).toBe(1);
    expect(hub.size).toBe(0);

    const again = await hub.attach(KEY, 500, ada);
    source.follows[1]?.donors.current();
    again.release();
    expect(source.follows[1]?.stops).toBe(0);
    hub.dismiss((each) => each === ada);
    expect(source.follows[1]?.stops).toBe(1);
    expect(hub.size).toBe(0);
  });

  it('lingers for no more than a minute with the credentials of who has left', async () => {
    const { clock, source, hub } = bench(3_600_000);
    const reader = await hub.attach(KEY, 500, donor('ada'));
    source.follows[0]?.donors.current();
    reader.release();
    await clock.advance(DEPARTED_MS);
    expect(source.follows[0]?.stops).toBe(1);
    expect(hub.size).toBe(0);
  });

  it('goes on with whoever comes after the last credentials were withdrawn', async () => {
    const { source, hub } = bench();
    const [ada, eve] = [donor('ada'), donor('eve')];
    const first = await hub.attach(KEY, 500, ada);
    source.follows[0]?.donors.current();
    hub.dismiss((each) => each === ada);
    await hub.attach(KEY, 500, eve);
    first.release();
    expect(source.follows[0]).toMatchObject({ renewals: 1, stops: 0 });
    expect(source.follows[0]?.donors.current()).toBe(eve);
  });

  it('begins anew after an end, and gives the stream back at once', async () => {
    const { source, hub } = bench();
    const old = await hub.attach(KEY, 500, donor('a'));
    source.follows[0]?.sink.ended(undefined);
    await Promise.resolve();
    expect(source.follows[0]?.stops).toBeGreaterThan(0);
    const fresh = await hub.attach(KEY, 500, donor('b'));
    expect(fresh.feed).not.toBe(old.feed);
    expect(source.follows).toHaveLength(2);
    old.release();
    expect(hub.size).toBe(1);
  });
});
