import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { ApiError } from '../errors.ts';
import type { LogLine } from '../sources/logs/log-line.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { LogFeed } from './log-feed.ts';
import { LogRing } from './log-ring.ts';
import { BATCH_MS, LogView, MAX_BATCH_LINES, type LogBatch, type LogViewOptions } from './log-view.ts';

const KEY = { agentId: '1', namespace: 'shop', pod: 'web', container: 'app' };

function line(number: number, content = `line ${number}`): LogLine {
  return { timestamp: undefined, at: String(number).padStart(12, '0'), content, truncated: false };
}

const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => line(from + index));
const contents = ({ lines: got }: LogBatch) => got.map(({ content }) => content);

function bench(options: Partial<LogViewOptions> = {}, ring = new LogRing()) {
  const clock = new VirtualClock();
  const feed = new LogFeed(KEY, 500, ring);
  let released = 0;
  const view = new LogView(feed, clock, { from: 0, ...options }, () => (released += 1));
  const next = async () => {
    await clock.advance(BATCH_MS);
    const { value } = await view.next();
    if (value === undefined) throw new Error('it is over');
    return value;
  };
  return { clock, feed, view, next, released: () => released };
}

describe('LogView', () => {
  it('gives what there is in batches, and says when it is over', async () => {
    const { feed, next, view, released } = bench();
    feed.lines(lines(0, 1_500));
    expect((await next()).lines).toHaveLength(MAX_BATCH_LINES);
    expect((await next()).lines.at(-1)).toMatchObject({ number: 1_500, content: 'line 1499' });
    feed.ended(undefined);
    expect(await next()).toEqual({ lines: [], skipped: 0, ended: true, error: undefined });
    expect(await view.next()).toEqual({ done: true, value: undefined });
    expect(released()).toBe(1);
  });

  it('joins its own reading on without a gap or a double line', async () => {
    const { feed, next } = bench({ history: [line(1), line(2), line(3, 'a'), line(3, 'b')] });
    feed.lines([line(2), line(3, 'a'), line(3, 'b'), line(3, 'c'), line(4)]);
    expect(contents(await next())).toEqual(['line 1', 'line 2', 'a', 'b', 'c', 'line 4']);
  });

  it('tells how many lines a slow reader has missed, and counts them', async () => {
    const counted: number[] = [];
    const { feed, next } = bench({ onSkipped: (count) => counted.push(count) }, new LogRing(10));
    feed.lines(lines(0, 5));
    expect((await next()).lines).toHaveLength(5);
    feed.lines(lines(5, 50));
    const { skipped, lines: got } = await next();
    expect(skipped).toBe(35);
    expect(counted).toEqual([35]);
    expect(got[0]).toMatchObject({ number: 41, content: 'line 40' });
  });

  it('is bounded by bytes, too', () => {
    const ring = new LogRing(1_000, 10_000);
    for (let index = 0; index < 100; index += 1) ring.push(line(index, 'x'.repeat(1_000)));
    expect(ring.size).toBeLessThan(10);
    expect(ring.at(99)).toBeDefined();
    expect(ring.at(ring.start - 1)).toBeUndefined();
  });

  it('leaves out what is older than asked for', async () => {
    const { feed, next } = bench({ since: line(3).at });
    feed.lines(lines(0, 5));
    expect(contents(await next())).toEqual(['line 3', 'line 4']);
  });

  it('says what keeps the log from flowing, and that it flows again', async () => {
    const { feed, next } = bench();
    feed.troubled(new UpstreamError('torn', 'It broke.'));
    expect(await next()).toMatchObject({ error: 'It broke.', ended: false });
    feed.flowing();
    expect(await next()).toMatchObject({ error: undefined, lines: [] });
  });

  it('settles at once when it is left, and when the right is lost', async () => {
    const { view, released } = bench();
    const waiting = view.next();
    await view.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    const other = bench();
    const failing = other.view.next();
    other.view.fail(new ApiError('ACCESS_REVOKED', 'Gone.'));
    await expect(failing).rejects.toThrow('Gone.');
    expect([released(), other.released()]).toEqual([1, 1]);
  });
});
