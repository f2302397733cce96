import { afterEach, describe, expect, it } from 'vitest';
import {
  internalError,
  respond,
  tooManyRequests,
  unavailable,
  type Answer,
  type Effect,
} from '../../demo/apiserver/effects.ts';
import { grant, makePod, revoke } from '../../demo/apiserver/objects.ts';
import { failure } from '../../demo/apiserver/status.ts';
import type { AuditEntry } from '../../src/access/audit.ts';
import { AGAIN_MS } from '../../src/access/rights.ts';
import { Viewer } from '../../src/access/viewer.ts';
import { Counters } from '../../src/counters.ts';
import type { Counted, Tally } from '../../src/pubsub/tally.ts';
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

it.each(['list', 'watch'])('lets nobody look who may %s and nothing else', async (verb) => {
  await start();
  bench.kas.user('half');
  grant(bench.store, 'half', NAMESPACE, [verb], ['pods']);
  await expect(bench.gate.attach(bench.viewer('half'), bench.key())).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect(bench.hub.size).toBe(0);
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

describe('the connection, while reviews meet', () => {
  const NO_REVIEW: Answer = { status: 201, contentType: 'application/json', body: '{"kind":"SelfSubject' };
  const TROUBLES: [string, Effect, string][] = [
    ['429', tooManyRequests(1), 'RATE_LIMITED'],
    ['500', internalError, 'UPSTREAM_ERROR'],
    ['503', unavailable, 'AGENT_UNREACHABLE'],
    ['an answer that is none', { respond: NO_REVIEW }, 'UPSTREAM_ERROR'],
  ];

  it.each(TROUBLES)('%s, goes on being told to those who could see it', async (_, effect) => {
    await start({ allowMs: 50, transport: 'http' });
    await bench.liveView();
    const connection = await bench.gate.watchConnection(bench.viewer(), '1', NAMESPACE);
    await connection.next();
    const fault = bench.api.faults.add({ match: REVIEWS, effect });
    await pause(100);
    for (const watch of bench.api.faults.openWatches()) watch.reset();
    const { value } = await connection.next();
    expect(value?.resources).toMatchObject([{ resource: 'k8sPods' }]);
    expect(fault.hits).toBeGreaterThan(0);
    await connection.return?.();
  });

  it.each(TROUBLES)('%s from the first, says so and looks again', async (_, effect, reason) => {
    await start({ clock: scaledClock(20), lingerMs: 60_000 });
    bench.allow('eve');
    await bench.liveView({ viewer: bench.viewer('eve') });
    const fault = bench.api.faults.add({ match: { ...REVIEWS, user: 'ada' }, effect });
    const connection = await bench.gate.watchConnection(bench.viewer(), '1', NAMESPACE);
    expect((await connection.next()).value).toMatchObject({ status: 'DISCONNECTED', reason });
    fault.remove();
    expect((await connection.next()).value).toMatchObject({ status: 'CONNECTED' });
    await connection.return?.();
  });
});

describe('a 401', () => {
  const QUESTION = { verb: 'list', group: '', resource: 'pods', namespace: NAMESPACE };

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

  it('on a question that others wait for ends nothing of theirs', async () => {
    await start();
    bench.allow('eve');
    const view = await bench.liveView();
    const refusal = bench.api.faults.add({
      match: { user: 'eve' },
      skip: 1, // the version of the cluster, which each asks for by themselves
      effect: { ...respond(401, 'Unauthorized'), delayHeadersMs: 200 },
    });
    const eve = bench.gate.clusters.about(bench.viewer('eve'), '1').catch((error: unknown) => error);
    await pause(50);
    const ada = await bench.gate.clusters.about(bench.viewer(), '1');
    expect(await eve).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(refusal.hits).toBe(1);
    expect(ada.groups).not.toEqual([]);
    expect(view.error).toBeUndefined();
  });

  it('of GitLab about an agent that somebody may not use ends nothing of the others', async () => {
    await start({ allowMs: 3_600_000 });
    const viewer = ofManyAgents();
    const view = await bench.liveView({ viewer });
    await pause(AGAIN_MS);
    await expect(bench.gate.can(viewer, '99', QUESTION)).rejects.toMatchObject({ code: 'GITLAB_UNAUTHORIZED' });
    bench.store.create(makePod({ name: 'later', namespace: NAMESPACE }));
    await bench.converged(view);
    expect(view.error).toBeUndefined();
  });

  it('of GitLab about one agent has the rights to the others asked about at once', async () => {
    await start({ allowMs: 3_600_000 });
    const viewer = ofManyAgents();
    const view = await bench.liveView({ viewer });
    bench.kas.user('ada').revoked = true;
    await pause(AGAIN_MS);
    await expect(bench.gate.can(viewer, '99', QUESTION)).rejects.toMatchObject({ code: 'GITLAB_UNAUTHORIZED' });
    await ended(view, 'GITLAB_UNAUTHORIZED', 1_000);
  });

  it('of one cluster ends what comes from there, and nothing else', async () => {
    const { here, there } = await refusedByOneOfTwo({});
    await expect(there.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    bench.store.create(makePod({ name: 'later', namespace: NAMESPACE }));
    await bench.converged(here);
  });

  it('of a cluster that pretends to be GitLab does no more', async () => {
    const { here, there } = await refusedByOneOfTwo({ 'Gitlab-Unauthorized': 'true' });
    await expect(there.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    bench.store.create(makePod({ name: 'later', namespace: NAMESPACE }));
    await bench.converged(here);
  });
});

/** Ada, with a token that is good for whatever agent she may use. */
function ofManyAgents(): Viewer {
  const { token } = bench.kas.user('ada');
  return new Viewer({ kind: 'bearer', agentId: undefined, tokenType: 'pat', token });
}

/** Somebody looks at two agents; the cluster of the second answers a call with 401 and these headers. */
async function refusedByOneOfTwo(headers: Record<string, string>) {
  await start();
  bench.kas.addAgent(2);
  grant(bench.kas.agent(2).api.store, 'ada', '', ['*'], ['*']);
  const viewer = ofManyAgents();
  const here = await bench.view({ viewer });
  await bench.converged(here);
  const there = await bench.gate.subscribe(viewer, { ...bench.key(), agentId: '2' }, {});
  await there.next();
  const body = failure(401, 'Unauthorized', 'GitLab Agent Server: Unauthorized');
  bench.kas.agent(2).api.faults.add({ match: {}, effect: { respond: { status: 401, headers, body } } });
  const question = { verb: 'x', group: '', resource: 'pods', namespace: undefined };
  await expect(bench.gate.can(viewer, '2', question)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  return { here, there };
}

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

describe('a right that is lost while a view is being opened', () => {
  const QUESTIONS = {
    feeds: { verb: 'list', group: '', version: 'v1', resource: 'pods', namespace: NAMESPACE },
    streams: {
      verb: 'get',
      group: '',
      version: 'v1',
      resource: 'pods',
      subresource: 'log',
      namespace: NAMESPACE,
      name: 'web',
    },
  };

  /** Opens something that has to wait, has the right taken and the denial known meanwhile, and lets it go on. */
  async function openAndRevoke<Stream>(slow: 'feeds' | 'streams', open: () => Promise<Stream>, tally: SlowTally) {
    const opening = Promise.allSettled([open()]);
    await eventually('it waits', tally.isAsked, 2_000);
    revoke(bench.store, 'eve', NAMESPACE);
    await pause(150);
    expect(await bench.gate.can(bench.viewer('eve'), '1', QUESTIONS[slow])).toBe(false);
    tally.letThrough();
    const [outcome] = await opening;
    return outcome;
  }

  it('is a refusal, and not seen only when the denial has run out', async () => {
    const tally = slowTally('feeds');
    await start({ allowMs: 100, denyMs: 60_000, tally: tally.tally });
    bench.allow('eve', NAMESPACE);
    const open = () => bench.gate.subscribe(bench.viewer('eve'), bench.key(), {});
    expect(await openAndRevoke('feeds', open, tally)).toMatchObject({ reason: { code: 'FORBIDDEN' } });
    expect(audit.at(-1)).toMatchObject({ event: 'deny', decision: 'denied', code: 'FORBIDDEN' });
    expect(bench.gate.subscriptions).toBe(0);
  });

  it('is the same for a log', async () => {
    const tally = slowTally('streams');
    await start({ allowMs: 100, denyMs: 60_000, tally: tally.tally });
    bench.allow('eve', NAMESPACE);
    bench.store.create(makePod({ name: 'web', namespace: NAMESPACE, containers: [{ name: 'app' }] }));
    const target = { agentId: '1', namespace: NAMESPACE, pod: 'web', container: 'app' };
    const open = () => bench.gate.logs.follow(bench.viewer('eve'), target, { tailLines: 10 });
    expect(await openAndRevoke('streams', open, tally)).toMatchObject({ reason: { code: 'FORBIDDEN' } });
    expect(bench.gate.subscriptions).toBe(0);
  });
});

type SlowTally = ReturnType<typeof slowTally>;

/** Answers about limits of one kind wait until the test lets them through. */
function slowTally(slow: Counted) {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isAsked = false;
  const take: Tally['take'] = async (what) => {
    isAsked ||= what === slow;
    if (what === slow) await promise;
    return () => undefined;
  };
  return { tally: { take }, letThrough: () => resolve(), isAsked: () => isAsked };
}
