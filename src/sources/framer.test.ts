import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Framer, MAX_DOCUMENT_BYTES } from './framer.ts';
import { UpstreamError } from './upstream-error.ts';

const encoder = new TextEncoder();

/** Objects and arrays of anything JSON can hold, with all of Unicode in keys and texts. */
const documents = fc.array(
  fc.oneof(
    fc.dictionary(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constant('__proto__')),
      fc.jsonValue({ stringUnit: 'binary' }),
    ),
    fc.array(fc.jsonValue({ stringUnit: 'grapheme' }), { maxLength: 5 }),
    fc.constantFrom({ text: '😀 \u2028 é " \\ \n } ] {' }, JSON.parse('{"__proto__":{"a":1}}') as object, nested(60)),
  ),
  { maxLength: 8 },
);

const between = fc.constantFrom('\n', '\r\n', '\n\n', ' \n ', '', '  ', '\t');
const indent = fc.constantFrom(undefined, 1, 2, '\t');
const lineEnd = fc.constantFrom('\n', '\r\n');

describe('Framer', () => {
  it('gives exactly the documents, however they are written and cut', () => {
    fc.assert(
      fc.property(
        documents,
        fc.array(fc.tuple(between, indent), { minLength: 8, maxLength: 8 }),
        lineEnd,
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 12 }),
        (values, styles, newline, withMark, cuts) => {
          const texts = values.map((value, index) => {
            const [separator, space] = styles[index] ?? ['\n', undefined];
            return `${JSON.stringify(value, null, space).replaceAll('\n', newline)}${separator}`;
          });
          const bytes = encoder.encode(`${withMark ? '\uFEFF' : ''}${texts.join('')}`);
          expect(frame(cutAt(bytes, cuts))).toEqual(
            values.map((value) => JSON.parse(JSON.stringify(value)) as unknown),
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  it('gives the same when every byte comes alone', () => {
    fc.assert(
      fc.property(documents, indent, (values, space) => {
        const bytes = encoder.encode(
          `\uFEFF${values.map((value) => `${JSON.stringify(value, null, space)}\n`).join('')}`,
        );
        expect(frame(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toHaveLength(values.length);
      }),
      { numRuns: 50 },
    );
  });

  it('forgets what was torn, wherever it was torn, and nothing else', () => {
    fc.assert(
      fc.property(documents, indent, fc.nat(), fc.array(fc.nat(), { maxLength: 5 }), (values, space, at, cuts) => {
        const texts = values.map((value) => `${JSON.stringify(value, null, space)}\n`);
        const bytes = encoder.encode(texts.join(''));
        const torn = bytes.subarray(0, at % (bytes.length + 1));
        let whole = 0;
        for (let length = 0; whole < texts.length; whole += 1) {
          length += encoder.encode(texts[whole]).length;
          if (length - 1 > torn.length) break; // it is complete without its line feed, too
        }
        expect(frame(cutAt(torn, cuts))).toHaveLength(whole);
      }),
      { numRuns: 300 },
    );
  });

  it('does not wait for the end of a line', () => {
    const framer = new Framer();
    expect([...framer.push(encoder.encode('{"a":1}'))]).toEqual([{ a: 1 }]);
    expect([...framer.push(encoder.encode('{"b":2}{"c":'))]).toEqual([{ b: 2 }]);
    expect([...framer.push(encoder.encode('3}\n{"d":4}\n'))]).toEqual([{ c: 3 }, { d: 4 }]);
  });

  it('keeps __proto__ as the data it is', () => {
    const [document] = frame([encoder.encode('{"__proto__":{"polluted":true}}\n')]);
    expect(Object.hasOwn(document as object, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(document)).toBe(Object.prototype);
  });

  const junk = {
    'a page of HTML': '<html>',
    'a bare word': 'null\n',
    'a bare number': '17\n',
    'a bare text': '"text"\n',
    'an unknown word': 'hello\n',
    'a comma too many': '{"a":1,}\n',
    'a missing colon': '{"a" 1}\n',
    'a wrong bracket': '{"a":[1}\n',
    'a stray bracket': '}\n',
    'a line feed in a text': '{"a":"b\nc"}\n',
    'a word that is none': '{"a":nul}\n',
    'an escape that is none': '{"a":"\\x"}\n',
    'a single quote': "{'a':1}\n",
    'something after a document': '{"a":1} x',
    'a mark that is not at the start': '{"a":1}\n\uFEFF{"b":2}\n',
  };

  it.each(Object.entries(junk))('is told of %s, with documents before it delivered', (_, text) => {
    for (const cuts of [[], [1], [12, 14], [13, 15, 16]]) {
      const framer = new Framer();
      const got: unknown[] = [];
      const feed = () => {
        for (const piece of cutAt(encoder.encode(`{"first":1}\n${text}`), cuts)) {
          for (const document of framer.push(piece)) got.push(document);
        }
      };
      expect(feed).toThrow(expect.objectContaining({ failure: 'malformed' }) as Error);
      expect(got[0]).toEqual({ first: 1 });
    }
  });

  it('is told of bytes that are no UTF-8', () => {
    const bad = Buffer.concat([encoder.encode('{"a":"'), Uint8Array.of(0xc3, 0x28), encoder.encode('"}\n')]);
    expect(() => frame([bad])).toThrow(UpstreamError);
    expect(() => frame([bad.subarray(0, 7), bad.subarray(7)])).toThrow(UpstreamError);
  });

  it('never swallows a document nor makes one up, whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(), { maxLength: 4 }), (bytes, cuts) => {
        const whole = attempt([bytes]);
        const inPieces = attempt(cutAt(bytes, cuts));
        expect(inPieces).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  it('reads what looks almost like JSON the same, in one piece or in many', () => {
    const almost = fc
      .array(fc.constantFrom('{', '}', '[', ']', ':', ',', '"a"', '1', 'true', ' ', '\n', '\\', '"', 'x', 'é'), {
        maxLength: 20,
      })
      .map((tokens) => encoder.encode(tokens.join('')));
    fc.assert(
      fc.property(almost, fc.array(fc.nat(), { maxLength: 6 }), (bytes, cuts) => {
        expect(attempt(cutAt(bytes, cuts))).toEqual(attempt([bytes]));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['in one piece', (text: string) => [encoder.encode(text)]],
    ['in many pieces', (text: string) => inPieces(encoder.encode(text), 64 * 1024)],
  ])('accepts 16 MiB and not much more, %s', (_, cut) => {
    expect(frame(cut(`${documentOf(MAX_DOCUMENT_BYTES)}\n`))).toHaveLength(1);
    expect(() => frame(cut(`${documentOf(MAX_DOCUMENT_BYTES + 2)}\n`))).toThrow(/more than 16777216 bytes/);
  });

  it('counts bytes, not characters', () => {
    const text = `["${'語'.repeat(1_000)}",\n`.concat(`"${'語'.repeat(1_000)}",\n`.repeat(5_700), '1]\n');
    expect(text.length).toBeLessThan(MAX_DOCUMENT_BYTES);
    expect(() => frame(inPieces(encoder.encode(text), 64 * 1024))).toThrow(/more than 16777216 bytes/);
  });

  it('has no limit on a line of many documents', () => {
    const line = `{"a":"${'x'.repeat(1_000_000)}"}`.repeat(20);
    expect(frame(inPieces(encoder.encode(line), 64 * 1024))).toHaveLength(20);
    expect(frame([encoder.encode(`${line}\n`)])).toHaveLength(20);
  });

  it.each([
    ['100,000 lines in one chunk', () => ['{"a":1}\n'.repeat(100_000), 100_000] as const],
    ['100,000 documents on one line', () => ['{"a":1}'.repeat(100_000), 100_000] as const],
    ['one document over 100,000 lines', () => [`[${'1,\n'.repeat(100_000)}1]\n`, 1] as const],
  ])('is linear for %s', (_, make) => {
    const [text, count] = make();
    const bytes = encoder.encode(text);
    for (const pieces of [[bytes], inPieces(bytes, 1_000)]) {
      const startedAt = performance.now();
      expect(frame(pieces)).toHaveLength(count);
      expect(performance.now() - startedAt).toBeLessThan(1_500);
    }
  });
});

/** A document of so many bytes. */
function documentOf(bytes: number): string {
  return `["${'x'.repeat(bytes - 4)}"]`;
}

function frame(pieces: Iterable<Uint8Array>): unknown[] {
  const framer = new Framer();
  const found: unknown[] = [];
  for (const piece of pieces) for (const document of framer.push(piece)) found.push(document);
  return found;
}

/** The documents, and whether it then threw what it may throw. */
function attempt(pieces: Iterable<Uint8Array>): { documents: unknown[]; malformed: boolean } {
  const framer = new Framer();
  const documents: unknown[] = [];
  try {
    for (const piece of pieces) for (const document of framer.push(piece)) documents.push(document);
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.failure !== 'malformed') throw error;
    return { documents, malformed: true };
  }
  return { documents, malformed: false };
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end));
}

function inPieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

function nested(depth: number): unknown {
  return depth === 0 ? {} : [nested(depth - 1)];
}
