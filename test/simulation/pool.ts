import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './simulation.ts';

export interface Seeds {
  readonly from: number;
  readonly count: number;
  readonly workers: number;
}

/** How long one run may take before it counts as hung, in milliseconds: a loop that never yields cannot be broken into. */
const HUNG_MS = 30_000;
const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));

/**
 * Runs seeds in processes of their own, so many at a time. One that hangs is the last: what made it go round in circles
 * would most likely do so in the others, for as long in each.
 */
export async function runSeeds({ from, count, workers }: Seeds, onOutcome: (outcome: Outcome) => void): Promise<void> {
  const seeds = Array.from({ length: count }, (_, index) => from + index).values();
  let hasHung = false;
  const work = async () => {
    const worker = newWorker();
    for (const seed of seeds) {
      if (hasHung) break;
      const outcome = await outcomeOf(worker, seed);
      hasHung ||= outcome === undefined;
      onOutcome(outcome ?? hung(seed));
    }
    worker.kill('SIGKILL');
  };
  await Promise.all(Array.from({ length: workers }, work));
}

function hung(seed: number): Outcome {
  const failure = `seed ${seed}: it did not end within ${HUNG_MS / 1_000} s: something goes round in circles. It is the last.`;
  return { seed, failure, sometimes: new Map(), lasted: 0 };
}

function newWorker(): ChildProcess {
  return fork(WORKER, { execArgv: [], serialization: 'advanced' });
}

/** Undefined when it hangs. */
async function outcomeOf(worker: ChildProcess, seed: number): Promise<Outcome | undefined> {
  const signal = AbortSignal.timeout(HUNG_MS);
  worker.send(seed);
  try {
    const [outcome] = (await once(worker, 'message', { signal })) as [Outcome];
    return outcome;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
