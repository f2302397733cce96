import { expect, test } from 'vitest';
import { Rounds } from './rounds.ts';
import { ManualClock } from './test-server.ts';

test('each member is visited once a round, not all at one moment', () => {
  const clock = new ManualClock();
  const visits: { member: number; at: number }[] = [];
  const rounds = new Rounds<number>(clock, 2_000, (member) => visits.push({ member, at: clock.now() }));
  for (let member = 0; member < 100; member += 1) rounds.add(member);
  clock.pass(6_000);
  for (let member = 0; member < 100; member += 1) {
    const times = visits.filter((visit) => visit.member === member).map(({ at }) => at);
    expect(times.slice(1).map((at, index) => at - (times[index] ?? 0))).toEqual([2_000, 2_000]);
  }
  expect(Math.max(...Object.values(Object.groupBy(visits, ({ at }) => at)).map((all) => all?.length ?? 0))).toBe(5);
});

test('who has left is not visited, also when the visit itself ends it', () => {
  const clock = new ManualClock();
  const visits: string[] = [];
  const rounds = new Rounds<string>(clock, 2_000, (member) => {
    visits.push(member);
    if (member === 'once') rounds.delete(member);
  });
  for (const member of ['once', 'never', 'always']) rounds.add(member);
  rounds.delete('never');
  clock.pass(6_000);
  rounds.delete('always');
  rounds.delete('always');
  clock.pass(6_000);
  expect(visits.toSorted()).toEqual(['always', 'always', 'always', 'once']);
  rounds.add('again');
  clock.pass(2_000);
  expect(visits.at(-1)).toBe('again');
});
