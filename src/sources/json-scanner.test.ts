import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScanner, type ScanResult } from './json-scanner.ts';

const containers = fc.oneof(
  fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' })),
  fc.array(fc.jsonValue(), { maxLength: 5 }),
);
const indent = fc.constantFrom(undefined, 2);

describe('JsonScanner', () => {
  it('finds the end of a document, and not before it', () => {
    fc.assert(
      fc.property(containers, indent, fc.string(), fc.nat(), (value, space, rest, cut) => {
        const text = JSON.stringify(value, null, space);
        const at = cut % text.length;
        const scanner = new JsonScanner();
        expect(scanner.push(text.slice(0, at)).kind).toBe('incomplete');
        expect(scanner.push(text.slice(at) + rest)).toEqual({ kind: 'complete', end: text.length - at });
      }),
    );
  });

  it('reads on from where it is told to', () => {
    expect(new JsonScanner().push('{}[1]', 2)).toEqual({ kind: 'complete', end: 5 });
  });

  it('tells at once when something can become no document', () => {
    const broken = [
      'x',
      '1',
      '"a"',
      '}',
      '{,',
      '{1',
      '{"a",',
      '{"a":,',
      '{"a":1,}',
      '[1 2',
      '[1,]',
      '[}',
      '{"a":"\u0001',
      '[tr!',
    ];
    for (const text of broken) expect([text, new JsonScanner().push(text).kind]).toEqual([text, 'invalid']);
  });

  it('agrees with JSON.parse on what is whole, but for words, numbers and escapes', () => {
    const tokens = fc.array(fc.constantFrom('{', '}', '[', ']', ':', ',', '"a"', '1', 'true', ' ', '\n'), {
      maxLength: 14,
    });
    fc.assert(
      fc.property(tokens, (parts) => {
        const text = `[${parts.join(' ')}`;
        const result = new JsonScanner().push(text);
        const whole: ScanResult = { kind: 'complete', end: text.trimEnd().length };
        expect(result.kind === 'complete' && parses(text.slice(0, result.end))).toBe(result.kind === 'complete');
        expect(parses(text) ? result : whole).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not go deeper than a thousand levels', () => {
    expect(new JsonScanner().push('['.repeat(1_000)).kind).toBe('incomplete');
    expect(new JsonScanner().push('['.repeat(1_001)).kind).toBe('invalid');
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
