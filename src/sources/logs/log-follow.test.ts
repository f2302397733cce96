import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { Donor } from '../source.ts';
import { UpstreamError } from '../upstream-error.ts';
import { ANSWER_MS, LIFETIME_MS, LogFollow, SILENCE_MS } from './log-follow.ts';
import type { LogListener, LogRequest } from './log-source.ts';

interface Opened {
  readonly donor: Donor;
  readonly request: LogRequest;
  readonly listener: LogListener;
  isAccepted: boolean;
  isClosed: boolean;
}

function donor(token: string): Donor {
  return { credentials: { kind: 'bearer', agentId: undefined, tokenType: 'pat', token }, refused: () => undefined };
}

function bench() {
  const clock = new VirtualClock();
  const streams: Opened[] = [];
  const contents: string[] = [];
  const seen: string[] = [];
  let flows = 0;
  let current: Donor | undefined = donor('ada');
  const refused: Donor[] = [];
  const follow = new LogFollow({
    clock,
    tailLines: 500,
    donors: {
      current: () => current,
      refused: (who) => {
        refused.push(who);
        current = undefined;
      },
    },
    sink: {
      lines: (lines) => contents.push(...lines.map(({ content }) => content)),
      flowing: () => (flows += 1),
      troubled: (error) => seen.push(error.failure),
      ended: (error) => seen.push(error === undefined ? 'ended' : `ended ${error.failure}`),
    },
    open: (who, request, listener) => {
      const stream = { donor: who, request, listener, isAccepted: false, isClosed: false };
      streams.push(stream);
      return { close: () => (stream.isClosed = true) };
    },
  });
  const accept = () => {
    const stream = streams.at(-1);
    if (stream === undefined || stream.isAccepted) return;
    stream.isAccepted = true;
    stream.listener.opened();
  };
  return {
    clock,
    streams,
    accept,
    flows: () => flows,
    contents,
    seen,
    follow,
    refused,
    become: (next: Donor | undefined) => (current = next),
    send: (text: string) => {
      accept();
      streams.at(-1)?.listener.data(Buffer.from(text));
    },
    end: (error?: UpstreamError) => streams.at(-1)?.listener.ended(error),
  };
}

const at = (second: number, text: string) => `2026-03-01T12:00:0${second}.500000000Z ${text}\n`;

describe('LogFollow', () => {
  it('begins with the tail, and ends with the log, its last unfinished line included', () => {
    const { follow, streams, contents, seen, send, end } = bench();
    follow.start();
    expect(streams[0]?.request).toEqual({ follow: true, tailLines: 500 });
    send(`${at(1, 'a')}2026-03-01T12:00:02Z unfinished`);
    end();
    expect(contents).toEqual(['a', 'unfinished']);
    expect(seen).toEqual(['ended']);
  });

  it('goes on after a broken connection without a gap or a double line', async () => {
    const { follow, clock, streams, contents, seen, send, end } = bench();
    follow.start();
    send(at(1, 'a') + at(2, 'b') + at(2, 'c') + '2026-03-01T12:00:02.5Z torn in the mid');
    end(new UpstreamError('torn', 'cut'));
    expect(seen).toEqual(['torn']);
    await clock.advance(1_000);
    expect(streams).toHaveLength(2);
    expect(streams[1]?.request).toEqual({ follow: true, sinceTime: '2026-03-01T12:00:02Z' });
    send(at(2, 'b') + at(2, 'c') + at(2, 'torn in the middle') + at(3, 'd'));
    expect(contents).toEqual(['a', 'b', 'c', 'torn in the middle', 'd']);
  });

  it('changes hands when told to', () => {
    const { follow, streams, contents, send, become } = bench();
    follow.start();
    send(at(1, 'a'));
    const next = donor('eve');
    become(next);
    follow.renew();
    expect(streams.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    expect(streams[1]?.donor).toBe(next);
    send(at(1, 'a') + at(2, 'b'));
    expect(contents).toEqual(['a', 'b']);
  });

  it('waits when nobody is left, and goes on with whoever comes', () => {
    const { follow, streams, seen, refused, end, become } = bench();
    follow.start();
    end(new UpstreamError('forbidden', 'no'));
    expect(refused).toHaveLength(1);
    expect(seen).toEqual(['noIdentity']);
    become(donor('eve'));
    follow.renew();
    expect(streams).toHaveLength(2);
  });

  it('tries again while the container has not started, and gives up when the pod is gone', async () => {
    const { follow, clock, streams, seen, end } = bench();
    follow.start();
    end(new UpstreamError('invalid', 'waiting'));
    await clock.advance(1_000);
    expect(streams).toHaveLength(2);
    end(new UpstreamError('notFound', 'gone'));
    await clock.advance(60_000);
    expect(streams).toHaveLength(2);
    expect(seen).toEqual(['invalid', 'ended notFound']);
  });

  it('takes a clean end after a long time for a limit on the life of streams', async () => {
    const { follow, clock, streams, seen, send, end } = bench();
    follow.start();
    for (let minutes = 0; minutes < LIFETIME_MS / 60_000; minutes += 5) {
      send(at(1, 'a'));
      await clock.advance(5 * 60_000);
    }
    expect(streams).toHaveLength(1);
    end();
    expect(streams).toHaveLength(2);
    end();
    expect(seen).toEqual(['ended']);
  });

  it('takes a request that is not answered for a failure, says so and tries again', async () => {
    const { follow, clock, streams, seen, contents, send } = bench();
    follow.start();
    await clock.advance(ANSWER_MS - 1);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['timeout']);
    expect(streams[0]?.isClosed).toBe(true);
    await clock.advance(1_000);
    expect(streams).toHaveLength(2);
    send(at(1, 'a'));
    expect(contents).toEqual(['a']);
    await clock.advance(ANSWER_MS);
    expect([streams.length, seen]).toEqual([2, ['timeout']]);
  });

  it('opens a stream anew that has been silent for long, without a word, a gap or a double line', async () => {
    const { follow, clock, streams, seen, contents, flows, accept, send } = bench();
    follow.start();
    send(at(1, 'a'));
    await clock.advance(SILENCE_MS - 1);
    send(at(2, 'b'));
    await clock.advance(SILENCE_MS - 1);
    expect(streams).toHaveLength(1);
    await clock.advance(1);
    expect(streams.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    expect(streams[1]?.request).toEqual({ follow: true, sinceTime: '2026-03-01T12:00:02Z' });
    send(at(2, 'b') + at(3, 'c'));
    expect([contents, seen]).toEqual([['a', 'b', 'c'], []]);
    await clock.advance(SILENCE_MS);
    expect(streams).toHaveLength(3);
    accept();
    expect(flows()).toBe(3);
    follow.stop();
    expect(clock.pending).toBe(0);
  });

  it('says that a stream was dead when its successor is not answered', async () => {
    const { follow, clock, seen, accept } = bench();
    follow.start();
    accept();
    await clock.advance(SILENCE_MS + ANSWER_MS);
    expect(seen).toEqual(['timeout']);
  });

  it('is silent once it was stopped', async () => {
    const { follow, clock, streams, end } = bench();
    follow.start();
    end(new UpstreamError('torn', 'cut'));
    follow.stop();
    await clock.advance(60_000);
    follow.renew();
    expect(streams).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
