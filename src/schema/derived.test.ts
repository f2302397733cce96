import { afterEach, expect, it, vi } from 'vitest';
import { podColumns } from '../kubernetes/pod-columns.ts';
import { podReasonNow } from '../kubernetes/pod-reason.ts';
import { healthOf } from './derived.ts';
import { pod } from './testing/objects.ts';
import { unchecked } from './testing/unchecked.ts';

afterEach(() => void vi.useRealTimers());

it('is computed once per object', () => {
  const web = pod('web');
  expect(podColumns(web)).toBe(podColumns(web));
  expect(healthOf(web)).toBe(healthOf(web));
  expect(podColumns(pod('web'))).not.toBe(podColumns(web));
});

it('does not freeze what is said of a deletion', () => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  const going = pod('web', {
    metadata: unchecked({ deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 }),
  });
  const early = podReasonNow(going);
  vi.setSystemTime(Date.parse('2026-01-01T01:00:00Z'));
  expect(podReasonNow(going)).not.toBe(early);
});
