import { describe, expect, it } from 'vitest';
import { integer, isRecord, list, optionalInteger, optionalText, record, records, text } from './json.ts';

describe('reading unknown JSON', () => {
  it('gives what is there', () => {
    expect(record({ a: 1 })).toEqual({ a: 1 });
    expect(list([1])).toEqual([1]);
    expect(text('a')).toBe('a');
    expect(integer(-3)).toBe(-3);
    expect(optionalInteger(0)).toBe(0);
    expect(records([{ a: 1 }, null, 'x'])).toEqual([{ a: 1 }, {}, {}]);
  });

  it.each([undefined, null, true, 'text', 1.5, 2 ** 53, [1], { a: 1 }])('gives a safe default for %j', (value) => {
    expect(isRecord(record(value))).toBe(true);
    expect(list(value)).toBeInstanceOf(Array);
    expect(records(value)).toBeInstanceOf(Array);
    expect(text(value)).toBeTypeOf('string');
    expect(integer(value)).toBe(0);
    expect(optionalInteger(value)).toBeUndefined();
  });

  it('takes the empty string for none', () => {
    expect(optionalText('')).toBeUndefined();
    expect(optionalText(1)).toBeUndefined();
  });

  it('does not let one reader change the default of another', () => {
    expect(Object.isFrozen(record(null))).toBe(true);
    expect(Object.isFrozen(list(null))).toBe(true);
  });
});
