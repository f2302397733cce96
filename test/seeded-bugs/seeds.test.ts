import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { plant } from './seed.ts';
import { SEEDS } from './seeds.ts';

const read = (file: string) => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');

/** That each is noticed by its test is for `npm run seeded-bugs`; that none has been left behind is seen here. */
describe('the deliberate defects', () => {
  it('have names of their own', () => {
    const names = SEEDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
  });

  it.each(SEEDS)('$name fits the source as it is', (seed) => {
    expect(plant(seed, read(seed.file))).not.toBe(read(seed.file));
  });

  it.each(SEEDS)('$name names a test that is there', ({ caughtBy }) => {
    // A title in the source may be in quotation marks of another kind, with a backslash before some.
    expect(read(caughtBy.file).replaceAll('\\', '')).toContain(caughtBy.test);
  });
});
