import { describe, expect, it } from 'vitest';
import { pod } from '../../../test/support/objects.ts';
import { started, type Bench } from '../../../test/support/reflector-bench.ts';
import { added, failure, modified, page, type ScriptedUpstream } from '../../../test/support/scripted-upstream.ts';

const SILENCE = 124_000;
const SILENCE_AT_MOST = 127_000;

describe('a stream that falls silent', () => {
  it('row 16: is doubted after two minutes, and another is opened beside it', async () => {
    const { upstream, clock, feed } = await connected();
    await clock.advance(SILENCE - 1);
    expect(upstream.watches).toHaveLength(1);
    await clock.advance(5_001);
    expect(upstream.live).toHaveLength(2);
    expect(feed.latest?.state).toBe('CONNECTING');
  });

  it('row 16: is replaced when the other one opens', async () => {
    const { upstream, clock, feed } = await connected();
    const [first] = upstream.watches;
    await clock.advance(SILENCE_AT_MOST);
    upstream.newest.open();
    expect(first?.state).toBe('closed');
    expect(upstream.live).toHaveLength(1);
    expect(feed.latest?.state).toBe('CONNECTED');
  });

  it('row 16: loses nothing and doubles nothing', async () => {
    const { upstream, clock, feed } = await connected();
    upstream.newest.event(added(pod('a', { resourceVersion: 7 })));
    await clock.advance(SILENCE_AT_MOST);
    expect(upstream.newest.request.resourceVersion).toBe('7');
    upstream.newest.open().event(added(pod('a', { resourceVersion: 7 })), added(pod('b', { resourceVersion: 8 })));
    expect(feed.contents).toEqual(['a@7', 'b@8']);
    expect(feed.revision.offset).toBe(2);
  });

  it('row 16: that speaks after all is believed again, and the other one is dismissed', async () => {
    const { upstream, clock, feed } = await connected();
    const first = upstream.newest;
    await clock.advance(SILENCE_AT_MOST);
    const hedge = upstream.newest;
    first.bookmark(9);
    expect(hedge.state).toBe('closed');
    expect(first.state).toBe('open');
    expect(feed.latest?.state).toBe('CONNECTED');
    await clock.advance(SILENCE_AT_MOST);
    expect(upstream.newest).not.toBe(hedge);
    expect(upstream.newest.request.resourceVersion).toBe('9');
  });

  it('row 16: whose replacement is refused has ended', async () => {
    const { upstream, clock, feed } = await connected();
    await clock.advance(SILENCE_AT_MOST);
    upstream.newest.end(failure('forbidden'));
    await clock.advance(0);
    expect(upstream.live).toHaveLength(0);
    expect(feed.latest).toMatchObject({ state: 'DISCONNECTED', final: true });
  });

  it('row 16: whose replacement stays silent as well is not trusted: what there is, is listed', async () => {
    const { upstream, clock, feed } = await connected();
    await clock.advance(SILENCE_AT_MOST);
    upstream.newest.open();
    await clock.advance(SILENCE_AT_MOST);
    expect(upstream.steps).toEqual(['list limit=500', 'watch 5', 'watch 5', 'list>=5', 'watch 5']);
    expect(upstream.live).toHaveLength(1);
    expect(feed.latest?.state).toBe('CONNECTING');
  });

  it('row 16: finds out that the history was rewritten, though the server accepts a version from its future', async () => {
    const { upstream, clock, feed } = await connected();
    const { epoch } = feed.revision;
    upstream.newest.bookmark(500);
    upstream.lists.splice(0, 1, ...Array(4).fill(failure('tooLarge', 1_000)), page(90, [pod('z')]));
    await clock.advance(SILENCE_AT_MOST);
    upstream.newest.open();
    await clock.advance(SILENCE_AT_MOST + 60_000);
    expect(upstream.steps.at(-1)).toBe('watch 90');
    expect(feed.revision.epoch).not.toBe(epoch);
    expect(feed.contents).toEqual(['z@1']);
  });

  it('row 16: is closed ten seconds after its time, and resumed', async () => {
    const { upstream, clock } = await connected();
    const first = upstream.newest;
    const mostMs = first.request.timeoutSeconds * 1_000 + 10_000;
    for (let at = 60_000; at < mostMs; at += 60_000) {
      await clock.advance(60_000);
      first.bookmark(at);
    }
    await clock.advance((mostMs % 60_000) + 1_000);
    expect(first.state).toBe('closed');
    expect(upstream.watches).toHaveLength(2);
  });

  it('row 16: an opening may take two minutes, and no longer', async () => {
    const { upstream, clock, feed } = await started([page(5)]);
    await clock.advance(119_999);
    expect(upstream.live).toHaveLength(1);
    expect(feed.latest?.state).toBe('CONNECTING');
    await clock.advance(1);
    expect(upstream.newest.state).toBe('closed');
    expect(feed.latest).toMatchObject({ state: 'DISCONNECTED', error: { code: 'UPSTREAM_TIMEOUT' } });
    await clock.advance(800);
    expect(upstream.watches).toHaveLength(2);
  });
});

describe('renewal', () => {
  it('opens the new stream before it closes the old one', async () => {
    const { upstream, reflector, feed } = await connected();
    const [first] = upstream.watches;
    reflector.renew();
    expect(upstream.live).toHaveLength(2);
    expect(feed.latest?.state).toBe('CONNECTED');
    upstream.newest.open();
    expect(first?.state).toBe('closed');
    expect(feed.latest?.state).toBe('CONNECTED');
  });

  it('goes on reading the old stream meanwhile, and keeps the new one coming', async () => {
    const { upstream, reflector, feed } = await connected();
    const first = upstream.newest;
    reflector.renew();
    first.event(added(pod('a', { resourceVersion: 7 })));
    upstream.newest.open().event(added(pod('a', { resourceVersion: 7 })), modified(pod('a', { resourceVersion: 8 })));
    expect(upstream.live).toHaveLength(1);
    expect(feed.contents).toEqual(['a@8']);
  });

  it('that fails leaves the old stream as it is', async () => {
    const { upstream, reflector, feed, clock } = await connected();
    const first = upstream.newest;
    reflector.renew();
    upstream.newest.end(failure('server'));
    await clock.advance(0);
    expect(upstream.live).toEqual([first]);
    expect(feed.latest?.state).toBe('CONNECTED');
  });

  it('that failed is tried again, not before the server wants it, not even when the old stream ends', async () => {
    const { upstream, reflector, clock } = await connected();
    reflector.renew();
    upstream.newest.end(failure('throttled', 30_000));
    reflector.renew();
    await clock.advance(29_999);
    expect(upstream.watches).toHaveLength(2);
    await clock.advance(1);
    expect(upstream.watches).toHaveLength(3);
    upstream.newest.end(failure('throttled', 30_000));
    await clock.advance(10_000);
    upstream.watches[0]?.end();
    await clock.advance(19_999);
    expect(upstream.watches).toHaveLength(3);
    await clock.advance(1);
    expect(upstream.watches).toHaveLength(4);
  });

  it('that is refused tries the next donor, and with none left keeps the old stream', async () => {
    const { upstream, reflector, clock } = await connected();
    const first = upstream.newest;
    upstream.hasAnother = true;
    reflector.renew();
    upstream.newest.end(failure('forbidden'));
    await clock.advance(0);
    expect(upstream.watches).toHaveLength(3);
    upstream.hasAnother = false;
    upstream.newest.end(failure('forbidden'));
    await clock.advance(0);
    expect(upstream.live).toEqual([first]);
    expect(upstream.watches).toHaveLength(3);
  });

  it('says that it is not connected while the old stream is gone and the new one not there', async () => {
    const { upstream, reflector, feed } = await connected();
    const [first] = upstream.watches;
    reflector.renew();
    first?.end();
    expect(feed.latest?.state).toBe('CONNECTING');
    upstream.newest.open();
    expect(feed.latest?.state).toBe('CONNECTED');
    expect(upstream.watches).toHaveLength(2);
  });

  it('is not forgotten when the old stream is doubted meanwhile and then speaks', async () => {
    const { upstream, reflector, clock } = await connected();
    const first = upstream.newest;
    await clock.advance(SILENCE - 1_000);
    reflector.renew();
    const renewal = upstream.newest;
    await clock.advance(10_000);
    first.bookmark(9);
    expect(renewal.state).toBe('asked');
    renewal.open();
    expect(first.state).toBe('closed');
  });

  it('asked for once more takes the donor of now, not of before', async () => {
    const { upstream, reflector } = await connected();
    reflector.renew();
    const before = upstream.newest;
    reflector.renew();
    expect(before.state).toBe('closed');
    expect(upstream.live).toHaveLength(2);
  });

  it('asked for while the stream is doubted is done, whatever becomes of the doubt', async () => {
    const { upstream, reflector, clock } = await connected();
    const first = upstream.newest;
    await clock.advance(SILENCE_AT_MOST);
    reflector.renew();
    first.bookmark(9);
    expect(upstream.live).toHaveLength(2);
    upstream.newest.open();
    expect(upstream.live).toEqual([upstream.newest]);
  });
});

async function connected(): Promise<Bench<ScriptedUpstream>> {
  const made = await started([page(5)]);
  made.upstream.newest.open();
  return made;
}
