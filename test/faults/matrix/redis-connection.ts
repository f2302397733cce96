import { pause } from '../../support/eventually.ts';
import { followersOf, leaderOf, oneWatchAgain, subscriptions, theRedis, togetherAgain, viewersOf } from '../sharing.ts';
import type { Stage } from '../stage.ts';
import { expectNobodyCut, expectNoReset, expectThat, secondsSince, type Row } from './row.ts';

/** Redis is gone, stands still, is slow or full; or a connection to it is. */

const SHARED = { replicas: 2, redis: true } as const;

export const REDIS_CONNECTION: readonly Row[] = [
  {
    id: 'R1',
    fault: 'Redis killed, and started again empty',
    expected: 'replicas go on alone within 10 s, no socket is dropped; later one of them leads again',
    boundSeconds: 15,
    stage: SHARED,
    async run(stage) {
      const killed = performance.now();
      await theRedis(stage).kill();
      stage.changeEverySort();
      const alone = await stage.secondsToConverge(killed, 10);
      expectThat('alone within 10 s', alone <= 10, alone);
      await pause(2_000);
      await theRedis(stage).restart();
      const restarted = performance.now();
      const together = await togetherAgain(stage, restarted, 15);
      expectNobodyCut(stage);
      return Math.max(alone, together);
    },
  },
  {
    id: 'R2',
    fault: 'Redis stopped for 20 s (SIGSTOP)',
    expected: 'replicas go on alone; afterwards nothing stale is accepted',
    boundSeconds: 15,
    stage: SHARED,
    async run(stage) {
      const stopped = performance.now();
      theRedis(stage).pause();
      stage.changeEverySort();
      const alone = await stage.secondsToConverge(stopped, 15);
      const stopChurn = stage.churn(100);
      await pause(Math.max(0, stopped + 20_000 - performance.now()));
      theRedis(stage).resume();
      const resumed = performance.now();
      await pause(1_000);
      stopChurn();
      const together = await togetherAgain(stage, resumed, 15);
      expectNobodyCut(stage);
      return Math.max(alone, together);
    },
  },
  {
    id: 'R3',
    fault: 'the pub/sub connections killed (CLIENT KILL TYPE pubsub)',
    expected: 'on the new connection positions are compared, what was missed is read from the log',
    boundSeconds: 3,
    stage: SHARED,
    isQuick: true,
    async run(stage) {
      const mark = performance.now();
      const killed = Number(await theRedis(stage).command('CLIENT', 'KILL', 'TYPE', 'pubsub'));
      stage.changeEverySort();
      const seconds = await stage.secondsToConverge(mark, 3);
      expectThat('there was one to kill', killed > 0, killed);
      expectNoReset(stage);
      return seconds;
    },
  },
  {
    id: 'R4',
    fault: 'a pub/sub connection silently dead (black hole)',
    expected: 'found out by probes, opened again, repaired',
    boundSeconds: 40,
    stage: SHARED,
    async run(stage) {
      const connections = stage.actors.flatMap(subscriptions);
      expectThat('there is a pub/sub connection to each replica', connections.length >= 2, connections.length);
      const mark = performance.now();
      for (const connection of connections) connection.disturb({ kind: 'blackHole' });
      stage.changeEverySort();
      const seconds = await stage.secondsToConverge(mark, 40);
      expectNoReset(stage);
      return seconds;
    },
  },
  {
    id: 'R5',
    fault: 'one published message lost',
    expected: 'the beacon shows that there is more; repaired from the log',
    boundSeconds: 6,
    stage: SHARED,
    isQuick: true,
    async run(stage) {
      const [connection] = followersOf(stage).flatMap(subscriptions);
      // A pod is larger than a beacon.
      const dropped = connection?.dropNext((piece) => piece.includes('message') && piece.length > 400);
      const mark = performance.now();
      stage.touch('a');
      await Promise.race([dropped, pause(5_000).then(() => Promise.reject(new Error('nothing was published')))]);
      const seconds = await stage.secondsToConverge(mark, 6);
      expectNoReset(stage);
      return seconds;
    },
  },
  {
    id: 'R9',
    fault: 'Redis slow: 500 ms for each operation',
    expected: "the leader's own viewers notice nothing; others are late",
    boundSeconds: 5,
    stage: SHARED,
    async run(stage) {
      const own = viewersOf(stage, leaderOf(stage));
      for (const { toRedis } of stage.actors) toRedis?.disturb({ kind: 'latency', ms: 250 });
      let [ownWorst, worst] = [0, 0];
      for (let round = 0; round < 5; round += 1) {
        const mark = performance.now();
        stage.changeEverySort();
        ownWorst = Math.max(ownWorst, await stage.secondsToConverge(mark, 1, own));
        worst = Math.max(worst, await stage.secondsToConverge(mark, 5));
      }
      expectThat("the leader's own viewers are served within 300 ms", ownWorst < 0.3, ownWorst);
      expectNobodyCut(stage);
      return worst;
    },
  },
  {
    id: 'R10',
    fault: 'Redis full for 20 s (maxmemory, noeviction)',
    expected: "the leader's own viewers notice nothing; the others go on alone; afterwards one watch again",
    boundSeconds: 10,
    stage: SHARED,
    run: (stage) => withoutWrites(stage, 'maxmemory'),
  },
  {
    id: 'R11',
    fault: 'the lease deleted by hand',
    expected: 'taken again, by whomever; one watch',
    boundSeconds: 5,
    stage: SHARED,
    async run(stage) {
      const leases = await theRedis(stage).keys('*lease*');
      expectThat('there is a lease', leases.length > 0);
      const mark = performance.now();
      await theRedis(stage).command('DEL', ...leases);
      stage.changeEverySort();
      const first = await stage.secondsToConverge(mark, 5);
      const isTakenAgain = async () => (await theRedis(stage).keys('*lease*')).length > 0;
      while (!(await isTakenAgain()) && secondsSince(mark) < 15) await pause(50);
      const seconds = secondsSince(mark);
      stage.changeEverySort();
      await stage.converged(5_000);
      await oneWatchAgain(stage);
      expectNoReset(stage);
      return Math.max(first, seconds);
    },
  },
  {
    id: 'R12',
    fault: 'Redis without the replicas that it needs to write, for 20 s (min-replicas-to-write 1)',
    expected: "the leader's own viewers notice nothing; the others go on alone; afterwards one watch again",
    boundSeconds: 10,
    stage: SHARED,
    run: (stage) => withoutWrites(stage, 'min-replicas-to-write'),
  },
];

/** For 20 s Redis answers, and takes no writes. */
async function withoutWrites(stage: Stage, setting: 'maxmemory' | 'min-replicas-to-write'): Promise<number> {
  const own = viewersOf(stage, leaderOf(stage));
  await theRedis(stage).command('CONFIG', 'SET', setting, '1');
  const refusing = performance.now();
  stage.changeEverySort();
  const alone = await stage.secondsToConverge(refusing, 10);
  const stopChurn = stage.churn(100);
  await pause(Math.max(0, refusing + 20_000 - performance.now()));
  stopChurn();
  await stage.converged(1_000);
  const worst = Math.max(...own.map((client) => stage.longestLagSeconds(client, refusing)));
  expectThat("the leader's own viewers are served within 300 ms", worst < 0.3, worst);
  await theRedis(stage).command('CONFIG', 'SET', setting, '0');
  const together = await togetherAgain(stage, performance.now(), 10);
  expectNobodyCut(stage);
  expectNoReset(stage);
  return Math.max(alone, together);
}
