import type { ExecutionResult } from 'graphql';
import { expect, test } from 'vitest';
import { liveResults } from './live.ts';

function scripted(steps: (() => Promise<IteratorResult<ExecutionResult>>)[]) {
  const calls: string[] = [];
  const source: AsyncIterableIterator<ExecutionResult> = {
    next: () => steps.shift()?.() ?? new Promise(() => undefined),
    return: () => {
      calls.push('return');
      return new Promise(() => undefined); // a native generator that waits for its event never answers
    },
    [Symbol.asyncIterator]: () => source,
  };
  return { source, calls };
}

const one = async () => ({ done: false, value: { data: {} } }) as const;

test('return() settles a pending next() at once, and asks the source once', async () => {
  const { source, calls } = scripted([]);
  const results = liveResults(source);
  const pending = results.next();
  await results.return(undefined);
  await results.return(undefined);
  expect(await pending).toEqual({ done: true, value: undefined });
  expect(calls).toEqual(['return']);
});

test('nothing follows an end', async () => {
  const { source } = scripted([one, one]);
  const results = liveResults(source);
  expect((await results.next()).done).toBe(false);
  await results.return(undefined);
  expect((await results.next()).done).toBe(true);
});

test('a failure is thrown once, and releases the source', async () => {
  const { source, calls } = scripted([() => Promise.reject(new Error('broken'))]);
  const results = liveResults(source);
  await expect(results.next()).rejects.toThrow('broken');
  expect((await results.next()).done).toBe(true);
  expect(calls).toEqual(['return']);
});

test('a failure after the end reaches nobody', async () => {
  const { promise, reject } = Promise.withResolvers<IteratorResult<ExecutionResult>>();
  const { source } = scripted([() => promise]);
  const results = liveResults(source);
  const pending = results.next();
  await results.return(undefined);
  reject(new Error('too late'));
  expect((await pending).done).toBe(true);
});

test('its end is told once, however it comes', async () => {
  let ends = 0;
  const { source } = scripted([async () => ({ done: true, value: undefined })]);
  const results = liveResults(source, () => (ends += 1));
  await results.next();
  await results.return(undefined);
  expect(ends).toBe(1);
});
