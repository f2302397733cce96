import { expect, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';
import { ManualClock } from './test-server.ts';

function taken(limit: RateLimit, times: number): number {
  return Array.from({ length: times }, () => limit.take()).filter(Boolean).length;
}

test('lets so many through at once, and then as many a second', () => {
  const clock = new ManualClock();
  const limit = new RateLimit(clock, 10);
  expect(taken(limit, 50)).toBe(10);
  clock.pass(500);
  expect(taken(limit, 50)).toBe(5);
  clock.pass(60_000);
  expect(taken(limit, 50)).toBe(10);
});

test('0 is no limit', () => {
  expect(taken(new RateLimit(new ManualClock(), 0), 1_000)).toBe(1_000);
});
