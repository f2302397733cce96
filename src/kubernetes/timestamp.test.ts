import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { milliseconds, timestamp } from './timestamp.ts';

describe('timestamp', () => {
  it.each([
    ['2026-01-05T10:00:00Z', '2026-01-05T10:00:00Z'],
    ['2026-01-05T10:00:00.123456Z', '2026-01-05T10:00:00.123Z'],
    ['2026-01-05T10:00:00.000000Z', '2026-01-05T10:00:00Z'],
    ['2026-01-05T12:00:00+02:00', '2026-01-05T10:00:00Z'],
  ])('reads %s', (written, expected) => {
    expect(timestamp(written)).toBe(expected);
  });

  it.each([null, undefined, '', 0, 1_767_607_200_000, '1', 'yesterday', '2026', '2026-13-05T10:00:00Z', {}, []])(
    'takes %j for no time',
    (written) => {
      expect(timestamp(written)).toBeUndefined();
    },
  );

  it('takes Go’s zero time for none', () => {
    expect(milliseconds('0001-01-01T00:00:00Z')).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (written) => {
        expect(Number.isNaN(milliseconds(written))).toBe(false);
      }),
    );
  });
});
