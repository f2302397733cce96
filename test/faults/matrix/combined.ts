import { EXPIRED, REDIS_KILLED, REPLICA_KILLED } from '../disturbances.ts';
import { CATCH_UP_SECONDS, disturb } from '../triples.ts';
import type { Row } from './row.ts';

/** Several at once. Random ones: `npm run faults -- --triples`. */
export const COMBINED: readonly Row[] = [
  {
    id: 'X1',
    fault: 'Redis killed, history compacted and the leader killed at once (R1 + U4 + P1)',
    expected: 'invariants only',
    boundSeconds: CATCH_UP_SECONDS,
    stage: { replicas: 3, redis: true, roamers: 3 },
    run: (stage) => disturb(stage, [REDIS_KILLED, EXPIRED, REPLICA_KILLED]),
  },
];
