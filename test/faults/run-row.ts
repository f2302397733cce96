import { mkdirSync, writeFileSync } from 'node:fs';
import { hasRedis } from '../support/processes/redis-server.ts';
import { nameOf, type Row } from './matrix/row.ts';
import { Stage } from './stage.ts';

export interface Outcome {
  readonly row: Row;
  readonly seed: number;
  /** It needs a Redis, and there is none. */
  readonly isSkipped: boolean;
  /** What `run` answered. */
  readonly seconds: number | undefined;
  /** Empty: everything is as it should be. */
  readonly problems: readonly string[];
  /** Where recordings and logs were put, when there are problems. */
  readonly evidence: string | undefined;
}

const EVIDENCE = new URL('../../.cache/faults/', import.meta.url);
/** Problems told of one row; there are more in the evidence. */
const TOLD = 5;

/** Runs a row on a stage of its own, then lets the recordings speak. */
export async function runRow(row: Row, seed: number): Promise<Outcome> {
  const nothing = { row, seed, isSkipped: false, seconds: undefined, problems: [], evidence: undefined };
  if (row.stage?.redis && !hasRedis(nameOf(row))) return { ...nothing, isSkipped: true };
  let stage: Stage;
  try {
    stage = await Stage.start({ ...row.stage, seed });
  } catch (error) {
    return { ...nothing, problems: [`it could not begin: ${String(error)}`] };
  }
  try {
    return { ...nothing, ...(await play(row, stage, seed)) };
  } finally {
    await stage[Symbol.asyncDispose]();
  }
}

async function play(row: Row, stage: Stage, seed: number): Promise<Pick<Outcome, 'seconds' | 'problems' | 'evidence'>> {
  const problems: string[] = [];
  let seconds: number | undefined;
  try {
    await stage.live();
    seconds = await row.run(stage);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  problems.push(...overdue(row, seconds));
  const isOver = problems.length === 0 && row.endsConverged !== false;
  problems.push(...stage.defects(isOver));
  const evidence = problems.length === 0 ? undefined : keepEvidence(row, seed, stage, problems);
  return { seconds, problems: problems.slice(0, TOLD), evidence };
}

function overdue({ boundSeconds }: Row, seconds: number | undefined): string[] {
  if (boundSeconds === undefined || seconds === undefined || seconds <= boundSeconds) return [];
  return [`it took ${seconds.toFixed(1)} s, and may take ${boundSeconds} s`];
}

function keepEvidence(row: Row, seed: number, stage: Stage, problems: readonly string[]): string {
  mkdirSync(EVIDENCE, { recursive: true });
  const file = new URL(`${nameOf(row).replaceAll(/\W+/g, '-')}-seed-${seed}.json`, EVIDENCE);
  writeFileSync(file, JSON.stringify({ problems, ...stage.evidence() }, null, 1));
  return file.pathname;
}
