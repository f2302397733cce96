import { pause } from '../support/eventually.ts';
import { dice } from './dice.ts';
import { DISTURBANCES, type Disturbance } from './disturbances.ts';
import type { Row } from './matrix/row.ts';
import { oneWatchAgain } from './sharing.ts';
import type { Stage } from './stage.ts';

/** By when everybody has caught up after whatever it was, in seconds. */
export const CATCH_UP_SECONDS = 60;

/** These at once, under load, a little apart; then invariants only. */
export async function disturb(stage: Stage, disturbances: readonly Disturbance[]): Promise<number> {
  const stopChurn = stage.churn(50);
  const delays = disturbances.map(() => stage.random() * 3_000);
  await Promise.all(
    disturbances.map(async (disturbance, index) => {
      await pause(delays[index] ?? 0);
      await disturbance.run(stage);
    }),
  );
  const over = performance.now();
  stage.api.faults.clear();
  stopChurn();
  stage.changeEverySort();
  const seconds = await stage.secondsToConverge(over, CATCH_UP_SECONDS);
  await oneWatchAgain(stage);
  stage.changeEverySort();
  await stage.converged(10_000);
  return seconds;
}

/** Three different disturbances, chosen by the seed. */
export function tripleOf(seed: number): Row {
  const random = dice(seed);
  const left = [...DISTURBANCES];
  const chosen = [1, 2, 3].flatMap(() => left.splice(Math.floor(random() * left.length), 1));
  return {
    id: 'triple',
    fault: chosen.map(({ name }) => name).join(' + '),
    expected: 'invariants only',
    boundSeconds: CATCH_UP_SECONDS,
    stage: { replicas: 3, redis: true, roamers: 3 },
    run: (stage) => disturb(stage, chosen),
  };
}
