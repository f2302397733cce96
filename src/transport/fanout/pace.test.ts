import { afterEach, expect, it, vi } from 'vitest';
import { Pace } from './pace.ts';

afterEach(() => void vi.restoreAllMocks());

/** Does work that takes so many milliseconds, as often as asked, and notes the turn of the loop in which it did. */
async function work(pace: Pace, took: () => void, turnOfLoop: () => number, times: number): Promise<number[]> {
  const turns: number[] = [];
  for (let time = 0; time < times; time += 1) {
    await pace.turn();
    took();
    turns.push(turnOfLoop());
  }
  return turns;
}

it('lets everybody who comes at once go one after the other, 8 ms in a turn of the loop', async () => {
  let [now, turn, isOver] = [0, 0, false];
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const count = (): void => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  const pace = new Pace();
  const workers = Array.from({ length: 20 }, () =>
    work(
      pace,
      () => (now += 3),
      () => turn,
      3,
    ),
  );
  const turns = (await Promise.all(workers)).flat();
  isOver = true;
  const perTurn = [...Map.groupBy(turns, (each) => each).values()].map(({ length }) => length);
  expect(turns).toHaveLength(60);
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(6); // 9 ms before the loop has come round once, 9 ms when it has
  expect(perTurn.length).toBeGreaterThanOrEqual(10);
});

it('serves who waits in the order in which they came', async () => {
  const pace = new Pace();
  const order: number[] = [];
  await Promise.all(Array.from({ length: 5 }, (_, index) => pace.turn().then(() => order.push(index))));
  expect(order).toEqual([0, 1, 2, 3, 4]);
});
