import { describe, expect, it } from 'vitest';
import { runSeeds } from './pool.ts';
import { simulate } from './simulation.ts';
import { COMMON, Sometimes } from './sometimes.ts';

/** A few of what `npm run sim` runs a thousand of. */
const SEEDS = 24;

describe('replicas in a simulated world', () => {
  it('keep the rules whatever happens', { timeout: 120_000 }, async () => {
    const failures: string[] = [];
    const sometimes = new Sometimes();
    await runSeeds({ from: 1, count: SEEDS, workers: 2 }, (outcome) => {
      sometimes.add(outcome.sometimes);
      if (outcome.failure !== undefined) failures.push(outcome.failure);
    });
    expect(failures.join('\n\n')).toBe('');
    expect(sometimes.missing(COMMON)).toEqual([]);
  });

  it('do the same again with the same seed', { timeout: 60_000 }, async () => {
    const [first, again] = [await storyOf(3), await storyOf(3)];
    expect(first.length).toBeGreaterThan(100);
    expect(again).toEqual(first);
  });
});

/** Names that are made at random, of epochs and replicas, stand for themselves: each by the place where it first appears. */
async function storyOf(seed: number): Promise<string[]> {
  const lines: string[] = [];
  await simulate(seed, (line) => lines.push(line));
  const names = new Map<string, number>();
  const numbered = (name: string) => names.get(name) ?? (names.set(name, names.size), names.size - 1);
  return lines.map((line) => line.replaceAll(/→ ([\w-]{12})\//g, (_, epoch: string) => `→ #${numbered(epoch)}/`));
}
