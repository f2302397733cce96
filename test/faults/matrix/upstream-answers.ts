import { tooLargeResourceVersion, tooManyRequests, unauthorized } from '../../../demo/apiserver/effects.ts';
import { revoke } from '../../../demo/apiserver/objects.ts';
import { eventually, pause } from '../../support/eventually.ts';
import { PROMISED } from '../../support/recording/honesty.ts';
import { grownUp } from '../stage.ts';
import { expectNoReset, expectThat, overBothTransports, secondsSince, type Row } from './row.ts';
import { openWatch, WATCH } from './upstream-ends.ts';

/** What the cluster or KAS answers instead: too new, too many, refused, away, late; and lists that fail half-way. */

export const UPSTREAM_ANSWERS: readonly Row[] = [
  ...overBothTransports({
    id: 'U7',
    fault: '504 ResourceVersionTooLarge once: a server that is behind',
    expected: 'waited for; no list',
    boundSeconds: 5,
    async run(stage) {
      await grownUp();
      stage.api.faults.add({ match: WATCH, times: 1, effect: tooLargeResourceVersion(1) });
      const mark = performance.now();
      openWatch(stage).end();
      stage.changeEverySort();
      const seconds = await stage.secondsToConverge(mark, 5);
      expectThat('no second list', stage.lists() === 1, stage.lists());
      expectNoReset(stage);
      return seconds;
    },
  }),
  {
    id: 'U7',
    variant: 'restored',
    fault: '504 ResourceVersionTooLarge again and again: etcd was restored from a backup',
    expected: 'a consistent list, a new epoch: a snapshot with UPSTREAM_RESET',
    boundSeconds: 15,
    async run(stage) {
      await grownUp();
      stage.api.faults.add({ match: WATCH, times: 4, effect: tooLargeResourceVersion(1) });
      const mark = performance.now();
      stage.store.rewind();
      stage.create('after-the-restore');
      const seconds = await stage.secondsToConverge(mark, 15);
      const reasons = stage.clients.map(
        ({ updates }) => updates.findLast(({ type }) => type === 'SNAPSHOT')?.resyncReason,
      );
      expectThat(
        'UPSTREAM_RESET is told to all',
        reasons.every((reason) => reason === 'UPSTREAM_RESET'),
        reasons,
      );
      return seconds;
    },
  },
  ...overBothTransports({
    id: 'U8',
    fault: '429 with Retry-After: 7, as plain text',
    expected: 'nothing is asked for 7 s',
    boundSeconds: 9,
    async run(stage) {
      await grownUp();
      stage.api.faults.add({ match: WATCH, times: 1, effect: tooManyRequests(7) });
      const mark = performance.now();
      openWatch(stage).end();
      stage.changeEverySort();
      const seconds = await stage.secondsToConverge(mark, 9);
      const asked = stage.kas.requests.filter(({ resource, verb }) => resource === 'pods' && verb !== 'get');
      const refused = asked.findIndex(({ status, startedAt }, index) => index > 1 && status === 429 && startedAt > 0);
      const gap = (asked[refused + 1]?.startedAt ?? 0) - (asked[refused]?.startedAt ?? 0);
      expectThat('the next request is 7 s later', gap >= 6_990, { gap, refused });
      expectNoReset(stage);
      return seconds;
    },
  }),
  ...overBothTransports({
    id: 'U9',
    fault: '401 when the watch is opened again',
    expected: 'another viewer opens it, who notices nothing; the refused one is told; at most two tries',
    boundSeconds: 2,
    endsConverged: false,
    async run(stage) {
      await grownUp();
      const donor = stage.watches[0]?.user ?? '';
      const others = stage.clients.filter(({ name }) => name.replaceAll(' ', '-') !== donor);
      const refused = stage.clients.filter((client) => !others.includes(client));
      expectThat('one of the viewers opened it', refused.length === 1, donor);
      stage.api.faults.add({ match: { ...WATCH, user: donor }, effect: unauthorized });
      const opened = stage.kas.counts(WATCH);
      const mark = performance.now();
      openWatch(stage).end();
      stage.changeEverySort();
      await stage.converged(6_000, others);
      const seconds = secondsSince(mark);
      await eventually('the refused one is told', () => refused[0]?.errors.includes('ACCESS_REVOKED') === true, 3_000);
      expectThat('at most two tries', stage.kas.counts(WATCH) - opened <= 2, stage.kas.counts(WATCH) - opened);
      expectThat(
        'no error for the others',
        others.every(({ errors }) => errors.length === 0),
      );
      return seconds;
    },
  }),
  {
    id: 'U10',
    fault: '403 after a change of RBAC that concerns everybody',
    expected: 'every viewer gets ACCESS_REVOKED; the watch is closed when the feed has lingered (30 s)',
    boundSeconds: 75,
    mostlyWaits: true,
    endsConverged: false,
    async run(stage) {
      const mark = performance.now();
      for (const { name } of stage.clients) revoke(stage.store, name.replaceAll(' ', '-'));
      const isTold = () => stage.clients.every(({ errors }) => errors.includes('ACCESS_REVOKED'));
      await eventually('ACCESS_REVOKED for all', isTold, 120_000, () => stage.clients.map(({ errors }) => errors));
      const seconds = secondsSince(mark);
      await eventually('the watch is closed', () => stage.watches.length === 0, 35_000);
      return seconds;
    },
  },
  {
    id: 'U16',
    fault: '410 on the second page of a list, with a token for an inconsistent rest',
    expected: 'the list starts again; the token is not used; one snapshot',
    boundSeconds: 5,
    stage: { viewersEach: 0, roamers: 0 },
    async run(stage) {
      for (let index = 0; index < 1_100; index += 1) stage.create(`p-${index}`);
      const match = { verb: 'list', resource: 'pods', continued: true };
      stage.api.faults.add({ match, times: 1, effect: { expireContinue: true } });
      const mark = performance.now();
      for (const name of ['early', 'late']) stage.join({ name });
      const seconds = await stage.secondsToConverge(mark, 5);
      const lists = stage.kas.requests.filter(({ verb, resource }) => verb === 'list' && resource === 'pods');
      const order = lists.map(({ continued }) => (continued ? 'next' : 'first')).join(' ');
      expectThat('first, next (410), first, next, next', order === 'first next first next next', order);
      expectNoReset(stage);
      return seconds;
    },
  },
  ...(['ignore', 'refuse', 'fail'] as const).map((initialEvents): Row => ({
    id: 'U17',
    variant: initialEvents,
    fault: `a server that would ${initialEvents} a watch with sendInitialEvents`,
    expected: 'is never asked for one: list and watch',
    boundSeconds: 16,
    stage: { viewersEach: 0, roamers: 0 },
    async run(stage) {
      stage.api.faults.add({ match: WATCH, effect: { initialEvents } });
      const mark = performance.now();
      stage.join({ name: 'somebody' });
      await stage.live();
      stage.changeEverySort();
      const seconds = await stage.secondsToConverge(mark, 16);
      const asked = stage.kas.requests.filter(({ url }) => url.includes('sendInitialEvents'));
      expectThat('sendInitialEvents is not asked for', asked.length === 0);
      return seconds;
    },
  })),
  {
    id: 'U19',
    fault: 'the agent is away for ten minutes',
    expected:
      'DISCONNECTED, tried at most 30 s apart, the last data stay; recovers by itself (rights that cannot be asked for hold for five minutes: viewers come back then, and start over)',
    boundSeconds: 35,
    mostlyWaits: true,
    async run(stage) {
      stage.agent.disconnect();
      const states = () => stage.clients.map(({ connection }) => `${connection?.status} ${connection?.reason}`);
      const isTold = () => states().every((state) => state === 'DISCONNECTED AGENT_NOT_CONNECTED');
      await eventually('DISCONNECTED is told to all', isTold, 15_000, states);
      stage.changeEverySort();
      await pause(600_000);
      expectThat(
        'the last data stay',
        stage.clients.every(({ pods, updates }) => pods.size === 3 && updates.length === 1),
      );
      const tries = stage.kas.requests.filter(({ verb, status }) => verb === 'watch' && status === 502);
      const pauses = tries.slice(1).map(({ startedAt }, index) => startedAt - (tries[index]?.startedAt ?? startedAt));
      expectThat('tries at most 30 s apart, and a little', Math.max(...pauses) < 31_000, Math.max(...pauses));
      expectThat('not in a tight loop', tries.length < 100, tries.length);
      const mark = performance.now();
      stage.agent.connect();
      const seconds = await stage.secondsToConverge(mark, 35);
      await stage.live();
      return seconds;
    },
  },
  ...overBothTransports({
    id: 'U20',
    fault: 'headers that take 90 s',
    expected: 'no failure: the watch is opened once',
    // Over KAS's WebSocket nothing tells such a watch from one that has nothing to say, and the pongs come.
    stage: { honesty: { ...PROMISED, webSocketMs: 100_000 } },
    boundSeconds: undefined,
    mostlyWaits: true,
    async run(stage) {
      await grownUp();
      stage.api.faults.add({ match: WATCH, times: 1, effect: { delayHeadersMs: 90_000 } });
      const opened = stage.kas.counts(WATCH);
      openWatch(stage).end();
      stage.changeEverySort();
      await stage.converged(100_000);
      expectThat('one opening', stage.kas.counts(WATCH) - opened === 1, stage.kas.counts(WATCH) - opened);
      expectNoReset(stage);
      return undefined;
    },
  }),
];
