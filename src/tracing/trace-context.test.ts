import { describe, expect, it } from 'vitest';
import { formatTraceparent, nextSpan, parseTraceparent } from './trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent', () => {
  it('is read and written as the recommendation has it', () => {
    const context = parseTraceparent(`00-${TRACE}-${SPAN}-01`);
    expect(context).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true });
    expect(formatTraceparent({ traceId: TRACE, spanId: SPAN, isSampled: false })).toBe(`00-${TRACE}-${SPAN}-00`);
  });

  it('of a later version may have more in it', () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-03-what.the.future.brings`)).toMatchObject({ isSampled: true });
  });

  it.each([
    ['nothing', undefined],
    ['several', [`00-${TRACE}-${SPAN}-01`]],
    ['a version that must not be', `ff-${TRACE}-${SPAN}-01`],
    ['more than version 00 has', `00-${TRACE}-${SPAN}-01-more`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capital letters', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a header in the header', `00-${TRACE}-${SPAN}-01\r\nx-evil: 1`],
  ])('is nothing when it is %s', (_what, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  it('goes on in the same trace with a span of its own, or begins one', () => {
    const parent = { traceId: TRACE, spanId: SPAN, isSampled: true };
    const next = nextSpan(parent);
    expect(next).toMatchObject({ traceId: TRACE, isSampled: true });
    expect(next.spanId).not.toBe(SPAN);
    expect(parseTraceparent(formatTraceparent(nextSpan(undefined)))?.isSampled).toBe(false);
    expect(nextSpan(undefined).traceId).not.toBe(nextSpan(undefined).traceId);
  });
});
