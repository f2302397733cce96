import { RedisServer } from '../../support/processes/redis-server.ts';
import { TcpProxy } from '../../support/processes/tcp-proxy.ts';
import { pause } from '../../support/eventually.ts';
import { followersOf, theRedis, togetherAgain } from '../sharing.ts';
import type { Stage } from '../stage.ts';
import { expectNobodyCut, expectThat, type Row } from './row.ts';

/** What is in Redis is not what was written: trimmed, lost in a failover, or on a server that is no master any more. */

const SHARED = { replicas: 2, redis: true } as const;
const SYNC_MS = 15_000;

/** A second server that follows the stage's, over a line that can be disturbed. */
async function addStandby(stage: Stage): Promise<{ standby: RedisServer; line: TcpProxy }> {
  const line = await TcpProxy.start(theRedis(stage).port);
  const standby = await RedisServer.start({ config: { replicaof: `127.0.0.1 ${line.port}` } });
  stage.alsoClose(line);
  stage.alsoClose({ [Symbol.asyncDispose]: () => standby.close() });
  const end = performance.now() + SYNC_MS;
  while (!String(await standby.command('INFO', 'replication')).includes('master_link_status:up')) {
    if (performance.now() > end) throw new Error('the standby did not synchronise');
    await pause(50);
  }
  return { standby, line };
}

async function streams(redis: RedisServer): Promise<string[]> {
  const found: string[] = [];
  for (const key of await redis.keys()) if ((await redis.command('TYPE', key)) === 'stream') found.push(key);
  return found;
}

export const REDIS_CONTENTS: readonly Row[] = [
  {
    id: 'R6',
    fault: 'the log trimmed past a follower that was cut off',
    expected: 'it reads the snapshot; viewers get what changed',
    boundSeconds: 3,
    stage: SHARED,
    async run(stage) {
      const lines = followersOf(stage).map(({ toRedis }) => toRedis);
      for (const line of lines) line?.disturb({ kind: 'blackHole' });
      for (let round = 0; round < 30; round += 1) stage.changeEverySort();
      await pause(500);
      const logs = await streams(theRedis(stage));
      expectThat('there is a log', logs.length > 0);
      for (const log of logs) await theRedis(stage).command('XTRIM', log, 'MAXLEN', '1');
      const mark = performance.now();
      for (const line of lines) {
        line?.cutAll();
        line?.heal();
      }
      const seconds = await stage.secondsToConverge(mark, 3);
      expectNobodyCut(stage);
      return seconds;
    },
  },
  {
    id: 'R7',
    fault: 'a failover that loses the last writes',
    expected:
      'the leader notices the gap and starts a new epoch; followers start over; nothing that was lost is made up',
    boundSeconds: 15,
    stage: SHARED,
    async run(stage) {
      const { standby, line } = await addStandby(stage);
      line.disturb({ kind: 'blackHole' });
      for (let round = 0; round < 5; round += 1) stage.changeEverySort();
      await stage.converged(5_000);
      await standby.command('REPLICAOF', 'NO', 'ONE');
      const mark = performance.now();
      for (const { toRedis } of stage.actors) {
        toRedis?.switchTo(standby.port);
        toRedis?.cutAll();
      }
      await theRedis(stage).kill();
      const seconds = await togetherAgain(stage, mark, 15);
      expectNobodyCut(stage);
      return seconds;
    },
  },
  {
    id: 'R8',
    fault: 'the master becomes a replica: READONLY answers',
    expected: 'connects again, to the new master',
    boundSeconds: 5,
    stage: SHARED,
    async run(stage) {
      const { standby } = await addStandby(stage);
      for (const { toRedis } of stage.actors) toRedis?.switchTo(standby.port);
      await standby.command('REPLICAOF', 'NO', 'ONE');
      await theRedis(stage).command('REPLICAOF', '127.0.0.1', standby.port);
      const mark = performance.now();
      const seconds = await togetherAgain(stage, mark, 5);
      expectNobodyCut(stage);
      return seconds;
    },
  },
];
