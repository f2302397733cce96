import { expect, it } from 'vitest';
import { Counters } from '../../src/counters.ts';
import { PODS, SERVICES } from '../../src/kubernetes/resources.ts';
import { Bench } from '../support/bench.ts';
import { eventually } from '../support/eventually.ts';

const USERS = 50;
const NAMESPACES = 10;
const ATTACHES = 10_000;

it('asks at most users × feeds × 2 reviews for 10,000 attaches by 50 users to 20 feeds', async () => {
  const counters = new Counters();
  const bench = await Bench.start({ counters, lingerMs: 30_000 });
  try {
    const users = Array.from({ length: USERS }, (_, index) => `user-${index}`);
    for (const user of users) bench.allow(user);
    const feeds = Array.from({ length: NAMESPACES }, (_, index) =>
      [PODS, SERVICES].map((resource) => ({ agentId: '1', namespace: `n-${index}`, resource })),
    ).flat();
    const attach = async (index: number) => {
      const key = feeds[index % feeds.length];
      if (key === undefined) throw new Error('no such feed');
      const attachment = await bench.gate.attach(bench.viewer(users[Math.floor(index / feeds.length) % USERS]), key);
      await attachment.feed.ready();
      attachment.release();
    };
    const started = performance.now();
    for (let done = 0; done < ATTACHES; done += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => attach(done + index)));
    }
    expect(performance.now() - started).toBeLessThan(48_000); // all within the life of one answer
    const reviews = bench.kas.counts({ resource: 'selfsubjectaccessreviews' });
    expect(reviews).toBeLessThanOrEqual(USERS * feeds.length * 2);
    expect(reviews).toBe(counters.value('reviews'));
    expect(bench.kas.counts({ resource: 'selfsubjectreviews' })).toBeLessThanOrEqual(USERS);
    expect(bench.hub.size).toBe(feeds.length);
    const lists = () => bench.counts('list') + bench.counts('list', 'services');
    await eventually('one list for each feed', () => lists() >= feeds.length, 5_000, lists);
    expect(lists()).toBe(feeds.length);
  } finally {
    await bench.close();
  }
}, 60_000);
