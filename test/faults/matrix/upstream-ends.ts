import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gone, goneInStream } from '../../../demo/apiserver/effects.ts';
import { expired } from '../../../demo/apiserver/status.ts';
import { eventually, pause } from '../../support/eventually.ts';
import { grownUp, type Stage } from '../stage.ts';
import { expectNoReset, expectThat, overBothTransports, type Row } from './row.ts';

/** Streams that end: cleanly, torn, silently, too early, and with 410. */

export const WATCH = { verb: 'watch', resource: 'pods' } as const;

export function openWatch(stage: Stage) {
  const [watch] = stage.api.faults.openWatches(WATCH);
  if (watch === undefined) throw new Error('no watch of pods is open');
  return watch;
}

export const UPSTREAM_ENDS: readonly Row[] = [
  ...overBothTransports({
    id: 'U1',
    fault: 'clean end at the timeout',
    expected: 'resumed from the last version: no list; without a change no message',
    boundSeconds: 1,
    async run(stage) {
      await grownUp();
      const mark = performance.now();
      openWatch(stage).end();
      stage.touch('a');
      const seconds = await stage.secondsToConverge(mark, 1);
      expectThat('no second list', stage.lists() === 1, stage.lists());
      expectNoReset(stage);
      await grownUp();
      const messages = () => stage.clients.map(({ updates }) => updates.length);
      const before = messages();
      const opened = stage.kas.counts(WATCH);
      openWatch(stage).end();
      await eventually('the watch is opened again', () => stage.kas.counts(WATCH) > opened, 2_000);
      await pause(300);
      expectThat('no message without a change', String(messages()) === String(before), [before, messages()]);
      return seconds;
    },
  }),
  ...overBothTransports({
    id: 'U2',
    fault: 'TCP reset in the middle of a document',
    expected: 'the part is dropped, the watch resumed: no list, nothing twice',
    boundSeconds: 2,
    async run(stage) {
      await grownUp();
      const [actor] = stage.actors;
      for (const connection of actor?.toKas.connections ?? []) connection.disturb({ kind: 'resetAfter', bytes: 2_500 });
      const mark = performance.now();
      stage.changeEverySort();
      const seconds = await stage.secondsToConverge(mark, 2);
      expectThat('the stream was cut', stage.kas.counts(WATCH) > 1);
      expectThat('no second list', stage.lists() === 1, stage.lists());
      expectNoReset(stage);
      return seconds;
    },
  }),
  ...overBothTransports(
    {
      id: 'U3',
      fault: 'black hole upstream',
      expected:
        'suspected by pings or missing bookmarks; CONNECTED is withdrawn; a second stream takes over, without a list',
      boundSeconds: undefined,
      mostlyWaits: true,
      stage: { agent: { bookmarkPeriodMs: 1_000 } },
      async run(stage) {
        await eventually('a bookmark', () => openWatch(stage).bookmarks > 0, 5_000);
        for (const connection of stage.actors[0]?.toKas.connections ?? []) connection.disturb({ kind: 'blackHole' });
        const mark = performance.now();
        stage.changeEverySort();
        const seconds = await stage.secondsToConverge(mark, 130);
        const told = stage.clients[0]?.recording.entries.filter((entry) => entry.kind === 'connection') ?? [];
        const isWithdrawn = told.some(({ at, status }) => at > mark && status !== 'CONNECTED');
        expectThat('CONNECTED was withdrawn meanwhile', isWithdrawn, told);
        expectThat('no second list', stage.lists() === 1, stage.lists());
        expectNoReset(stage);
        return seconds;
      },
    },
    { webSocket: 30, http: 130 },
  ),
  ...overBothTransports({
    id: 'U4',
    fault: '410 inside the stream, after a real compaction',
    expected: 'a list; viewers get the difference, and no snapshot',
    boundSeconds: 3,
    isQuick: true,
    async run(stage) {
      const lists = stage.lists();
      const mark = performance.now();
      stage.api.faults.add({ match: WATCH, times: 1, effect: goneInStream });
      openWatch(stage).error(expired('too old resource version: 1 (2)'));
      stage.changeEverySort();
      stage.store.compact();
      const seconds = await stage.secondsToConverge(mark, 3);
      expectThat('one or two lists', [1, 2].includes(stage.lists() - lists), stage.lists() - lists);
      expectNoReset(stage);
      return seconds;
    },
  }),
  ...overBothTransports({
    id: 'U5',
    fault: '410 as the answer to a watch',
    expected: 'the same',
    boundSeconds: 3,
    async run(stage) {
      await grownUp();
      stage.api.faults.add({ match: WATCH, times: 1, effect: gone });
      const mark = performance.now();
      openWatch(stage).end();
      stage.changeEverySort();
      const seconds = await stage.secondsToConverge(mark, 3);
      expectThat('one list', stage.lists() === 2, stage.lists());
      expectNoReset(stage);
      return seconds;
    },
  }),
  ...overBothTransports({
    id: 'U6',
    fault: 'a stream that ends at once and empty, twice',
    expected: 'the second time a consistent list; at most four openings',
    boundSeconds: 5,
    async run(stage) {
      await grownUp();
      stage.api.faults.add({ match: WATCH, times: 2, effect: { endAtOnce: true } });
      const opened = stage.kas.counts(WATCH);
      const mark = performance.now();
      openWatch(stage).end();
      stage.changeEverySort();
      const seconds = await stage.secondsToConverge(mark, 5);
      await stage.live();
      expectThat('at most four openings', stage.kas.counts(WATCH) - opened <= 4, stage.kas.counts(WATCH) - opened);
      expectThat('one list', stage.lists() === 2, stage.lists());
      expectNoReset(stage);
      return seconds;
    },
  }),
  {
    id: 'U18',
    fault: 'all streams of an agent cut at once, 100 namespaces',
    expected: 'opened again a little apart: a bucket of 20, filled at 20 a second; at most five lists at once',
    boundSeconds: 15,
    stage: { roamers: 0, viewersEach: 0, env: { WATCH_TRANSPORT: 'http', AGENT_STREAM_BUDGET: '120' } },
    async run(stage) {
      for (let index = 0; index < 100; index += 1) {
        stage.create('p', `ns-${index}`);
        stage.join({ name: `viewer of ns-${index}`, namespace: `ns-${index}` });
      }
      await stage.live(60_000);
      await grownUp();
      const from = stage.kas.requests.length;
      const ownDelay = monitorEventLoopDelay({ resolution: 5 });
      ownDelay.enable();
      const replicaDelay = () => stage.actors[0]?.replica.metric('nodejs_eventloop_lag_max_seconds');
      await replicaDelay(); // reading begins anew
      const mark = performance.now();
      stage.agent.cutStreams();
      for (let index = 0; index < 100; index += 1) stage.touch('p', `ns-${index}`);
      const seconds = await stage.secondsToConverge(mark, 15);
      const requests = stage.kas.requests.slice(from).filter(({ resource }) => resource === 'pods');
      // Two processes that are late bring together what was apart.
      const lateSeconds = ownDelay.max / 1e9 + ((await replicaDelay()) ?? 0);
      const excess = mostBeyondBucket(requests.map(({ startedAt }) => startedAt));
      expectThat('no more openings than a bucket of 20 at 20 a second lets through', excess <= 2 + 20 * lateSeconds, {
        excess,
        lateSeconds,
      });
      const lists = requests.filter(({ verb }) => verb === 'list');
      const mostAtOnce = Math.max(0, ...lists.map((one) => lists.filter((other) => overlap(one, other)).length));
      expectThat('at most five lists at once', mostAtOnce <= 5, mostAtOnce);
      return seconds;
    },
  },
];

/** By how many openings a bucket of 20, filled at 20 a second, was overdrawn at worst. */
function mostBeyondBucket(times: readonly number[]): number {
  let level = 20;
  let lowest = 20;
  for (const [index, at] of times.entries()) {
    level = Math.min(20, level + ((at - (times[index - 1] ?? at)) * 20) / 1_000) - 1;
    lowest = Math.min(lowest, level);
  }
  return Math.max(0, -lowest);
}

interface Span {
  readonly startedAt: number;
  readonly endedAt?: number;
}

/** Whether `other` was under way when `one` began. */
function overlap(one: Span, other: Span): boolean {
  return other.startedAt <= one.startedAt && (other.endedAt ?? Number.POSITIVE_INFINITY) > one.startedAt;
}
