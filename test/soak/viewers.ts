import { answer } from '../../bench/child.ts';
import { Crowd, type Habitat } from './crowd.ts';
import type { Look } from './viewer.ts';

/** A process of clients: they take nothing from the servers' processor time, and their memory is not measured. */

const DEADLINE_MS = 3 * 3_600_000;

let crowd: Crowd;

answer(
  {
    settle: (habitat: Habitat) => void (crowd = new Crowd(habitat)),
    live: (joinsPerSecond: number) => crowd.live(joinsPerSecond),
    hold: (isHolding: boolean) => crowd.hold(isHolding),
    join: (count: number, transport: Look['transport']) => crowd.join(count, transport),
    leaveAll: () => crowd.leaveAll(),
    different: (truth: Parameters<Crowd['different']>[0]) => crowd.different(truth),
    account: () => crowd.account,
  },
  DEADLINE_MS,
);
