import { expect, it } from 'vitest';
import { hasRedis } from '../support/processes/redis-server.ts';
import { MATRIX } from './matrix/index.ts';
import { nameOf } from './matrix/row.ts';
import { runRow } from './run-row.ts';

/** Rows of the fault matrix that take seconds. All of them, with their times: `npm run faults`. */

const isRedisHere = hasRedis('rows of the fault matrix that need it');
const rows = MATRIX.filter(({ isQuick, stage }) => isQuick && (isRedisHere || !stage?.redis));

it.each(rows.map((row) => [nameOf(row), row.fault, row] as const))(
  '%s: %s',
  { timeout: 60_000 },
  async (_name, _fault, row) => {
    const { problems } = await runRow({ ...row, boundSeconds: undefined }, 1);
    expect(problems).toEqual([]);
  },
);
