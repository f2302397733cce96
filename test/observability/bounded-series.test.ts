import { expect, it } from 'vitest';
import { credentialsFromHeaders } from '../../src/access/credentials.ts';
import { Gate } from '../../src/access/gate.ts';
import { Viewer } from '../../src/access/viewer.ts';
import { systemClock } from '../../src/clock.ts';
import { Counters } from '../../src/counters.ts';
import { PODS } from '../../src/kubernetes/resources.ts';
import { createLog } from '../../src/log.ts';
import { Metrics, sharingLevels, sourceLevels } from '../../src/metrics.ts';
import { Hub } from '../../src/pubsub/hub.ts';
import { KasSource } from '../../src/sources/kas/kas-source.ts';
import { recordSteps } from '../../src/sources/reflector/record-steps.ts';
import type { Source } from '../../src/sources/source.ts';
import { UpstreamError } from '../../src/sources/upstream-error.ts';
import { eventually } from '../support/eventually.ts';
import { FakeSource } from '../support/fake-source.ts';
import { readExposition } from './exposition.ts';

const SCOPES = 10_000;
const AGENTS = 60;
/** Nobody listens there: every list fails, and is counted with its reason. */
const NOWHERE = new URL('http://127.0.0.1:1/k8s-proxy');

function any(most: number): number {
  return Math.floor(Math.random() * most);
}

it(`has as many series after ${SCOPES} random scopes as before`, async () => {
  const counters = new Counters();
  const kas = new KasSource({
    url: NOWHERE,
    clock: systemClock,
    agentStreamBudget: 50,
    counters,
    onStep: recordSteps(counters, createLog('silent')),
    onDefect: (_target, error) => expect.fail(String(error)),
  });
  const reviews = new FakeSource();
  reviews.answer = async () => {
    if (any(10) === 0) throw new UpstreamError('timeout', 'The review was not answered.');
    return any(5) > 0;
  };
  const source: Source = {
    checkAgentId: (agentId) => kas.checkAgentId(agentId),
    reflect: (target, donors, sink) => kas.reflect(target, donors, sink),
    followLog: (target, tailLines, donors, sink) => kas.followLog(target, tailLines, donors, sink),
    caller: (agentId, credentials) => reviews.caller(agentId, credentials),
    close: () => kas.close(),
  };
  const hub = new Hub({ source, clock: systemClock, lingerMs: 60_000 });
  const gate = new Gate({
    hub,
    source,
    clock: systemClock,
    reviews: { allowMs: 60_000, denyMs: 10_000 },
    sharing: 'authorized',
    feedsPerViewer: 50,
    subscriptionsPerViewer: 1_000,
    lingerMs: 60_000,
    counters,
    audit: () => undefined,
  });
  const metrics = new Metrics(counters, {
    ...sourceLevels(() => kas.totalLoad),
    ...sharingLevels(),
    feeds: () => hub.size,
    log_feeds: () => gate.logs.size,
    sockets: () => 0,
    event_streams: () => 0,
    queued_bytes: () => ({ websocket: 0, sse: 0 }),
    shapes: () => 0,
    subscriptions: () => ({ shared: 0, plain: gate.subscriptions }),
  });
  const series = async () =>
    [...readExposition(await metrics.text())]
      .filter(([name]) => name.startsWith('kascade_'))
      .flatMap(([name, metric]) => Array.from(metric.series, (labels) => `${name}{${labels}}`));
  const before = await series();
  const viewers = Array.from({ length: 80 }, (_, index) => viewerOf(`glpat-viewer-${index}`));

  const outcomes = await Promise.allSettled(
    Array.from({ length: SCOPES }, () => {
      const viewer = viewers[any(viewers.length)] ?? viewerOf('glpat-nobody');
      const kind = { ...PODS, group: `g${any(1_000)}.example.com`, plural: `things${any(1_000)}` };
      return gate.attach(viewer, { agentId: `${1 + any(AGENTS)}`, namespace: `ns-${any(1e6)}`, resource: kind });
    }),
  );
  await eventually('failures', () => counters.value('upstream_failures', { during: 'list' }) >= AGENTS, 10_000);

  expect(await series()).toEqual(before);
  expect(before.length).toBeLessThan(400);
  // All of that happened: feeds, refusals, reviews of every outcome.
  expect(hub.size).toBeGreaterThan(1_000);
  expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(1_000);
  for (const result of ['allowed', 'denied', 'failed'])
    expect(counters.value('reviews', { result })).toBeGreaterThan(0);
  for (const limit of ['AGENT_STREAM_BUDGET', 'MAX_FEEDS_PER_VIEWER']) {
    expect(counters.value('limits_hit', { limit })).toBeGreaterThan(0);
  }
  hub.close();
  await source.close();
}, 40_000);

function viewerOf(token: string): Viewer {
  const credentials = credentialsFromHeaders({ authorization: `Bearer ${token}` });
  if (credentials === undefined) throw new Error('no credentials');
  return new Viewer(credentials);
}
