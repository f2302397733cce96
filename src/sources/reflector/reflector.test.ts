import { describe, expect, it } from 'vitest';
import { pod } from '../../../test/support/objects.ts';
import { started } from '../../../test/support/reflector-bench.ts';
import { added, failure, modified, page, type ScriptedWatch } from '../../../test/support/scripted-upstream.ts';

/** The rows of the situation table, each in the tests named after it: what a list or a watch is followed by. */
describe('what follows what', () => {
  it('row 1: lists a new collection in its most recent state, in pages of 500, and watches from that', async () => {
    const { upstream, feed } = await started([page(5, [pod('a')], 'more'), page(5, [pod('b')])]);
    expect(upstream.steps).toEqual(['list limit=500', 'list limit=500 continue=more', 'watch 5']);
    expect(feed.contents).toEqual(['a@1', 'b@1']);
    expect(feed.latest?.state).toBe('CONNECTING');
    upstream.newest.open();
    expect(feed.latest).toMatchObject({ state: 'CONNECTED', transport: 'HTTP_STREAM', attempts: 0, error: undefined });
  });

  it('row 1: goes on from a known version without a list', async () => {
    const { upstream } = await started([page(5)], { resourceVersion: '42' });
    expect(upstream.steps).toEqual(['watch 42']);
  });

  it('row 1: asks for at least the known version when it must list after all', async () => {
    const { upstream } = await started([page(50)], {
      resourceVersion: '42',
      script: [(watch) => watch.end(failure('expired'))],
    });
    expect(upstream.steps).toEqual(['watch 42', 'list>=42', 'watch 50']);
  });

  it('row 1: an empty collection is an answer', async () => {
    const { upstream, feed } = await started([page(5)]);
    expect(feed.synced).toBe(true);
    expect(feed.size).toBe(0);
    expect(feed.latest?.state).toBe('CONNECTING'); // nobody has accepted the watch yet
    upstream.newest.open();
    expect(feed.latest?.state).toBe('CONNECTED');
  });

  it('row 2: resumes at once after a clean end, from the last version seen', async () => {
    const { upstream, clock, feed } = await started([page(5)]);
    upstream.newest.open().event(added(pod('a', { resourceVersion: 8 })));
    await clock.advance(6_000);
    upstream.newest.end();
    await clock.advance(0);
    expect(feed.latest?.state).toBe('CONNECTING');
    expect(upstream.story).toEqual(['list limit=500 @0', 'watch 5 @0', 'watch 8 @6000']);
  });

  it('row 2: waits a little when the stream was short', async () => {
    const { upstream, clock } = await started([page(5)]);
    upstream.newest.open().bookmark(6);
    upstream.newest.end();
    await clock.advance(0);
    expect(upstream.watches).toHaveLength(1);
    await clock.advance(800);
    expect(upstream.steps).toEqual(['list limit=500', 'watch 5', 'watch 6']);
  });

  it('row 3: empty closes are answered with patience first, and with a consistent list when they repeat', async () => {
    const { upstream, clock } = await started([page(5), page(9)], { script: [openAndEnd] });
    expect(upstream.steps).toEqual(['list limit=500', 'watch 5']);
    upstream.script.push(openAndEnd);
    await clock.advance(800);
    expect(upstream.steps).toEqual(['list limit=500', 'watch 5', 'watch 5', 'list limit=500', 'watch 9']);
  });

  it('row 3: never spins on empty closes', async () => {
    const { upstream, clock } = await started([page(5)], { script: Array.from({ length: 1_000 }, () => openAndEnd) });
    await clock.advance(60_000);
    expect(upstream.asked.length).toBeLessThan(60);
  });

  it('row 4: resumes a little later after a cut, from the last version seen', async () => {
    const { upstream, clock, feed } = await started([page(5, [pod('a')])]);
    upstream.newest.open().event(modified(pod('a', { resourceVersion: 7 })));
    await clock.advance(10_000);
    upstream.newest.end(failure('torn'));
    await clock.advance(0);
    expect(feed.latest).toMatchObject({ state: 'DISCONNECTED', attempts: 1, error: { code: 'AGENT_UNREACHABLE' } });
    await clock.advance(250);
    expect(upstream.steps.at(-1)).toBe('watch 7');
    expect(upstream.asked.at(-1)?.at).toBeLessThanOrEqual(10_250);
    upstream.newest.open();
    expect(feed.latest).toMatchObject({ state: 'CONNECTED', attempts: 0, error: undefined });
    expect(feed.contents).toEqual(['a@7']);
  });

  it('row 5: after an undecodable event resumes once, and lists anew when it comes again', async () => {
    const { upstream, clock, steps } = await started([page(5), page(9)], { script: [openAndGarble, openAndGarble] });
    await clock.advance(800);
    expect(upstream.steps).toEqual(['list limit=500', 'watch 5', 'watch 5', 'list limit=500', 'watch 9']);
    expect(steps.map(({ why }) => why)).toContain('undecodable event, again');
  });

  it('row 5: a document that takes long to turn out undecodable is the same trouble', async () => {
    const { upstream, clock } = await started([page(5), page(9)]);
    for (const expected of ['watch 5', 'list limit=500']) {
      upstream.newest.open();
      await clock.advance(16_000);
      upstream.newest.end(failure('malformed'));
      await clock.advance(800);
      expect(upstream.steps.at(expected === 'watch 5' ? -1 : -2)).toBe(expected);
    }
  });

  it('row 5: a repeat in front of it does not make it another trouble', async () => {
    const { upstream, clock } = await started([page(5, [pod('a', { resourceVersion: 5 })]), page(9)]);
    for (const expected of ['watch 5', 'list limit=500']) {
      upstream.newest.open().event(added(pod('a', { resourceVersion: 5 })));
      upstream.newest.end(failure('malformed'));
      await clock.advance(800);
      expect(upstream.steps.at(expected === 'watch 5' ? -1 : -2)).toBe(expected);
    }
  });

  it('row 5: two undecodable events with progress between them are two troubles', async () => {
    const { upstream, clock } = await started([page(5)]);
    for (const version of [6, 7, 8, 9]) {
      upstream.newest.open().bookmark(version);
      upstream.newest.end(failure('malformed'));
      await clock.advance(30_000);
    }
    expect(upstream.steps).toEqual(['list limit=500', 'watch 5', 'watch 6', 'watch 7', 'watch 8', 'watch 9']);
  });

  it.each([
    ['row 6', 'in the stream', (watch: ScriptedWatch) => watch.open().end(failure('expired'))],
    ['row 7', 'on opening', (watch: ScriptedWatch) => watch.end(failure('expired'))],
  ])('%s: 410 %s leads to a list at least as new, and then to a difference', async (_, __, expire) => {
    const { upstream, clock, feed } = await started([page(5, [pod('a'), pod('b')]), page(9, [pod('b'), pod('c')])]);
    const { epoch } = feed.revision;
    const before = feed.revision;
    expire(upstream.newest);
    await clock.advance(0);
    expect(upstream.story.slice(2)).toEqual(['list>=5 @0', 'watch 9 @0']);
    expect(feed.revision.epoch).toBe(epoch);
    expect(feed.since(before)).toMatchObject({ removed: ['uid-a'], upserted: [pod('c')] });
    expect(feed.reports.map(({ state }) => state)).not.toContain('DISCONNECTED');
  });

  it('rows 6, 7: 410 again leads to the most recent state', async () => {
    const { upstream, clock } = await started([page(5), page(9), page(12)], {
      script: [(watch) => watch.end(failure('expired')), (watch) => watch.open().end(failure('expired'))],
    });
    await clock.advance(800);
    expect(upstream.steps).toEqual(['list limit=500', 'watch 5', 'list>=5', 'watch 9', 'list limit=500', 'watch 12']);
  });

  it('rows 6, 7: so does a list that is refused as expired', async () => {
    const { upstream } = await started([page(5), failure('expired'), page(12)], {
      script: [(watch) => watch.end(failure('expired'))],
    });
    expect(upstream.steps).toEqual(['list limit=500', 'watch 5', 'list>=5', 'list limit=500', 'watch 12']);
  });

  it('row 8: a server that is behind is given three tries, each after the pause that it asks for', async () => {
    const behind = failure('tooLarge', 1_000);
    const { upstream, clock } = await started([page(5), behind, behind, behind, behind, page(6)], {
      script: [(watch) => watch.end(failure('expired'))],
    });
    await clock.advance(30_000);
    const lists = upstream.asked.filter(({ kind }) => kind === 'list');
    expect(upstream.steps.slice(2)).toEqual(['list>=5', 'list>=5', 'list>=5', 'list>=5', 'list limit=500', 'watch 6']);
    for (const index of [2, 3, 4]) expect(at(lists[index]) - at(lists[index - 1])).toBeGreaterThanOrEqual(1_000);
  });

  it('row 8: a most recent state that is older than what is known starts a new epoch', async () => {
    const { upstream, clock, feed } = await started(
      [page(500, [pod('a', { resourceVersion: 480 })]), ...Array(4).fill(failure('tooLarge')), page(90, [pod('z')])],
      { script: [(watch) => watch.end(failure('expired'))] },
    );
    const { epoch } = feed.revision;
    await clock.advance(60_000);
    expect(upstream.steps.at(-1)).toBe('watch 90');
    expect(feed.revision.epoch).not.toBe(epoch);
    expect(feed.contents).toEqual(['z@1']);
    upstream.newest.open().event(added(pod('a', { resourceVersion: 91 })));
    expect(feed.contents).toEqual(['a@91', 'z@1']);
  });

  it('row 8: a list that is older than was asked for is no proof of a new history', async () => {
    const { upstream, clock, feed } = await started([page(500, [pod('a')]), page(90), page(501, [pod('b')])], {
      script: [(watch) => watch.end(failure('expired'))],
    });
    const { epoch } = feed.revision;
    await clock.advance(800);
    expect(upstream.steps.slice(2)).toEqual(['list>=500', 'list>=500', 'watch 501']);
    expect(feed.revision.epoch).toBe(epoch);
    expect(feed.contents).toEqual(['b@1']);
  });

  it('row 8: a watch that is ahead of the server keeps its version, and lists when that does not help', async () => {
    const { upstream, clock } = await started([page(5), page(7)], {
      script: Array.from({ length: 4 }, () => (watch: ScriptedWatch) => watch.end(failure('tooLarge', 1_000))),
    });
    await clock.advance(30_000);
    expect(upstream.steps).toEqual([
      'list limit=500',
      'watch 5',
      'watch 5',
      'watch 5',
      'watch 5',
      'list limit=500',
      'watch 7',
    ]);
  });
});

const openAndEnd = (watch: ScriptedWatch) => watch.open().end();
const openAndGarble = (watch: ScriptedWatch) => watch.open().end(failure('malformed'));

function at(asked: { readonly at: number } | undefined): number {
  return asked?.at ?? Number.NaN;
}
