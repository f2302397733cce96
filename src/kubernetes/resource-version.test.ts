import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareResourceVersions } from './resource-version.ts';

const revision = fc.stringMatching(/^[1-9][0-9]{0,38}$/, { size: 'max' });
/** Any two, or two neighbours: long ones differ in digits that a double does not hold. */
const pair = fc.oneof(
  fc.tuple(revision, revision),
  revision.map((a) => [a, String(BigInt(a) + 1n)] as const),
);

describe('compareResourceVersions', () => {
  it.each([
    ['9', '10', -1],
    ['10', '9', 1],
    ['10', '10', 0],
    ['9007199254740992', '9007199254740993', -1],
    ['340282366920938463463374607431768211456', '340282366920938463463374607431768211455', 1],
    ['', '', 0],
    ['abc', 'abc', 0],
    ['', '1', 'unknown'],
    ['0', '1', 'unknown'],
    ['1', '0', 'unknown'],
    ['01', '1', 'unknown'],
    ['-1', '1', 'unknown'],
    ['+1', '1', 'unknown'],
    ['1e3', '1000', 'unknown'],
    ['1 ', '1', 'unknown'],
    ['1\n', '1', 'unknown'],
    ['١', '1', 'unknown'],
    ['a', 'b', 'unknown'],
  ] as const)('orders %j and %j as %s', (a, b, expected) => {
    expect(compareResourceVersions(a, b)).toBe(expected);
  });

  it('agrees with the numbers, however long', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const expected = BigInt(a) === BigInt(b) ? 0 : BigInt(a) < BigInt(b) ? -1 : 1;
        expect(compareResourceVersions(a, b)).toBe(expected);
      }),
    );
  });

  it('never orders what is not a number', () => {
    const other = fc.string().filter((text) => !/^[1-9][0-9]*$/.test(text));
    fc.assert(
      fc.property(other, revision, (a, b) => {
        expect(compareResourceVersions(a, b)).toBe('unknown');
        expect(compareResourceVersions(b, a)).toBe('unknown');
      }),
    );
  });
});
