import { describe, expect, it } from 'vitest';
import { LineSplitter } from './line-splitter.ts';
import { MAX_LINE_BYTES, TimeKeys, timeKey } from './log-line.ts';

const STAMP = '2026-03-01T12:00:00.123456789Z';

function contents(...chunks: readonly (string | Uint8Array)[]): string[] {
  const splitter = new LineSplitter();
  const lines = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)));
  return [...lines, ...splitter.end()].map(({ content }) => content);
}

describe('LineSplitter', () => {
  it('takes the time off each line', () => {
    const [line] = new LineSplitter().push(Buffer.from(`${STAMP} hello world\n`));
    expect(line).toEqual({
      timestamp: STAMP,
      at: timeKey(Date.parse('2026-03-01T12:00:00Z')).slice(0, 13) + '123456789',
      content: 'hello world',
      truncated: false,
    });
  });

  it.each([
    [`${STAMP} \n`, ''],
    [`${STAMP}\n`, ''],
    ['no time here\n', 'no time here'],
    ['\n', ''],
    [`${STAMP}  indented\n`, ' indented'],
    [`${STAMP} with\rreturn\r\n`, 'with\rreturn\r'],
    [`2026-03-01T12:00:00+02:00 zone\n`, 'zone'],
  ])('reads %j as %j', (written, content) => {
    expect(contents(written)).toEqual([content]);
  });

  it('puts characters together again wherever they are torn', () => {
    const text = `${STAMP} Grüße, 世界 🚀!\n${STAMP} ünde\n`;
    const bytes = Buffer.from(text);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      expect(contents(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(['Grüße, 世界 🚀!', 'ünde']);
    }
    expect(contents(...[...bytes].map((byte) => Buffer.from([byte])))).toEqual(['Grüße, 世界 🚀!', 'ünde']);
  });

  it('keeps a last line without its end, once', () => {
    expect(contents('a\nb')).toEqual(['a', 'b']);
    const splitter = new LineSplitter();
    splitter.push(Buffer.from('x'));
    expect(splitter.end()).toHaveLength(1);
    expect(splitter.end()).toEqual([]);
  });

  it('reads 100,000 lines in one chunk', () => {
    const chunk = Array.from({ length: 100_000 }, (_, index) => `${STAMP} line ${index}\n`).join('');
    const lines = contents(chunk);
    expect(lines).toHaveLength(100_000);
    expect(lines.at(-1)).toBe('line 99999');
  });

  it('keeps the beginning of a line of 1 MB, and what follows it', () => {
    const splitter = new LineSplitter();
    const long = Buffer.from(`${STAMP} ${'ü'.repeat(512 * 1024)}\n${STAMP} next\n`);
    const lines = [];
    for (let start = 0; start < long.length; start += 10_001)
      lines.push(...splitter.push(long.subarray(start, start + 10_001)));
    expect(lines).toHaveLength(2);
    expect(Buffer.byteLength(lines[0]?.content ?? '')).toBe(MAX_LINE_BYTES);
    expect(lines[0]).toMatchObject({
      truncated: true,
      timestamp: STAMP,
      content: expect.stringMatching(/^ü+$/) as string,
    });
    expect(lines[1]).toMatchObject({ truncated: false, content: 'next' });
  });

  it('cuts before a character that does not fit', () => {
    const [line] = new LineSplitter().push(Buffer.from(`${STAMP} x${'世'.repeat(30_000)}\n`));
    expect(line?.content).toBe(`x${'世'.repeat(21_845)}`);
  });

  it('does not call a line too long that just fits', () => {
    const [line] = new LineSplitter().push(Buffer.from(`${STAMP} ${'x'.repeat(MAX_LINE_BYTES)}\n`));
    expect(line).toMatchObject({ truncated: false });
    expect(line?.content).toHaveLength(MAX_LINE_BYTES);
  });
});

describe('TimeKeys', () => {
  it('sorts as time does, whatever the number of digits and the zone', () => {
    const keys = new TimeKeys();
    const times = [
      '2026-03-01T12:00:00Z',
      '2026-03-01T12:00:00.1Z',
      '2026-03-01T12:00:00.12Z',
      '2026-03-01T13:00:00.120000001+01:00',
      '2026-03-01T12:00:01Z',
    ].map((time) => keys.of(time));
    expect(times).toEqual(times.toSorted((a = '', b = '') => (a < b ? -1 : 1)));
    expect(keys.of('2026-03-01T12:00:00.5Z')).toBe(timeKey(Date.parse('2026-03-01T12:00:00.5Z')));
    expect(keys.of('yesterday')).toBeUndefined();
  });
});
