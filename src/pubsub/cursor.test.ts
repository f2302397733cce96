import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PODS, SERVICES } from '../kubernetes/resources.ts';
import { decodeCursor, encodeCursor, viewOf } from './cursor.ts';

const KEY = { agentId: '7', namespace: 'shop', resource: PODS };
const VIEW = viewOf(KEY, '');
const epochs = fc.uint8Array({ minLength: 9, maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64url'));

describe('cursor', () => {
  it('comes back as the revision it was', () => {
    fc.assert(
      fc.property(epochs, fc.maxSafeNat(), fc.string(), (epoch, offset, filterKey) => {
        const view = viewOf(KEY, filterKey);
        const cursor = encodeCursor({ epoch, offset }, view);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(decodeCursor(cursor, view)).toEqual({ epoch, offset });
        expect(decodeCursor(cursor, viewOf(KEY, `${filterKey}!`))).toBeUndefined();
      }),
    );
  });

  it('is nothing when it is anything else, and nothing throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
        expect(decodeCursor(text, VIEW)).toBeUndefined();
      }),
    );
  });

  it('is nothing or a well-formed revision when one letter of it was changed', () => {
    fc.assert(
      fc.property(epochs, fc.nat(), fc.nat(), fc.string({ maxLength: 1 }), (epoch, offset, at, letter) => {
        const cursor = encodeCursor({ epoch, offset }, VIEW);
        const index = at % cursor.length;
        const decoded = decodeCursor(cursor.slice(0, index) + letter + cursor.slice(index + 1), VIEW);
        if (decoded === undefined) return;
        expect(decoded.epoch).toMatch(/^[\w-]{12}$/);
        expect(Number.isSafeInteger(decoded.offset) && decoded.offset >= 0).toBe(true);
      }),
    );
  });

  it.each([
    ['another version', `2.AAAAAAAAAAAA.5.${VIEW}`],
    ['an offset beyond what a double holds', `1.AAAAAAAAAAAA.zzzzzzzzzzz.${VIEW}`],
    ['a negative offset', `1.AAAAAAAAAAAA.-5.${VIEW}`],
    ['an epoch that is too short', `1.AAAA.5.${VIEW}`],
    ['something after it', `1.AAAAAAAAAAAA.5.${VIEW}\n`],
    ['a part too many', `1.AAAAAAAAAAAA.5.5.${VIEW}`],
  ])('is nothing with %s', (_, text) => {
    expect(decodeCursor(Buffer.from(text).toString('base64url'), VIEW)).toBeUndefined();
  });

  it('knows what was looked at', () => {
    const views = [
      viewOf(KEY, ''),
      viewOf(KEY, 'x'),
      viewOf({ ...KEY, agentId: '8' }, ''),
      viewOf({ ...KEY, namespace: undefined }, ''),
      viewOf({ ...KEY, namespace: 'null' }, ''),
      viewOf({ ...KEY, resource: SERVICES }, ''),
    ];
    expect(new Set(views).size).toBe(views.length);
  });
});
