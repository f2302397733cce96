import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { Counters } from '../counters.ts';
import { PODS } from '../kubernetes/resources.ts';
import { Quota } from './quota.ts';
import { Viewer } from './viewer.ts';

const LINGER_MS = 30_000;
const LIMIT = expect.objectContaining({ code: 'LIMIT_EXCEEDED' });

const key = (namespace: string) => ({ agentId: '7', namespace, resource: PODS });
const viewer = (token: string) => new Viewer({ kind: 'bearer', agentId: undefined, tokenType: 'pat', token });

function made() {
  const clock = new VirtualClock();
  const counters = new Counters();
  const limits = { feedsPerViewer: 2, subscriptionsPerViewer: 2, lingerMs: LINGER_MS };
  return { clock, counters, quota: new Quota({ clock, counters, ...limits }) };
}

describe('Quota', () => {
  it('counts the subscriptions of a viewer, and no longer those that ended', async () => {
    const { quota, counters } = made();
    const first = await quota.holdSubscription(viewer('a'));
    const second = await quota.holdSubscription(viewer('a'));
    await expect(quota.holdSubscription(viewer('a'))).rejects.toEqual(LIMIT);
    expect(counters.value('limits_hit', { limit: 'MAX_SUBSCRIPTIONS_PER_VIEWER' })).toBe(1);
    (await quota.holdSubscription(viewer('b')))();
    first();
    const third = await quota.holdSubscription(viewer('a'));
    await expect(quota.holdSubscription(viewer('a'))).rejects.toEqual(LIMIT);
    second();
    third();
    expect(quota.size).toBe(0);
  });

  it('counts a feed once, however often it is held, until it has lingered', async () => {
    const { quota, clock } = made();
    const releases = await Promise.all([quota.holdFeed(viewer('a'), key('x')), quota.holdFeed(viewer('a'), key('x'))]);
    releases.push(await quota.holdFeed(viewer('a'), key('y')));
    await expect(quota.holdFeed(viewer('a'), key('z'))).rejects.toEqual(LIMIT);
    for (const release of releases) release();
    await clock.advance(LINGER_MS - 1);
    await expect(quota.holdFeed(viewer('a'), key('z'))).rejects.toEqual(LIMIT);
    await clock.advance(1);
    (await quota.holdFeed(viewer('a'), key('z')))();
  });

  it('keeps nobody who is gone', async () => {
    const { quota, clock } = made();
    for (const name of ['a', 'b', 'c']) (await quota.holdFeed(viewer(name), key('x')))();
    await clock.advance(LINGER_MS);
    await quota.holdSubscription(viewer('d'));
    expect(quota.size).toBe(1);
  });
});
