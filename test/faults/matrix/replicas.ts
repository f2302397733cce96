import { eventually, pause } from '../../support/eventually.ts';
import { followersOf, leaderOf, oneWatchAgain, togetherAgain, viewersOf, viewersWithout } from '../sharing.ts';
import { NAMESPACE, type Stage } from '../stage.ts';
import { expectNobodyCut, expectNoReset, expectThat, secondsSince, type Row } from './row.ts';

/** Replicas that die, stand still, stop politely, start together, are cut off from Redis, or have a wrong clock. */

const SHARED = { replicas: 3, redis: true } as const;

/** The leader is killed; answers how long the others took, and brings it back. */
async function killLeader(stage: Stage): Promise<number> {
  const leader = leaderOf(stage);
  const others = viewersWithout(stage, leader);
  const mark = performance.now();
  const killed = leader.replica.kill();
  stage.changeEverySort();
  const seconds = await stage.secondsToConverge(mark, 15, others);
  await killed;
  await oneWatchAgain(stage);
  await leader.replica.restart();
  await stage.live();
  return seconds;
}

/** How many of the resumes were answered with changes, from 0 to 1. */
function resumeSuccess(stage: Stage): number {
  const answers = stage.clients.flatMap(({ recording: { entries } }) =>
    entries.flatMap((entry, index) => {
      if (entry.kind !== 'subscribed' || entry.resume === undefined) return [];
      const next = entries.slice(index + 1).find(({ kind }) => kind === 'update' || kind === 'ended');
      return next?.kind === 'update' ? [next.type] : [];
    }),
  );
  return answers.length === 0 ? 1 : answers.filter((type) => type === 'CHANGES').length / answers.length;
}

export const REPLICAS: readonly Row[] = [
  {
    id: 'P1',
    fault: 'the leader killed',
    expected: 'another takes over from the last version; nobody starts over, also who comes back elsewhere',
    boundSeconds: 15,
    stage: SHARED,
    async run(stage) {
      const seconds = await killLeader(stage);
      expectNoReset(stage);
      return seconds;
    },
  },
  {
    id: 'P2',
    fault: 'the leader stopped for 30 s (SIGSTOP), then going on',
    expected: 'another takes over; what the old one still says is not accepted',
    boundSeconds: 15,
    stage: SHARED,
    async run(stage) {
      const leader = leaderOf(stage);
      const stopped = performance.now();
      leader.replica.pause();
      stage.changeEverySort();
      const without = await stage.secondsToConverge(stopped, 15, viewersWithout(stage, leader));
      const stopChurn = stage.churn(100);
      await pause(Math.max(0, stopped + 30_000 - performance.now()));
      leader.replica.resume();
      const resumed = performance.now();
      await pause(1_000);
      stopChurn();
      const together = await togetherAgain(stage, resumed, 15);
      return Math.max(without, together);
    },
  },
  {
    id: 'P3',
    fault: 'the leader stopped politely (SIGTERM)',
    expected: 'handover before it closes: nobody is behind for longer than a second; its sockets close with 1012',
    boundSeconds: 1,
    stage: { ...SHARED, viewersEach: 3 },
    async run(stage) {
      const leader = leaderOf(stage);
      const stayed = followersOf(stage).flatMap((actor) => viewersOf(stage, actor));
      const sentAway = viewersOf(stage, leader);
      const stopChurn = stage.churn(20);
      await pause(500);
      const mark = performance.now();
      await leader.replica.stop();
      await pause(500);
      stopChurn();
      await stage.converged(10_000, viewersWithout(stage, leader));
      const lags = stayed.map((client) => stage.longestLagSeconds(client, mark));
      const codes = sentAway.map(({ recording: { entries } }) => entries.find(({ kind }) => kind === 'ended'));
      expectThat(
        '1012 for its viewers',
        codes.every((end) => end?.kind === 'ended' && end.closeCode === 1012),
        codes,
      );
      await oneWatchAgain(stage);
      await leader.replica.restart();
      await stage.live();
      expectNoReset(stage);
      return Math.max(...lags);
    },
  },
  {
    id: 'P4',
    fault: 'all replicas killed at once, and started again',
    expected: 'viewers come back a little apart, and resume: the log has survived',
    boundSeconds: 20,
    stage: { ...SHARED, roamers: 20 },
    async run(stage) {
      const mark = performance.now();
      await Promise.all(stage.actors.map(({ replica }) => replica.kill()));
      stage.changeEverySort();
      await Promise.all(stage.actors.map(({ replica }) => replica.restart()));
      const seconds = await stage.secondsToConverge(mark, 20);
      await oneWatchAgain(stage);
      expectThat('95 % resume', resumeSuccess(stage) >= 0.95, resumeSuccess(stage));
      return seconds;
    },
  },
  {
    id: 'P5',
    fault: 'three replicas restarted one after the other, under load',
    expected: 'at least 95 % resume; never more watches than replicas, in the end one',
    boundSeconds: undefined,
    stage: { ...SHARED, roamers: 30 },
    async run(stage) {
      const stopChurn = stage.churn(50);
      let mostWatches = 0;
      const sampler = setInterval(() => (mostWatches = Math.max(mostWatches, stage.watches.length)), 50);
      for (const { replica } of stage.actors) {
        await replica.stop();
        await replica.restart();
        await pause(5_000);
      }
      stopChurn();
      clearInterval(sampler);
      await stage.live(20_000);
      await oneWatchAgain(stage);
      expectThat('never more watches than replicas', mostWatches <= 3, mostWatches);
      expectThat('95 % resume', resumeSuccess(stage) >= 0.95, resumeSuccess(stage));
      return undefined;
    },
  },
  {
    id: 'P6',
    fault: 'wall clocks an hour early and an hour late',
    expected: 'no effect: the leader is killed, and it is P1',
    boundSeconds: 15,
    stage: { ...SHARED, clockShiftsMs: [0, 3_600_000, -3_600_000] },
    async run(stage) {
      const first = await killLeader(stage);
      const second = await killLeader(stage);
      expectNoReset(stage);
      return Math.max(first, second);
    },
  },
  {
    id: 'P7',
    fault: 'the leader cut off from Redis, but not from KAS',
    expected: 'it goes on alone, the others elect another; afterwards they share one watch again',
    boundSeconds: 15,
    stage: SHARED,
    async run(stage) {
      const leader = leaderOf(stage);
      const cut = performance.now();
      leader.toRedis?.disturb({ kind: 'blackHole' });
      stage.changeEverySort();
      const apart = await stage.secondsToConverge(cut, 15);
      const stopChurn = stage.churn(100);
      await pause(10_000);
      stopChurn();
      leader.toRedis?.heal();
      const healed = performance.now();
      const together = await togetherAgain(stage, healed, 15);
      expectNobodyCut(stage);
      return Math.max(apart, together);
    },
  },
  {
    id: 'P8',
    fault: 'two replicas asked for the same at the same moment, in 20 namespaces',
    expected: 'one list, one watch each',
    boundSeconds: 1,
    stage: { replicas: 2, redis: true },
    isQuick: true,
    async run(stage) {
      let worst = 0;
      for (let round = 0; round < 20; round += 1) {
        const namespace = `round-${round}`;
        stage.create('a', namespace);
        const filter = { resource: 'pods', namespace };
        const mark = performance.now();
        const pair = stage.actors.map((actor) =>
          stage.join({ name: `${namespace} ${actor.replica.name}`, at: [actor], namespace }),
        );
        await stage.converged(5_000, pair);
        worst = Math.max(worst, secondsSince(mark));
        const watches = () => stage.kas.inFlight({ verb: 'watch', ...filter }).length;
        await eventually('one watch', () => watches() === 1, 2_000, watches);
        expectThat(
          'one list',
          stage.kas.counts({ verb: 'list', ...filter }) === 1,
          stage.kas.counts({ verb: 'list', ...filter }),
        );
        stage.touch('a', namespace);
        await stage.converged(5_000, pair);
      }
      expectThat(
        'one watch of the first namespace, too',
        stage.kas.inFlight({ verb: 'watch', resource: 'pods', namespace: NAMESPACE }).length === 1,
      );
      return worst;
    },
  },
];
