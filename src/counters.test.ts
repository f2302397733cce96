import { expect, it } from 'vitest';
import { Counters, OTHER } from './counters.ts';
import type { CounterLabels } from './metric-catalogue.ts';

it('counts by name and labels, whatever the order of the labels', () => {
  const counters = new Counters();
  counters.add('mutations', { verb: 'delete', decision: 'denied' });
  counters.add('mutations', { decision: 'denied', verb: 'delete' });
  counters.add('mutations', { verb: 'delete', decision: 'allowed' });
  counters.add('upstream_ignored_messages');
  counters.add('log_lines_skipped', {}, 40);
  expect(counters.value('mutations', { verb: 'delete', decision: 'denied' })).toBe(2);
  expect(counters.value('mutations', { verb: 'delete' })).toBe(3);
  expect(counters.value('upstream_ignored_messages')).toBe(1);
  expect(counters.value('log_lines_skipped')).toBe(40);
  expect(counters.value('revocations')).toBe(0);
});

it('hands out a series to count with where that is done often', () => {
  const counters = new Counters();
  const series = counters.series('deliveries', { transport: 'sse', mode: 'plain' });
  series.value += 3;
  counters.add('deliveries', { transport: 'sse', mode: 'plain' });
  expect(counters.value('deliveries')).toBe(4);
});

it('has every series from the start, and counts what is not in the catalogue as one', () => {
  const counters = new Counters();
  const before = counters.entries().length;
  expect(counters.entries('mutations')).toHaveLength(7 * 3);
  for (let index = 0; index < 1_000; index += 1) {
    // Types forbid it, and so something that got past them is all that it can be.
    const labels = { code: `c${index}` } as unknown as CounterLabels<'denials'>;
    counters.add('denials', labels);
  }
  expect(counters.entries()).toHaveLength(before + 1);
  expect(counters.value('denials', { code: OTHER })).toBe(1_000);
});
