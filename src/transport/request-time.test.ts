import { parse } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { expect, test } from 'vitest';
import { inTime } from './request-time.ts';
import { ManualClock } from './test-server.ts';

const ANSWER: ExecutionResult = { data: { hello: 'world' } };

const QUERY = { document: parse('{ hello }') };

const forever = () => new Promise<never>(() => undefined);

test('an answer in time is passed on as it is, and no timer is left', async () => {
  const clock = new ManualClock();
  let late = 0;
  expect(await inTime(clock, 30, QUERY, Promise.resolve(ANSWER), () => (late += 1))).toBe(ANSWER);
  expect(await inTime(clock, 30, QUERY, ANSWER, () => (late += 1))).toBe(ANSWER);
  await expect(inTime(clock, 30, QUERY, Promise.reject(new Error('x')), () => (late += 1))).rejects.toThrow('x');
  clock.pass(60_000);
  expect(late).toBe(0);
});

test('what takes longer is an error that says so, and a stream that comes too late is ended', async () => {
  const clock = new ManualClock();
  const opening = Promise.withResolvers<AsyncIterable<ExecutionResult>>();
  let late = 0;
  const outcome = inTime(clock, 30, QUERY, opening.promise, () => (late += 1));
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

test.each([
  ['mutation { touch }', false],
  ['query A { hello } mutation B { touch }', false],
  ['{ hello }', true],
  ['subscription { quiet }', true],
])('what takes too long is to be repeated only if that changes nothing: %s', async (text, retryable) => {
  const clock = new ManualClock();
  const asked = { document: parse(text), operationName: text.includes('mutation B') ? 'B' : null };
  const outcome = inTime(clock, 30, asked, forever(), () => undefined);
  clock.pass(30_000);
  const remedy = expect.stringMatching(retryable ? /^Try again/ : /^It may have been done/) as unknown;
  expect(await outcome).toMatchObject({ errors: [{ extensions: { code: 'LIMIT_EXCEEDED', retryable, remedy } }] });
});
