import { expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { LogFeed } from './log-feed.ts';
import { LogView } from './log-view.ts';
import { MergedLog } from './merged-log.ts';

it('gathers lines that come at about the same time, by the clock it was given', async () => {
  const clock = new VirtualClock();
  const merged = new MergedLog(
    () => undefined,
    () => undefined,
    clock,
  );
  const print = ['web', 'worker'].map((pod) => {
    const feed = new LogFeed({ agentId: '1', namespace: 'shop', pod, container: 'app' }, 10);
    merged.add(pod, { pod, container: 'app' }, new LogView(feed, clock, { from: 0 }, () => undefined));
    return (at: string) => feed.lines([{ at, timestamp: undefined, content: `${pod} ${at}`, truncated: false }]);
  });
  print[0]?.('2');
  print[1]?.('1');
  let said: string[] | undefined;
  void merged.next().then(({ value }) => (said = value?.lines.map(({ content }) => content)));
  await clock.advance(149);
  expect(said).toBeUndefined();
  await clock.advance(1);
  expect(said).toEqual(['worker 1', 'web 2']);

  print[0]?.('3');
  void merged.next();
  await clock.advance(1);
  expect(clock.pending).toBeGreaterThan(0);
  await merged.return();
  expect(clock.pending).toBe(0);
});
