import { CLIENTS } from './clients.ts';
import { COMBINED } from './combined.ts';
import { HOSTILE_CLIENTS } from './hostile-clients.ts';
import { REDIS_CONNECTION } from './redis-connection.ts';
import { REDIS_CONTENTS } from './redis-contents.ts';
import { REPLICAS } from './replicas.ts';
import { LOST_RIGHTS } from './lost-rights.ts';
import { nameOf, type Row } from './row.ts';
import { UPSTREAM_ANSWERS } from './upstream-answers.ts';
import { UPSTREAM_CONTENTS } from './upstream-contents.ts';
import { UPSTREAM_ENDS } from './upstream-ends.ts';

const FAMILIES = 'URPKX';

/** Every row, in the order of its id: upstream, Redis, replicas, clients, several at once. */
export const MATRIX: readonly Row[] = [
  ...UPSTREAM_ENDS,
  ...UPSTREAM_ANSWERS,
  ...UPSTREAM_CONTENTS,
  ...REDIS_CONNECTION,
  ...REDIS_CONTENTS,
  ...REPLICAS,
  ...CLIENTS,
  ...HOSTILE_CLIENTS,
  ...LOST_RIGHTS,
  ...COMBINED,
].toSorted((a, b) => placeOf(a) - placeOf(b));

/** Rows by id ("U3"), by id and variant ("U3 http"), or by family ("U"). Throws what there is no row for. */
export function select(wanted: readonly string[]): readonly Row[] {
  const unknown = wanted.filter((name) => !MATRIX.some((row) => fits(row, name)));
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(', ')}`);
  return wanted.length === 0 ? MATRIX : MATRIX.filter((row) => wanted.some((name) => fits(row, name)));
}

function fits(row: Row, name: string): boolean {
  return [row.id, nameOf(row), row.id[0]].includes(name);
}

function placeOf({ id }: Row): number {
  return FAMILIES.indexOf(id[0] ?? '') * 100 + Number(id.slice(1));
}
