import { describe, expect, it } from 'vitest';
import { KAS } from '../kas/kas.ts';
import { MAX_RETRY_AFTER_MS, refusalError, type Refusal } from './error-map.ts';

const NOW = Date.UTC(2026, 0, 1);
const REFUSAL: Refusal = { code: 503, status: {}, gitlabUnauthorized: false, retryAfter: undefined, nowMs: NOW };

const wait = (refusal: Partial<Refusal>) => refusalError({ ...REFUSAL, ...refusal }, 'list pods', KAS).retryAfterMs;
const inStatus = (retryAfterSeconds: unknown) => wait({ status: { details: { retryAfterSeconds } } });

describe('the wait that a refusal asks for', () => {
  it('is read from the header, as seconds or a date, else from the Status', () => {
    expect(wait({ retryAfter: ' 7 ' })).toBe(7_000);
    expect(wait({ retryAfter: new Date(NOW + 9_000).toUTCString() })).toBe(9_000);
    expect(wait({ retryAfter: new Date(NOW - 9_000).toUTCString() })).toBe(0);
    expect(inStatus(3)).toBe(3_000);
    expect([wait({}), wait({ retryAfter: 'soon' }), inStatus(-1), inStatus('3')]).toEqual(Array(4).fill(undefined));
  });

  it.each(['301', '999999', '99999999999999999999', 'Fri, 31 Dec 9999 23:59:59 GMT'])(
    'is no longer than five minutes: %s',
    (retryAfter) => {
      expect(wait({ retryAfter })).toBe(MAX_RETRY_AFTER_MS);
    },
  );

  it.each([301, 999_999, 1e300, JSON.parse('1e999') as number])('in a Status neither: %d', (seconds) => {
    expect(inStatus(seconds)).toBe(MAX_RETRY_AFTER_MS);
  });
});
