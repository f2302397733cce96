import { expect, it } from 'vitest';
import { names, pod } from '../../../test/support/objects.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { PODS } from '../../kubernetes/resources.ts';
import { Feed } from '../feed.ts';
import { Valve } from './valve.ts';

const clock = new VirtualClock();

function valveTo(feed: Feed, mayPass = () => true): Valve {
  return new Valve(feed, feed.reported, mayPass, () => undefined);
}

function emptyFeed(): Feed {
  return new Feed({ agentId: '7', namespace: 'shop', resource: PODS }, clock);
}

it('enters what it has held when it is opened, in order', () => {
  const feed = emptyFeed();
  let mayPass = true;
  const valve = valveTo(feed, () => mayPass);
  valve.replace([pod('a', { resourceVersion: 3 })], '5', 'kept');
  expect(feed.synced).toBe(false);
  valve.open();
  mayPass = false;
  valve.upsert(pod('a', { resourceVersion: 6 }));
  valve.remove(pod('a', { resourceVersion: 7 }));
  valve.upsert(pod('b', { resourceVersion: 8 }));
  expect(names(feed.objects())).toEqual(['a@3']);
  valve.open();
  expect(names(feed.objects())).toEqual(['b@8']);
});

it('wakes nobody when it is opened and is open', () => {
  const feed = emptyFeed();
  let woken = 0;
  feed.onStatus(() => (woken += 1));
  const valve = valveTo(feed);
  for (let renewal = 0; renewal < 3; renewal += 1) valve.open();
  expect(woken).toBe(1);
});
