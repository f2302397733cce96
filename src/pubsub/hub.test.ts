import { describe, expect, it } from 'vitest';
import { FakeSource } from '../../test/support/fake-source.ts';
import { failure } from '../../test/support/scripted-upstream.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { PODS, SERVICES } from '../kubernetes/resources.ts';
import type { Donor } from '../sources/source.ts';
import { DEPARTED_MS } from './donor-pool.ts';
import { Hub } from './hub.ts';

const KEY = { agentId: '7', namespace: 'shop', resource: PODS };
const LINGER_MS = 30_000;

describe('Hub', () => {
  it('opens one watch for a thousand viewers of a scope', () => {
    const { hub, source } = made();
    const feeds = new Set(Array.from({ length: 1_000 }, () => hub.attach(KEY, donor()).feed));
    expect(feeds.size).toBe(1);
    expect(source.reflections).toHaveLength(1);
    expect(source.reflections[0]?.renewals).toBe(0);
  });

  it('shares nothing between agents, namespaces, resources and identities', () => {
    const { hub, source } = made();
    const keys = [
      KEY,
      { ...KEY, agentId: '8' },
      { ...KEY, namespace: undefined },
      { ...KEY, namespace: 'null' },
      { ...KEY, resource: SERVICES },
      { ...KEY, identity: 'a' },
      { ...KEY, identity: 'b' },
    ];
    const feeds = new Set(keys.map((key) => hub.attach(key, donor()).feed));
    expect(feeds.size).toBe(keys.length);
    expect(source.reflections).toHaveLength(keys.length);
    expect(hub.feeds('7', 'shop').length).toBe(4);
    expect(hub.feeds('7', undefined).length).toBe(1);
  });

  it('closes a feed some time after its last viewer, and not while there is one', async () => {
    const { hub, source, clock } = made();
    const first = hub.attach(KEY, donor());
    const second = hub.attach(KEY, donor());
    first.release();
    first.release();
    await clock.advance(LINGER_MS * 2);
    expect(source.open).toHaveLength(1);
    second.release();
    await clock.advance(LINGER_MS - 1);
    const third = hub.attach(KEY, donor());
    expect(third.feed).toBe(first.feed);
    await clock.advance(LINGER_MS * 2);
    expect(source.open).toHaveLength(1);
    third.release();
    await clock.advance(LINGER_MS);
    expect(source.open).toHaveLength(0);
    expect(hub.size).toBe(0);
    expect(hub.attach(KEY, donor()).feed).not.toBe(first.feed);
    expect(source.reflections.map(({ stops }) => stops)).toEqual([1, 0]);
  });

  it('hands the watch to another donor a minute after the one in use has left', async () => {
    const { hub, source, clock } = made();
    const [first, second] = [donor(), donor()];
    const attachment = hub.attach(KEY, first);
    const [reflection] = source.reflections;
    expect(reflection?.donors.current()).toBe(first);
    hub.attach(KEY, second);
    attachment.release();
    await clock.advance(DEPARTED_MS - 1);
    expect(reflection?.renewals).toBe(0);
    await clock.advance(1);
    expect(reflection?.renewals).toBe(1);
    expect(reflection?.donors.current()).toBe(second);
  });

  it('wakes a watch that nobody could open when somebody comes who can', () => {
    const { hub, source } = made();
    const first = donor();
    hub.attach(KEY, first);
    const [reflection] = source.reflections;
    const current = reflection?.donors.current();
    if (current !== undefined) reflection?.donors.refused(current, failure('forbidden'));
    expect(first.refusals).toBe(1);
    expect(reflection?.donors.current()).toBeUndefined();
    hub.attach(KEY, donor());
    expect(reflection?.renewals).toBe(1);
    expect(reflection?.donors.current()).toBeDefined();
  });

  it('refuses what the budget has no room for, and harms nobody else', () => {
    const { hub, source } = made();
    source.budget = 1;
    const first = hub.attach(KEY, donor());
    expect(() => hub.attach({ ...KEY, namespace: 'other' }, donor())).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }) as Error,
    );
    expect(hub.size).toBe(1);
    expect(hub.attach(KEY, donor()).feed).toBe(first.feed);
    expect(hub.feeds('7', 'other')).toEqual([]);
  });

  it('tells who watches a scope of what opens, changes and closes there, and nobody else', async () => {
    const { hub, source, clock } = made();
    const told = { shop: 0, all: 0, again: 0 };
    const stop = hub.onScopeStatus('7', 'shop', () => (told.shop += 1));
    hub.onScopeStatus('7', undefined, () => (told.all += 1));
    const attachment = hub.attach(KEY, donor());
    expect(told).toEqual({ shop: 1, all: 0, again: 0 });
    source.reflections[0]?.sink.replace([], '1', 'kept');
    expect(told.shop).toBe(2);
    attachment.release();
    await clock.advance(LINGER_MS);
    expect(told.shop).toBe(3);
    stop();
    hub.onScopeStatus('7', 'shop', () => (told.again += 1));
    stop();
    hub.attach(KEY, donor());
    expect(told).toEqual({ shop: 3, all: 0, again: 1 });
  });

  it('tries again now where it is told to', () => {
    const { hub, source } = made();
    hub.attach(KEY, donor());
    hub.attach({ ...KEY, resource: SERVICES }, donor());
    hub.retryNow(KEY);
    hub.retryNow({ ...KEY, namespace: 'unknown' });
    expect(source.reflections.map(({ retries }) => retries)).toEqual([1, 0]);
  });

  it('closes everything once, and leaves no timer, whenever viewers let go', async () => {
    const { hub, source, clock } = made();
    const kept = hub.attach(KEY, donor());
    source.reflections[0]?.donors.current();
    hub.attach({ ...KEY, namespace: 'other' }, donor()).release();
    hub.close();
    hub.close();
    kept.release();
    expect(clock.pending).toBe(0);
    await clock.advance(LINGER_MS * 4);
    expect(source.reflections.map(({ stops, renewals }) => [stops, renewals])).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });
});

function made() {
  const clock = new VirtualClock();
  const source = new FakeSource();
  return { clock, source, hub: new Hub({ source, clock, lingerMs: LINGER_MS }) };
}

function donor(): Donor & { refusals: number } {
  return {
    credentials: { kind: 'bearer', agentId: undefined, tokenType: 'pat', token: 't' },
    refusals: 0,
    refused() {
      this.refusals += 1;
    },
  };
}
