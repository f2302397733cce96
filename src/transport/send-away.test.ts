import { expect, test } from 'vitest';
import { sendAway } from './send-away.ts';
import { ManualClock } from './test-server.ts';

function guests(count: number) {
  const left: number[] = [];
  return { left, farewells: Array.from({ length: count }, (_, index) => async () => void left.push(index)) };
}

/** Lets time pass in small steps, with everything that is due in between. */
async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 50) {
    clock.pass(50);
    await new Promise((done) => setImmediate(done));
  }
}

test('clients are sent away evenly over the time', async () => {
  const clock = new ManualClock();
  const { left, farewells } = guests(1_000);
  const done = sendAway(farewells, 10_000, clock);
  for (const seconds of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
    await pass(clock, 1_000);
    expect(left).toHaveLength(seconds * 100);
  }
  await done;
});

test('over no time they go at once, none are gone at once', async () => {
  const { left, farewells } = guests(3);
  await sendAway(farewells, 0, new ManualClock());
  expect(left).toEqual([0, 1, 2]);
  await sendAway([], 10_000, new ManualClock());
});

test('it waits for the one that takes longest', async () => {
  const slow = Promise.withResolvers<void>();
  let isDone = false;
  const done = sendAway([() => slow.promise, () => Promise.resolve()], 0, new ManualClock()).then(
    () => (isDone = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDone).toBe(false);
  slow.resolve();
  await done;
});
