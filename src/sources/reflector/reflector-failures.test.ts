import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { pod } from '../../../test/support/objects.ts';
import { bench, started, type Bench } from '../../../test/support/reflector-bench.ts';
import {
  failure,
  page,
  ScriptedUpstream,
  type ListAnswer,
  type ScriptedWatch,
} from '../../../test/support/scripted-upstream.ts';
import { AgentAdmission } from '../admission.ts';
import { Slots } from '../slots.ts';
import type { UpstreamFailure } from '../upstream-error.ts';

/** The rows of the situation table that concern refusals and outages. */
describe('failures', () => {
  it('row 9: 429 on opening keeps the version and waits as long as the server says', async () => {
    const { upstream, clock, feed } = await started([page(5)], { script: [refuse('throttled', 7_000)] });
    expect(feed.latest).toMatchObject({
      state: 'DISCONNECTED',
      error: { code: 'RATE_LIMITED' },
      nextRetryAt: clock.now() + 7_000,
    });
    await clock.advance(6_999);
    expect(upstream.watches).toHaveLength(1);
    await clock.advance(1);
    expect(upstream.story).toEqual(['list limit=500 @0', 'watch 5 @0', 'watch 5 @7000']);
  });

  it('row 9: so does 429 for a list', async () => {
    const { upstream, clock } = await started([failure('throttled', 7_000), page(5)]);
    await clock.advance(7_000);
    expect(upstream.story).toEqual(['list limit=500 @0', 'list limit=500 @7000', 'watch 5 @7000']);
  });

  it('row 9: nobody can push to the front before the pause is over', async () => {
    const { upstream, clock, reflector } = await started([page(5)], { script: [refuse('throttled', 7_000)] });
    await clock.advance(1_000);
    reflector.retryNow();
    reflector.renew();
    await clock.advance(5_999);
    expect(upstream.watches).toHaveLength(1);
    await clock.advance(1);
    expect(upstream.watches).toHaveLength(2);
  });

  it('row 10: 429 inside the stream is the same', async () => {
    const { upstream, clock } = await started([page(5)]);
    upstream.newest.open().bookmark(6);
    upstream.newest.end(failure('throttled', 7_000));
    await clock.advance(6_999);
    expect(upstream.watches).toHaveLength(1);
    await clock.advance(1);
    expect(upstream.steps.at(-1)).toBe('watch 6');
  });

  it.each<UpstreamFailure>(['unreachable', 'agentNotConnected'])(
    'row 11: %s keeps the version and says when it knocks again',
    async (kind) => {
      const { upstream, clock, feed } = await started([page(5)], {
        script: Array.from({ length: 20 }, () => refuse(kind)),
      });
      expect(feed.latest).toMatchObject({ state: 'DISCONNECTED', transport: undefined });
      expect(feed.latest?.nextRetryAt).toBeGreaterThanOrEqual(clock.now());
      await clock.advance(120_000);
      expect(new Set(upstream.steps)).toEqual(new Set(['list limit=500', 'watch 5']));
      expect(upstream.watches.length).toBeGreaterThan(4);
      expect(upstream.watches.length).toBeLessThanOrEqual(21);
      expect(feed.latest?.attempts).toBe(Math.min(20, upstream.watches.length));
    },
  );

  it('row 11: an agent that goes away over and over just after it opened is not hammered', async () => {
    const { upstream, clock } = await started([page(5)], {
      script: Array.from({ length: 2_000 }, () => (watch: ScriptedWatch) => watch.open().end(failure('unreachable'))),
    });
    await clock.advance(60_000);
    expect(upstream.watches.length).toBeLessThan(40);
  });

  it('row 11: while an agent is away, one of its reflectors knocks at a time, and all come back together', async () => {
    const { clock, reflectors, asked } = await many(20, () => [failure('agentNotConnected')]);
    const first = asked().length;
    await clock.advance(5 * 60_000);
    expect(asked().length - first).toBeGreaterThanOrEqual(5 * 2);
    expect(asked().length - first).toBeLessThanOrEqual(5 * 2 * 4);
    for (const { upstream } of reflectors) upstream.lists.splice(0, 1, page(5));
    await clock.advance(32_000);
    for (const { upstream } of reflectors) expect(upstream.watches).toHaveLength(1);
  });

  it('row 11: says truthfully when the next knock is due, also to those who only wait', async () => {
    const { clock, reflectors } = await many(5, () => [failure('agentNotConnected')]);
    for (let minute = 0; minute < 5; minute += 1) {
      await clock.advance(60_000);
      for (const { feed } of reflectors) {
        expect(feed.latest?.state).toBe('DISCONNECTED');
        expect(feed.latest?.nextRetryAt).toBeGreaterThanOrEqual(clock.now());
      }
    }
  });

  it('row 12: 500 in the stream resumes, and the third in a row lists', async () => {
    const { upstream, clock } = await started([page(5), page(9)], {
      script: Array.from({ length: 3 }, () => (watch: ScriptedWatch) => watch.open().end(failure('server'))),
    });
    await clock.advance(30_000);
    expect(upstream.steps).toEqual(['list limit=500', 'watch 5', 'watch 5', 'watch 5', 'list>=5', 'watch 9']);
  });

  it.each<UpstreamFailure>(['gitlabUnauthorized', 'unauthorized'])('row 13: %s tries the next donor', async (kind) => {
    const { upstream, clock } = await started([page(5)]);
    upstream.hasAnother = true;
    upstream.newest.end(failure(kind));
    await clock.advance(0);
    expect(upstream.story).toEqual(['list limit=500 @0', 'watch 5 @0', 'watch 5 @0']);
  });

  it.each<UpstreamFailure>(['gitlabUnauthorized', 'unauthorized', 'forbidden', 'noIdentity'])(
    'rows 13, 14: %s with nobody else to try is final, and looked at again each minute',
    async (kind) => {
      const { upstream, clock, feed } = await started([failure(kind)]);
      expect(feed.latest).toMatchObject({ state: 'DISCONNECTED', final: true, attempts: 1 });
      expect(feed.latest?.error).toBeInstanceOf(Error);
      expect(feed.failure).toBe(feed.latest?.error);
      await clock.advance(10 * 60_000);
      const times = upstream.asked.map(({ at }) => at);
      expect(times.length).toBeGreaterThanOrEqual(10);
      for (const [index, at] of times.entries()) {
        if (index === 0) continue;
        const gap = at - (times[index - 1] ?? 0);
        expect(gap).toBeGreaterThanOrEqual(54_000);
        expect(gap).toBeLessThanOrEqual(66_000);
      }
    },
  );

  it('row 14: comes back when the right does', async () => {
    const { upstream, clock, feed } = await started([failure('forbidden'), page(5, [pod('a')])]);
    await clock.advance(66_000);
    upstream.newest.open();
    expect(feed.latest).toMatchObject({ state: 'CONNECTED', final: false, attempts: 0, error: undefined });
    expect(feed.contents).toEqual(['a@1']);
  });

  it('row 14: comes back at once when somebody arrives who may', async () => {
    const { upstream, clock, reflector } = await started([failure('forbidden'), page(5)]);
    await clock.advance(10);
    reflector.renew();
    await clock.advance(0);
    expect(upstream.story).toEqual(['list limit=500 @0', 'list limit=500 @10', 'watch 5 @10']);
  });

  it('row 15: a resource that is not there is final, and looked for every five minutes', async () => {
    const { upstream, clock, feed } = await started([failure('notFound')]);
    expect(feed.latest).toMatchObject({ state: 'DISCONNECTED', final: true, error: { code: 'NOT_FOUND' } });
    await clock.advance(30 * 60_000);
    expect(upstream.asked.length).toBeGreaterThanOrEqual(6);
    expect(upstream.asked.length).toBeLessThanOrEqual(7);
  });

  it('row 22: waits longer with each failure, never more than 30 s, and begins anew after calm', async () => {
    const { upstream, clock } = await started([failure('server')]);
    await clock.advance(20 * 60_000);
    const gaps = upstream.asked.slice(1).map(({ at }, index) => at - (upstream.asked[index]?.at ?? 0));
    for (const [index, gap] of gaps.entries()) expect(gap).toBeLessThanOrEqual(Math.min(30_000, 800 * 2 ** index));
    expect(Math.max(...gaps)).toBeGreaterThan(15_000);
    upstream.lists.splice(0, upstream.lists.length, page(5));
    await clock.advance(30_000);
    for (let quiet = 0; quiet < 121; quiet += 60) {
      upstream.newest.open().bookmark(6);
      await clock.advance(60_000);
    }
    const { length } = upstream.asked;
    upstream.newest.end(failure('server'));
    await clock.advance(800);
    expect(upstream.asked).toHaveLength(length + 1);
  });

  it('row 23: streams of a hundred reflectors that are cut at once come back paced, and all of them', async () => {
    const { clock, reflectors, asked } = await many(100, () => [page(5)]);
    await clock.advance(10_000);
    for (const { upstream } of reflectors) upstream.newest.open();
    await clock.advance(10_000);
    const before = asked().length;
    const cutAt = clock.monotonic();
    for (const { upstream } of reflectors) upstream.newest.end(failure('torn'));
    await clock.advance(10_000);
    const times = asked()
      .slice(before)
      .map(({ at }) => at - cutAt);
    expect(times).toHaveLength(100);
    expect(inWindow(times, 1_000)).toBeLessThanOrEqual(41);
    expect(Math.max(...times)).toBeLessThan(6_000);
  });

  it('row 23: asks for streams of different lengths', async () => {
    const { reflectors, clock } = await many(60, () => [page(5)]);
    await clock.advance(10_000);
    const seconds = reflectors.map(({ upstream }) => upstream.newest.request.timeoutSeconds);
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(240);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(290);
    expect(new Set(seconds).size).toBeGreaterThan(20);
  });

  it('row 23: no more than five lists of an agent run at once', async () => {
    const { reflectors, asked, clock } = await many(12, () => ['never'], 1);
    await clock.advance(5_000);
    expect(asked()).toHaveLength(5);
    reflectors[0]?.reflector.stop();
    await clock.advance(0);
    expect(asked()).toHaveLength(6);
  });
});

const refuse = (kind: UpstreamFailure, retryAfterMs?: number) => (watch: ScriptedWatch) =>
  watch.end(failure(kind, retryAfterMs));

async function many(count: number, lists: () => readonly ListAnswer[], seed = 1) {
  const clock = new VirtualClock(seed);
  const admission = new AgentAdmission(clock);
  const listSlots = new Slots(5);
  const reflectors: Bench<ScriptedUpstream>[] = Array.from({ length: count }, () =>
    bench(() => new ScriptedUpstream(clock, ...lists()), { clock, admission, listSlots }),
  );
  for (const { reflector } of reflectors) reflector.start();
  await clock.advance(0);
  const asked = () => reflectors.flatMap(({ upstream }) => upstream.asked).toSorted((a, b) => a.at - b.at);
  return { clock, reflectors, asked };
}

/** The most of `times` that lie within any window this long. */
function inWindow(times: readonly number[], window: number): number {
  return Math.max(...times.map((start) => times.filter((at) => at >= start && at < start + window).length));
}
