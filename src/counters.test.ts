import { expect, it } from 'vitest';
import { Counters, MAX_SERIES } from './counters.ts';

it('counts by name and labels, whatever the order of the labels', () => {
  const counters = new Counters();
  counters.add('mutations', { verb: 'delete', decision: 'denied' });
  counters.add('mutations', { decision: 'denied', verb: 'delete' });
  counters.add('mutations', { verb: 'delete', decision: 'allowed' });
  counters.add('denials');
  expect(counters.entries()).toHaveLength(3);
  expect(counters.value('mutations', { verb: 'delete', decision: 'denied' })).toBe(2);
  expect(counters.value('mutations', { verb: 'delete' })).toBe(3);
  expect(counters.value('revocations')).toBe(0);
});

it('does not grow without bound when something unbounded becomes a label', () => {
  const counters = new Counters();
  for (let index = 0; index < MAX_SERIES + 100; index += 1) counters.add('denials', { code: `c${index}` });
  expect(counters.entries()).toHaveLength(MAX_SERIES + 1);
  expect(counters.value('denials')).toBe(MAX_SERIES + 100);
  expect(counters.value('denials', { other: 'true' })).toBe(100);
});
