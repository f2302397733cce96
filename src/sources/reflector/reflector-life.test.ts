import { describe, expect, it } from 'vitest';
import { pod } from '../../../test/support/objects.ts';
import { bench, started } from '../../../test/support/reflector-bench.ts';
import { added, deleted, failure, page, ScriptedUpstream } from '../../../test/support/scripted-upstream.ts';
import type { Sink } from '../sink.ts';

describe('stop', () => {
  const moments: Record<string, () => Promise<Awaited<ReturnType<typeof started>>>> = {
    'before anything was answered': () => started(['never']),
    'while a watch is being opened': () => started([page(5)]),
    'while connected': async () => {
      const made = await started([page(5)]);
      made.upstream.newest.open();
      return made;
    },
    'while a stream is doubted': async () => {
      const made = await started([page(5)]);
      made.upstream.newest.open();
      await made.clock.advance(125_000);
      return made;
    },
    'while a renewal is under way': async () => {
      const made = await started([page(5)]);
      made.upstream.newest.open();
      made.reflector.renew();
      return made;
    },
    'while waiting to try again': () => started([failure('server')]),
    'while waiting as long as the server said': () => started([failure('throttled', 3_600_000)]),
    'while the agent is away': () => started([failure('agentNotConnected', 3_600_000)]),
    'while refused': () => started([failure('forbidden')]),
    'in the same turn as an event': async () => {
      const made = await started([page(5)]);
      made.upstream.newest.open().event(added(pod('a', { resourceVersion: 7 })));
      return made;
    },
    'in the same turn as an end': async () => {
      const made = await started([page(5)]);
      made.upstream.newest.open().end(failure('torn'));
      return made;
    },
  };

  it.each(Object.entries(moments))('%s leaves no timer, no stream and a silent sink', async (_, reach) => {
    const { reflector, upstream, feed, clock } = await reach();
    reflector.stop();
    const { calls } = feed;
    await clock.advance(0);
    expect(clock.pending).toBe(0);
    expect(upstream.live).toHaveLength(0);
    await clock.advance(3_600_000);
    reflector.renew();
    reflector.retryNow();
    await clock.advance(3_600_000);
    expect(feed.calls).toBe(calls);
    expect(upstream.live).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });

  it('in the turn in which a list is answered: the sink is not called', async () => {
    const made = bench((clock) => new ScriptedUpstream(clock, page(5, [pod('a')])));
    const { upstream, reflector, feed, clock } = made;
    const list = upstream.list.bind(upstream);
    upstream.list = async (...args) => {
      const answer = await list(...args);
      reflector.stop();
      return answer;
    };
    reflector.start();
    await clock.advance(1_000);
    expect(feed.calls).toBe(0);
    expect(feed.synced).toBe(false);
  });

  it('by the sink, in the middle of a call, opens nothing more, and tells it nothing more', async () => {
    for (const call of ['report', 'replace', 'upsert'] as const) {
      const { reflector, upstream, feed, clock } = bench((clock) => new ScriptedUpstream(clock, page(5)));
      let lastCall: number | undefined;
      feed.disturb = (name) => {
        if (name !== call) return;
        reflector.stop();
        lastCall ??= feed.calls;
      };
      reflector.start();
      await clock.advance(0);
      if (upstream.watches.length > 0) upstream.newest.open().event(added(pod('a')));
      await clock.advance(3_600_000);
      expect(feed.calls).toBe(lastCall);
      expect(upstream.live).toHaveLength(0);
      expect(clock.pending).toBe(0);
    }
  });

  it('by the sink that hears of a doubt opens no second stream', async () => {
    const { reflector, upstream, feed, clock } = await started([page(5)]);
    upstream.newest.open();
    feed.disturb = (name) => {
      if (name === 'report') reflector.stop();
    };
    await clock.advance(125_000);
    expect(upstream.watches).toHaveLength(1);
    expect(upstream.live).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });
});

describe('retryNow', () => {
  it('cuts a wait short', async () => {
    const { reflector, upstream, clock, feed } = await started([failure('server')]);
    await clock.advance(60_000);
    for (let round = 0; round < 5; round += 1) {
      const before = upstream.asked.length;
      expect(feed.latest?.nextRetryAt).toBeGreaterThan(clock.now());
      reflector.retryNow();
      await clock.advance(0);
      expect(upstream.asked).toHaveLength(before + 1);
    }
  });

  it('knocks at once at an agent that is away', async () => {
    const { reflector, upstream, clock } = await started([failure('agentNotConnected')]);
    for (const round of [1, 2, 3]) {
      reflector.retryNow();
      await clock.advance(0);
      expect(upstream.asked).toHaveLength(round + 1);
    }
  });

  it('looks again at what was refused', async () => {
    const { reflector, upstream, clock, feed } = await started([failure('forbidden'), page(5)]);
    reflector.retryNow();
    await clock.advance(0);
    upstream.newest.open();
    expect(feed.latest?.state).toBe('CONNECTED');
  });

  it('changes nothing while connected', async () => {
    const { reflector, upstream, clock } = await started([page(5)]);
    upstream.newest.open();
    reflector.retryNow();
    await clock.advance(1_000);
    expect(upstream.steps).toEqual(['list limit=500', 'watch 5']);
  });
});

describe('donors who are refused', () => {
  it('are tried one after the other, each once', async () => {
    let left = 6;
    const { upstream, clock, feed, reflector } = bench((clock) => new ScriptedUpstream(clock, failure('forbidden')));
    upstream.hasAnotherIdentity = () => {
      left -= 1;
      return left > 0;
    };
    reflector.start();
    await clock.advance(1_000);
    expect(upstream.asked).toHaveLength(6);
    expect(feed.latest).toMatchObject({ final: true, state: 'DISCONNECTED' });
  });
});

describe('a sink that throws', () => {
  it.each<keyof Sink>(['replace', 'upsert', 'remove', 'report'])('in %s is reported, and healed', async (call) => {
    const { upstream, clock, feed, defects, reflector } = bench(
      (clock) => new ScriptedUpstream(clock, page(5, [pod('a', { resourceVersion: 4 })])),
    );
    let broken = true;
    feed.disturb = (name) => {
      if (name === call && broken) throw new Error(`defect in ${call}`);
    };
    reflector.start();
    await clock.advance(0);
    if (upstream.watches.length > 0) {
      upstream.newest.open().event(added(pod('b', { resourceVersion: 6 })), deleted(pod('a', { resourceVersion: 7 })));
    }
    await clock.advance(0);
    expect(defects.length).toBeGreaterThan(0);
    expect(defects[0]).toEqual(new Error(`defect in ${call}`));
    expect(upstream.live.length).toBeLessThanOrEqual(1);
    const isConnected = feed.latest?.state === 'CONNECTED';
    expect(isConnected && upstream.live.length === 0).toBe(false);
    broken = false;
    upstream.lists.splice(0, 1, page(9, [pod('c')]));
    if (upstream.live.length > 0) upstream.newest.end(failure('expired'));
    await clock.advance(60_000);
    upstream.newest.open();
    expect(feed.contents).toEqual(['c@1']);
    expect(feed.latest?.state).toBe('CONNECTED');
  });

  it('again and again does not make the reflector spin', async () => {
    const { upstream, clock, feed, defects } = await started([page(5)]);
    feed.disturb = (name) => {
      if (name === 'replace') throw new Error('defect');
    };
    upstream.newest.end(failure('expired'));
    await clock.advance(60_000);
    expect(defects.length).toBeGreaterThan(2);
    expect(upstream.asked.length).toBeLessThan(40);
  });
});

describe('an upstream that throws', () => {
  it('when a watch is opened is reported, and tried again later', async () => {
    const { upstream, clock, defects, reflector } = bench((clock) => new ScriptedUpstream(clock, page(5)));
    const watch = upstream.watch.bind(upstream);
    let broken = true;
    upstream.watch = (...args) => {
      if (broken) throw new Error('defect');
      return watch(...args);
    };
    reflector.start();
    await clock.advance(0);
    expect(defects).toEqual([new Error('defect')]);
    broken = false;
    await clock.advance(30_000);
    expect(upstream.live).toHaveLength(1);
    reflector.stop();
    await clock.advance(0);
    expect(clock.pending).toBe(0);
  });
});
