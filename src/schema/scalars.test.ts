import { describe, expect, it } from 'vitest';
import { dateTime, json } from './scalars.ts';

describe('DateTime', () => {
  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.123456Z', '2026-01-01T00:00:00.123456Z'],
    ['2026-01-01T00:00:00+01:00', '2026-01-01T00:00:00+01:00'],
    [0, '1970-01-01T00:00:00.000Z'],
  ])('writes %o as %s', (value, text) => {
    expect(dateTime.serialize(value)).toBe(text);
  });

  it.each(['', 'yesterday', '2026-01-01', Number.NaN, Infinity, 1e20, {}, null, true])('refuses %o', (value) => {
    expect(() => dateTime.serialize(value)).toThrow('DateTime');
  });

  it('is no input', () => {
    expect(() => dateTime.parseValue()).toThrow('input');
  });
});

describe('JSON', () => {
  it.each([null, true, 0, '', [1], { a: { b: [] } }])('passes %o on', (value) => {
    expect(json.serialize(value)).toBe(value);
  });

  it.each([undefined, Number.NaN, Infinity, 1n, Symbol('x'), () => 1])('refuses %o', (value) => {
    expect(() => json.serialize(value)).toThrow('JSON');
  });

  it('is no input', () => {
    expect(() => json.parseValue()).toThrow('input');
  });
});
