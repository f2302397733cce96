import { afterEach, describe, expect, it } from 'vitest';
import { respond } from '../../demo/apiserver/effects.ts';
import { grant, makePod, revoke } from '../../demo/apiserver/objects.ts';
import type { AuditEntry } from '../../src/access/audit.ts';
import { Viewer } from '../../src/access/viewer.ts';
import { Counters } from '../../src/counters.ts';
import { Bench, NAMESPACE, type BenchOptions } from '../support/bench.ts';
import { eventually, pause } from '../support/eventually.ts';
import type { RecordedView } from '../support/recorded-view.ts';
import { scaledClock } from '../support/scaled-clock.ts';

const REVIEWS = { verb: 'create', resource: 'selfsubjectaccessreviews' } as const;

let bench: Bench;
let audit: AuditEntry[];
let counters: Counters;
afterEach(() => bench.close());

async function start(options: BenchOptions = {}): Promise<void> {
  audit = [];
  counters = new Counters();
  bench = await Bench.start({ audit: (entry) => audit.push(entry), counters, ...options });
}

function ended(view: RecordedView, code: string, withinMs = 5_000): Promise<void> {
  const isEnded = () => (view.error as { code?: string } | undefined)?.code === code;
  return eventually(`the view ends with ${code}`, isEnded, withinMs, () => String(view.error));
}

function churn(): () => void {
  let count = 0;
  const timer = setInterval(() => {
    count += 1;
    bench.store.create(makePod({ name: `churn-${count}`, namespace: NAMESPACE }));
  }, 20);
  return () => clearInterval(timer);
}

describe('a cluster without access reviews', () => {
  it('is asked by listing one object, never from its cache', async () => {
    await start();
    bench.api.faults.add({ match: REVIEWS, effect: respond(404, 'NotFound') });
    bench.allow('eve', 'elsewhere');
    await bench.liveView();
    await expect(bench.gate.attach(bench.viewer('eve'), bench.key())).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const asked = bench.kas.requests.filter(({ url }) => /limit=1(&|$)/.test(url));
    expect(asked.map(({ user }) => user)).toEqual(expect.arrayContaining(['ada', 'eve']));
    for (const { url } of asked) expect(url).toBe('/k8s-proxy/api/v1/namespaces/shop/pods?limit=1');
  });

  it('answers only for views: what else may be done is not guessed', async () => {
    await start();
    bench.api.faults.add({ match: REVIEWS, effect: respond(403, 'Forbidden') });
    const question = { verb: 'delete', group: '', resource: 'pods', namespace: NAMESPACE, version: 'v1' };
    await expect(bench.gate.can(bench.viewer(), '1', question)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(bench.counts('list')).toBe(0);
  });
});

it('checks each of a hundred who wait for one cold feed, and keeps out the one who may not look', async () => {
  await start({ agent: { latencyMs: 20 } });
  const users = Array.from({ length: 100 }, (_, index) => `user-${index}`);
  for (const user of users) if (user !== 'user-50') bench.allow(user, NAMESPACE);
  bench.kas.user('user-50');
  const attached = await Promise.allSettled(users.map((user) => bench.gate.attach(bench.viewer(user), bench.key())));
  expect(attached.map(({ status }) => status).indexOf('rejected')).toBe(50);
  expect(attached.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { code: 'FORBIDDEN' } }]);
  expect(bench.kas.counts(REVIEWS)).toBe(200);
  expect(counters.value('reviews', { result: 'denied' })).toBe(2);
  await eventually('one list', () => bench.counts('list') === 1, 2_000);
});

describe('a check that cannot be made', () => {
  it('is no denial: the view goes on, for at most five minutes', async () => {
    await start({ clock: scaledClock(100), allowMs: 20_000 });
    const view = await bench.liveView();
    bench.api.faults.add({ match: REVIEWS, effect: respond(503, 'ServiceUnavailable') });
    const stop = churn();
    await pause(1_500); // 150 s
    expect(view.error).toBeUndefined();
    expect(counters.value('reviews', { result: 'failed' })).toBeGreaterThan(2);
    const before = performance.now();
    await ended(view, 'ACCESS_REVOKED', 4_000);
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(view.error).toMatchObject({ retryable: true });
    stop();
    const last = view.updates.length;
    await pause(100);
    expect(view.updates).toHaveLength(last);
  });

  it('lets nobody in', async () => {
    await start();
    bench.api.faults.add({ match: REVIEWS, effect: respond(503, 'ServiceUnavailable') });
    await expect(bench.gate.attach(bench.viewer(), bench.key())).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
    expect(audit).toMatchObject([{ event: 'deny', decision: 'failed', code: 'AGENT_UNREACHABLE' }]);
    expect(bench.hub.size).toBe(0);
  });
});

describe('a 401', () => {
  it('on any call ends all that stands on those credentials at once, and what was answered to them counts no more', async () => {
    await start();
    bench.allow('eve');
    const views = [await bench.liveView(), await bench.view({ viewer: bench.viewer() })];
    const other = await bench.view({ viewer: bench.viewer('eve') });
    const connection = await bench.gate.watchConnection(bench.viewer(), '1', NAMESPACE);
    await connection.next();
    bench.kas.user('ada').revoked = true;
    await expect(
      bench.gate.delete(bench.viewer(), { ...bench.key(), namespace: NAMESPACE }, 'nothing', {}),
    ).rejects.toMatchObject({
      code: 'GITLAB_UNAUTHORIZED',
    });
    for (const view of views) await ended(view, 'GITLAB_UNAUTHORIZED', 1_000);
    await expect(connection.next()).rejects.toMatchObject({ code: 'GITLAB_UNAUTHORIZED' });
    expect(audit.filter(({ event }) => event === 'revoke')).toHaveLength(3);
    await expect(bench.gate.attach(bench.viewer(), bench.key())).rejects.toMatchObject({ code: 'GITLAB_UNAUTHORIZED' });
    expect(other.error).toBeUndefined();
    bench.store.create(makePod({ name: 'later', namespace: NAMESPACE }));
    await bench.converged(other);
    expect(views.every((view) => view.updates.length <= 1)).toBe(true);
  });

  it('of one cluster ends what comes from there, and nothing else', async () => {
    await start();
    bench.kas.addAgent(2);
    grant(bench.kas.agent(2).api.store, 'ada', '', ['*'], ['*']);
    const viewer = new Viewer({
      kind: 'bearer',
      agentId: undefined,
      tokenType: 'pat',
      token: bench.kas.user('ada').token,
    });
    const here = await bench.view({ viewer });
    await bench.converged(here);
    const key = { ...bench.key(), agentId: '2' };
    const there = await bench.gate.subscribe(viewer, key, {});
    await there.next();
    bench.kas.agent(2).api.faults.add({ match: {}, effect: respond(401, 'Unauthorized') });
    await expect(
      bench.gate.can(viewer, '2', { verb: 'x', group: '', resource: 'pods', namespace: undefined }),
    ).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(there.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    bench.store.create(makePod({ name: 'later', namespace: NAMESPACE }));
    await bench.converged(here);
  });
});

it('asks again in the background, and ends a view within the life of an answer after the right was taken', async () => {
  await start({ allowMs: 1_000 });
  bench.allow('eve', NAMESPACE);
  const mine = await bench.liveView({ viewer: bench.viewer('ada') });
  const view = await bench.liveView({ viewer: bench.viewer('eve') });
  const stop = churn();
  await pause(300);
  revoke(bench.store, 'eve', NAMESPACE);
  const at = performance.now();
  await ended(view, 'ACCESS_REVOKED');
  expect(performance.now() - at).toBeLessThan(1_200 + 500);
  const last = view.updates.length;
  await pause(200);
  stop();
  expect(view.updates).toHaveLength(last);
  await bench.converged(mine);
  expect(audit.filter(({ event }) => event === 'revoke')).toMatchObject([
    { user: 'gitlab:user:eve', code: 'ACCESS_REVOKED', decision: 'denied' },
  ]);
});
