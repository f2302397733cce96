import { describe, expect, it } from 'vitest';
import { pod } from '../../../test/support/objects.ts';
import { started } from '../../../test/support/reflector-bench.ts';
import { added, deleted, failure, modified, page } from '../../../test/support/scripted-upstream.ts';

/** The rows of the situation table that concern what is made of what was listed and watched. */
describe('what is kept', () => {
  it('row 17: a bookmark moves the version on and proves freshness, and nobody is told', async () => {
    const { upstream, clock, feed } = await started([page(5)]);
    upstream.newest.open();
    const { revision, reports } = feed;
    const told = reports.length;
    await clock.advance(60_000);
    upstream.newest.bookmark(77);
    expect(feed.revision).toEqual(revision);
    expect(reports).toHaveLength(told);
    expect(feed.freshAsOf).toBe(clock.now());
    upstream.newest.end();
    await clock.advance(0);
    expect(upstream.steps.at(-1)).toBe('watch 77');
  });

  it('row 18: a page that expired means page 1 again, and the third time no pages', async () => {
    const lost = failure('expired');
    const first = page(5, [pod('a')], 'more');
    const { upstream, feed } = await started([first, lost, first, lost, first, lost, page(8, [pod('b')])]);
    const twoPages = ['list limit=500', 'list limit=500 continue=more'];
    expect(upstream.steps).toEqual([...twoPages, ...twoPages, ...twoPages, 'list', 'watch 8']);
    expect(feed.contents).toEqual(['b@1']);
  });

  it('row 18: nothing of a list that failed half-way is kept', async () => {
    const { feed } = await started([page(5, [pod('a')], 'more'), failure('server'), 'never']);
    expect(feed.synced).toBe(false);
    expect(feed.size).toBe(0);
  });

  it('row 18: pages of different states are no list', async () => {
    const { upstream, clock, feed } = await started([page(5, [pod('a')], 'more'), page(6, [pod('b')]), page(7)]);
    await clock.advance(800);
    expect(upstream.steps.at(-1)).toBe('watch 7');
    expect(feed.contents).toEqual([]);
  });

  it('row 18: pages that are too large to keep are made smaller', async () => {
    const { upstream } = await started([failure('pageTooLarge'), failure('pageTooLarge'), page(5)]);
    expect(upstream.steps).toEqual(['list limit=500', 'list limit=125', 'list limit=31', 'watch 5']);
  });

  it('row 18: so is a list in one piece', async () => {
    const { upstream, clock } = await started([page(5), failure('pageTooLarge'), page(6)]);
    upstream.newest.end(failure('expired'));
    await clock.advance(0);
    expect(upstream.steps.slice(2)).toEqual(['list>=5', 'list limit=500', 'watch 6']);
  });

  it('row 19: what vanished in a gap is removed, also when its name was taken by another', async () => {
    const { upstream, clock, feed } = await started([
      page(5, [pod('web-0', { uid: 'old', resourceVersion: 3 })]),
      page(9, [pod('web-0', { uid: 'new', resourceVersion: 8 })]),
    ]);
    const before = feed.revision;
    upstream.newest.end(failure('expired'));
    await clock.advance(0);
    expect(feed.since(before)).toMatchObject({ removed: ['old'], upserted: [{ metadata: { uid: 'new' } }] });
    expect(feed.find('shop', 'web-0')?.metadata.uid).toBe('new');
  });

  it('row 20: repeats and older versions are dropped; what cannot be compared is applied', async () => {
    const { upstream, feed } = await started([page(5)]);
    const watch = upstream.newest.open();
    watch.event(added(pod('a', { resourceVersion: 10 })), modified(pod('a', { resourceVersion: 12 })));
    watch.event(added(pod('a', { resourceVersion: 10 })), modified(pod('a', { resourceVersion: 12 })));
    expect(feed.contents).toEqual(['a@12']);
    expect(feed.revision.offset).toBe(2);
    watch.event(modified(pod('a', { resourceVersion: 'opaque' })));
    expect(feed.contents).toEqual(['a@opaque']);
  });

  it('row 20: a repeat does not take the watch back to where it came from', async () => {
    const { upstream, clock } = await started([page(9)]);
    upstream.newest.open().event(added(pod('a', { resourceVersion: 12 })), added(pod('b', { resourceVersion: 11 })));
    await clock.advance(6_000);
    upstream.newest.end();
    await clock.advance(0);
    expect(upstream.steps.at(-1)).toBe('watch 12');
  });

  it('row 21: the removal of something unknown is dropped', async () => {
    const { upstream, feed } = await started([page(5)]);
    const before = feed.revision;
    upstream.newest.open().event(deleted(pod('ghost', { resourceVersion: 9 })));
    expect(feed.revision).toEqual(before);
  });

  it('row 21: what was removed does not come back with a late repeat', async () => {
    const { upstream, feed } = await started([page(5, [pod('a', { resourceVersion: 4 })])]);
    const watch = upstream.newest.open().event(deleted(pod('a', { resourceVersion: 9 })));
    watch.event(modified(pod('a', { resourceVersion: 8 })));
    expect(feed.contents).toEqual([]);
  });

  it('row 24: takes a flood in at the speed of the stream, and readers are told once', async () => {
    const { upstream, clock, feed } = await started([page(5)]);
    let told = 0;
    feed.onChange(() => (told += 1));
    const watch = upstream.newest.open();
    for (let version = 6; version < 10_006; version += 1) {
      watch.event(modified(pod(`p${version % 50}`, { resourceVersion: version })));
    }
    expect(feed.size).toBe(50);
    await clock.advance(0);
    expect(told).toBe(1);
  });
});
