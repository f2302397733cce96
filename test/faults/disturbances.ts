import { goneInStream } from '../../demo/apiserver/effects.ts';
import { pause } from '../support/eventually.ts';
import { theRedis } from './sharing.ts';
import type { Actor } from './actor.ts';
import type { Stage } from './stage.ts';

/** Something that goes wrong, and comes right again by the time it resolves. */
export interface Disturbance {
  readonly name: string;
  run(stage: Stage): Promise<void>;
}

const WATCH = { verb: 'watch', resource: 'pods' } as const;

function anyActor(stage: Stage): Actor {
  const actor = stage.actors[Math.floor(stage.random() * stage.actors.length)];
  if (actor === undefined) throw new Error('no replica');
  return actor;
}

/** Seconds between a tenth of it and all of it. */
function pauseUpTo(stage: Stage, seconds: number): Promise<void> {
  return pause(seconds * 1_000 * (0.1 + 0.9 * stage.random()));
}

export const EXPIRED: Disturbance = {
  name: 'a watch expires and history is gone (U4)',
  run: async (stage) => {
    stage.api.faults.add({ match: WATCH, times: 1, effect: goneInStream });
    stage.store.compact();
    for (const watch of stage.api.faults.openWatches(WATCH)) watch.end();
  },
};

export const REDIS_KILLED: Disturbance = {
  name: 'Redis is killed and comes back empty (R1)',
  run: async (stage) => {
    await theRedis(stage).kill();
    await pauseUpTo(stage, 8);
    await theRedis(stage).restart();
  },
};

export const REPLICA_KILLED: Disturbance = {
  name: 'a replica is killed and started again (P1)',
  run: async (stage) => {
    // The one that leads, if one does.
    const { replica } = stage.watchers[0] ?? anyActor(stage);
    await replica.kill();
    await pauseUpTo(stage, 5);
    await replica.restart();
  },
};

/** What random combinations are made of. No two of them undo each other. */
export const DISTURBANCES: readonly Disturbance[] = [
  EXPIRED,
  REDIS_KILLED,
  REPLICA_KILLED,
  {
    name: 'all watches end (U1)',
    run: async (stage) => stage.api.faults.openWatches(WATCH).forEach((watch) => watch.end()),
  },
  {
    name: 'all watches are reset (U2)',
    run: async (stage) => stage.api.faults.openWatches(WATCH).forEach((watch) => watch.reset()),
  },
  {
    name: 'the agent is away (U19)',
    run: async (stage) => {
      stage.agent.disconnect();
      await pauseUpTo(stage, 6);
      stage.agent.connect();
    },
  },
  {
    name: "a replica's line to KAS is cut",
    run: async (stage) => anyActor(stage).toKas.cutAll(),
  },
  {
    name: "a replica's line to KAS is a black hole",
    run: async (stage) => {
      const { toKas } = anyActor(stage);
      toKas.disturb({ kind: 'blackHole' });
      await pauseUpTo(stage, 6);
      toKas.heal();
    },
  },
  {
    name: "a replica's event loop is blocked (U21)",
    run: async (stage) => anyActor(stage).replica.block(),
  },
  {
    name: 'the pub/sub connections are killed (R3)',
    run: async (stage) => ignoreAbsence(theRedis(stage).command('CLIENT', 'KILL', 'TYPE', 'pubsub')),
  },
  {
    name: 'Redis is slow (R9)',
    run: async (stage) => {
      const { toRedis } = anyActor(stage);
      toRedis?.disturb({ kind: 'latency', ms: 250 });
      await pauseUpTo(stage, 6);
      toRedis?.heal();
    },
  },
  {
    name: 'a replica is cut off from Redis (P7)',
    run: async (stage) => {
      const { toRedis } = anyActor(stage);
      toRedis?.disturb({ kind: 'blackHole' });
      await pauseUpTo(stage, 8);
      toRedis?.cutAll();
      toRedis?.heal();
    },
  },
  {
    name: 'everything in Redis is deleted',
    run: async (stage) => ignoreAbsence(theRedis(stage).command('FLUSHALL')),
  },
  {
    name: 'the leases are deleted (R11)',
    run: async (stage) => {
      await ignoreAbsence(
        theRedis(stage)
          .keys('*lease*')
          .then((keys) => theRedis(stage).command('DEL', 'none', ...keys)),
      );
    },
  },
  {
    name: 'a replica is stopped and goes on (P2)',
    run: async (stage) => {
      const { replica } = anyActor(stage);
      replica.pause();
      await pauseUpTo(stage, 15);
      replica.resume();
    },
  },
  {
    name: 'every viewer is cut off',
    run: async (stage) => stage.clients.forEach((client) => client.cut()),
  },
];

/** Redis may have been killed by another disturbance. */
async function ignoreAbsence(command: Promise<unknown>): Promise<void> {
  await command.catch(() => undefined);
}
