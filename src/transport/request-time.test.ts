import type { ExecutionResult } from 'graphql';
import { expect, test } from 'vitest';
import { inTime } from './request-time.ts';
import { ManualClock } from './test-server.ts';

const ANSWER: ExecutionResult = { data: { hello: 'world' } };

const forever = () => new Promise<never>(() => undefined);

test('an answer in time is passed on as it is, and no timer is left', async () => {
  const clock = new ManualClock();
  let late = 0;
  expect(await inTime(clock, 30, Promise.resolve(ANSWER), () => (late += 1))).toBe(ANSWER);
  expect(await inTime(clock, 30, ANSWER, () => (late += 1))).toBe(ANSWER);
  await expect(inTime(clock, 30, Promise.reject(new Error('x')), () => (late += 1))).rejects.toThrow('x');
  clock.pass(60_000);
  expect(late).toBe(0);
});

test('what takes longer is an error that says so, and a stream that comes too late is ended', async () => {
  const clock = new ManualClock();
  const opening = Promise.withResolvers<AsyncIterable<ExecutionResult>>();
  let late = 0;
  const outcome = inTime(clock, 30, opening.promise, () => (late += 1));
  clock.pass(29_999);
  expect(late).toBe(0);
  clock.pass(1);
  expect(await outcome).toMatchObject({ errors: [{ extensions: { code: 'LIMIT_EXCEEDED', retryable: true } }] });
  expect(late).toBe(1);
  let ended = 0;
  const end = async () => ({ done: true as const, value: (ended += 1) });
  opening.resolve({ [Symbol.asyncIterator]: () => ({ next: forever, return: end }) });
  await opening.promise;
  await Promise.resolve();
  expect(ended).toBe(1);
});
