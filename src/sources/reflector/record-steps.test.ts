import { expect, it } from 'vitest';
import { Counters } from '../../counters.ts';
import { PODS } from '../../kubernetes/resources.ts';
import { createLog } from '../../log.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { Step } from './policy.ts';
import { recordSteps } from './record-steps.ts';

const TARGET = { agentId: '7', namespace: 'shop', resource: PODS };
const FIRST: Step = { to: 'list', consistent: true, wait: { kind: 'none' }, why: 'first sync' };
const WATCH: Step = { to: 'watch', wait: { kind: 'none' }, why: 'listed' };
const AGAIN: Step = { to: 'watch', wait: { kind: 'none' }, why: 'stream was cut' };
const RELIST: Step = { to: 'list', consistent: false, wait: { kind: 'none' }, why: 'version expired' };

it('counts lists by why they were begun, watches by why they ended, failures by how', () => {
  const counters = new Counters();
  const lines: string[] = [];
  const record = recordSteps(counters, createLog('info', { write: (line) => void lines.push(line) }));
  const upstream = { status: 502, traceId: '0af7651916cd43dd8448eb211c80319c' };
  record(TARGET, WATCH, { step: FIRST, failure: undefined });
  record(TARGET, AGAIN, { step: WATCH, failure: new UpstreamError('torn', 'It broke.', { upstream }) });
  record(TARGET, RELIST, { step: AGAIN, failure: new UpstreamError('expired', 'Gone.') });
  record(TARGET, WATCH, { step: RELIST, failure: undefined });

  expect(counters.value('lists', { reason: 'first sync' })).toBe(1);
  expect(counters.value('lists', { reason: 'version expired' })).toBe(1);
  expect(counters.value('lists')).toBe(2);
  expect(counters.value('watch_ends', { reason: 'stream was cut' })).toBe(1);
  expect(counters.value('watch_ends', { reason: 'version expired' })).toBe(1);
  expect(counters.value('watch_ends')).toBe(2);
  expect(counters.value('upstream_failures', { during: 'watch', failure: 'torn' })).toBe(1);
  expect(counters.value('upstream_failures')).toBe(2);

  // What is routine is not written down; what is, with the trace ID that finds it in KAS's log.
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 'warn', message: 'A watch failed. It broke.', agentId: '7', resource: 'pods', upstream, next: 'watch' },
  ]);
});
