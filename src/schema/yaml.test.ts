import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { toYaml, YamlWriter } from './yaml.ts';

const nested = (levels: number): unknown => {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
};

describe('toYaml', () => {
  it('is what people expect of it', () => {
    const shared = { a: 1 };
    const value = { name: 'web', list: [{ x: 1 }], text: 'one\ntwo\n', none: null, empty: {}, b: shared, c: shared };
    expect(toYaml(value)).toBe(
      'name: web\nlist:\n  - x: 1\ntext: |\n  one\n  two\nnone: null\nempty: {}\nb:\n  a: 1\nc:\n  a: 1\n',
    );
  });

  it.each(['yes', 'on', 'n', '0777', '1:30', '1e3', '2026-03-01', 'null', '~', '', '- a', 'a: b', '#', '\t', '=a'])(
    'is read back as the same string in YAML 1.1 and 1.2: %j',
    (text) => {
      const written = toYaml({ [text]: text });
      expect(parse(written, { version: '1.1' })).toEqual({ [text]: text });
      expect(parse(written, { version: '1.2' })).toEqual({ [text]: text });
    },
  );

  it('writes what is long or deep as JSON, which is YAML too', () => {
    const long = { text: 'x'.repeat(100_000) };
    const deep = nested(3_000);
    expect(toYaml(long)).toBe(`${JSON.stringify(long, null, 2)}\n`);
    expect(JSON.parse(toYaml(deep))).toEqual(JSON.parse(JSON.stringify(deep)));
    expect(toYaml(nested(50))).toMatch(/^a:\n {2}a:/);
  });
});

describe('YamlWriter', () => {
  const slow = { list: Array.from({ length: 2_000 }, (_, index) => ({ name: `n${index}`, value: 'some text' })) };

  const long = { text: 'x'.repeat(90_000) };

  it('leaves turns to others, and keeps the order', async () => {
    const writer = new YamlWriter();
    let turns = 0;
    const timer = setInterval(() => (turns += 1));
    const write = async (index: number) => writer.write({ index, slow });
    const texts = await Promise.all(Array.from({ length: 20 }, (_, index) => write(index)));
    clearInterval(timer);
    expect(texts.map((text) => text.slice(0, text.indexOf('\n')))).toEqual(
      Array.from({ length: 20 }, (_, index) => `index: ${index}`),
    );
    expect(turns).toBeGreaterThan(1);
  });

  it('refuses what would keep it busy for long', async () => {
    const writer = new YamlWriter();
    const many = [...Array.from({ length: 5 }, () => slow), ...Array.from({ length: 200 }, () => long)];
    const asked = many.map(async (value) => writer.write(value));
    const refused = (await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ reason: { code: 'LIMIT_EXCEEDED' } });
    expect(await writer.write({ a: 1 })).toBe('a: 1\n');
  });
});
