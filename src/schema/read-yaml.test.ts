import { describe, expect, it } from 'vitest';
import { readYaml, YamlProblem } from './read-yaml.ts';

async function valuesOf(text: string): Promise<unknown[]> {
  return (await readYaml(text)).map(({ value }) => value);
}

async function problemOf(text: string): Promise<[line: number, message: string]> {
  try {
    await readYaml(text);
  } catch (error) {
    if (error instanceof YamlProblem) return [error.line, error.message];
    throw error;
  }
  throw new Error('it was read');
}

describe('readYaml', () => {
  it('reads as kubectl does: octal modes, yes and no, merged maps; times stay text', async () => {
    const text = 'mode: 0644\nyes: no\nat: 2026-01-01\nclock: 12:30\nquoted: "yes"\nnull: ~\n';
    expect(await valuesOf(text)).toEqual([
      { mode: 420, true: false, at: '2026-01-01', clock: '12:30', quoted: 'yes', '': null },
    ]);
    expect(await valuesOf('a: &a {x: 1}\nb: {<<: *a, z: 2}\n')).toEqual([{ a: { x: 1 }, b: { x: 1, z: 2 } }]);
  });

  it('finds the documents that hold something, and where they begin', async () => {
    expect(await readYaml('# first\na: 1\n---\n# nothing\n---\n---\n\nb: 2\n...\n')).toEqual([
      { number: 1, line: 2, value: { a: 1 } },
      { number: 2, line: 8, value: { b: 2 } },
    ]);
    expect(await readYaml('')).toEqual([]);
  });

  it.each([
    ['a bracket that is never closed', 'a: 1\n---\nb: [1', 3],
    ['a quote that is never closed', 'a:\n  b: "x', 2],
    ['a key twice', 'a: 1\nb: 2\na: 3\n', 3],
    ['bad indentation', 'a:\n  b: 1\n c: 2\n', 3],
    ['a tag that JSON has no word for', 'a: 1\nb: !!binary aGk=\n', 2],
    ['a tag of its own', 'a: !mine 1\n', 1],
    ['an alias of nothing', 'a: *nothing\n', 1],
  ])('names the line of %s', async (_what, text, line) => {
    expect(await problemOf(text)).toEqual([line, expect.stringMatching(/\w/)]);
  });

  it('keeps what looks like a prototype a key like any other', async () => {
    const [value] = await valuesOf('__proto__: {polluted: 1}\n');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect('polluted' in {}).toBe(false);
  });

  it.each(['[', '{a: ', '- ', '? ', '[a: ', '- ? '])(
    'refuses %j a hundred thousand characters deep',
    async (opening) => {
      const text = opening.repeat(100_000 / opening.length);
      expect(await problemOf(text)).toEqual([1, 'more than 100 levels']);
    },
  );

  it('takes a hundred levels', async () => {
    expect(await valuesOf(`${'['.repeat(100)}${']'.repeat(100)}`)).toHaveLength(1);
    expect(await problemOf(`${'['.repeat(101)}${']'.repeat(101)}`)).toEqual([1, 'more than 100 levels']);
  });

  it('refuses aliases that unfold to more than memory holds', async () => {
    const doubled = Array.from({ length: 40 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`);
    expect(await problemOf(`a0: &a0 [x]\n${doubled.join('\n')}\n`)).toEqual([1, expect.stringContaining('alias')]);
    const large = `a: &a "${'x'.repeat(50_000)}"\nb: [*a, *a]\n`;
    expect(await problemOf(large)).toEqual([1, 'more than 100000 characters as JSON']);
  });

  it('lets others have their turn while it reads much', async () => {
    let turns = 0;
    let isRead = false;
    const count = () => {
      turns += 1;
      if (!isRead) setImmediate(count);
    };
    setImmediate(count);
    await readYaml(Array.from({ length: 5_000 }, (_, index) => `k${index}: v${index}`).join('\n'));
    isRead = true;
    expect(turns).toBeGreaterThan(0);
  });
});
