import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { Bench } from '../support/bench.ts';
import { eventually, pause } from '../support/eventually.ts';
import { RecordedView } from '../support/recorded-view.ts';
import { scaledClock } from '../support/scaled-clock.ts';
import { shiftedClock } from '../support/shifted-clock.ts';
import { codes, LIVE_PODS, RightsServer, type RawSocket, type RightsServerOptions } from './rights-server.ts';

/** Rows K1 to K5 of the fault matrix: clients that are slow, many, forgetful, restless or greedy. */

let whole: RightsServer | undefined;
let bench: Bench | undefined;
afterEach(async () => {
  await whole?.[Symbol.asyncDispose]();
  await bench?.close();
  whole = undefined;
  bench = undefined;
});

async function start(options: RightsServerOptions = {}): Promise<RightsServer> {
  whole = await RightsServer.start(options);
  return whole;
}

interface PodsUpdate {
  readonly type: string;
  readonly resyncReason: string | null;
  readonly cursor: string;
  readonly total: number;
}

function updates({ messages }: RawSocket): PodsUpdate[] {
  const frames = messages.filter(({ type }) => type === 'next');
  const shown = frames.map(({ payload }) => (payload as { data?: { k8sPods: PodsUpdate } | null }).data?.k8sPods);
  return shown.filter((update) => update !== undefined);
}

async function follow(server: RightsServer, variables: object = {}, user = 'ada'): Promise<RawSocket> {
  const raw = await server.raw(user);
  raw.send({ id: '1', type: 'subscribe', payload: { query: LIVE_PODS, variables } });
  return raw;
}

it('K1: a client that stops reading is closed with 1013 after 30 s, and the others go on', async () => {
  const scale = 10;
  const server = await start({ clock: scaledClock(scale) });
  for (let index = 0; index < 300; index += 1) {
    server.store.create(makePod({ name: `p-${index}`, namespace: 'shop', labels: { filler: 'x'.repeat(20_000) } }));
  }
  const [stuck, well] = [await follow(server), await follow(server)];
  await eventually('both live', () => updates(stuck).length > 0 && updates(well).length > 0, 10_000);
  stuck.socket.pause();
  const pausedAt = performance.now();
  let round = 0;
  const timer = setInterval(() => {
    round += 1;
    for (const pod of server.store.list('pods', 'shop').slice(0, 50)) {
      server.store.update({ ...pod, metadata: { ...pod.metadata, annotations: { round: String(round) } } });
    }
  }, 50);
  const isCut = () => server.lines.some((line) => line.includes('reads nothing'));
  await eventually('it is cut', isCut, 15_000);
  expect(performance.now() - pausedAt).toBeGreaterThan(30_000 / scale);
  const before = updates(well).length;
  await eventually('the other goes on', () => updates(well).length > before + 3, 5_000);
  clearInterval(timer);
  stuck.socket.resume();
  expect((await stuck.closed)[0]).toSatisfy((code: number) => code === 1013 || code === 1006);
  expect(well.socket.readyState).toBe(well.socket.OPEN);
}, 40_000);

it('K2: a storm of reconnects opens nothing upstream, resumes from the log, and leaves the loop responsive', async () => {
  const clients = 200;
  const server = await start({
    env: { MAX_SOCKETS_PER_VIEWER: '1000', MAX_SUBSCRIPTIONS_PER_VIEWER: '1000', LINGER_SECONDS: '20' },
  });
  for (let index = 0; index < 20; index += 1) server.store.create(makePod({ name: `p-${index}`, namespace: 'shop' }));
  const first = await Promise.all(Array.from({ length: clients }, () => follow(server)));
  await eventually('all live', () => first.every((raw) => updates(raw).length > 0), 15_000);
  const cursors = first.map((raw) => updates(raw).at(-1)?.cursor);
  for (const { socket } of first) socket.terminate();
  server.store.create(makePod({ name: 'meanwhile', namespace: 'shop' }));

  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const upstream = server.kas.requests.length;
  const second = await Promise.all(cursors.map((resume) => follow(server, { resume })));
  await eventually('all resumed', () => second.every((raw) => updates(raw).length > 0), 20_000);
  delay.disable();
  for (const raw of second) expect(updates(raw)[0]).toMatchObject({ type: 'CHANGES', total: 21, resyncReason: null });
  expect(server.kas.requests.slice(upstream).map(({ verb }) => verb)).toEqual([]);
  // Server and clients share this process: a client's part of the work is in it too.
  expect(delay.percentile(99) / 1e6).toBeLessThan(1_000);
}, 40_000);

it('K3: a cursor lets nobody in, and one that cannot be used is answered by a snapshot that says why', async () => {
  const server = await start();
  whole?.allow('eve', 'elsewhere');
  server.store.create(makePod({ name: 'p', namespace: 'shop' }));
  const mine = await follow(server);
  await eventually('the snapshot', () => updates(mine).length > 0, 5_000);
  const cursor = updates(mine)[0]?.cursor ?? '';

  const resumed = await follow(server, { resume: cursor });
  await eventually('an answer', () => updates(resumed).length > 0, 5_000);
  expect(updates(resumed)).toMatchObject([{ type: 'CHANGES' }]);

  const ahead = Buffer.from(cursor, 'base64url')
    .toString()
    .replace(/^(1\.[\w-]+)\.\w+\./, '$1.zzzzzz.');
  for (const resume of ['forged', Buffer.from(ahead).toString('base64url'), `x${cursor}`, cursor.slice(1)]) {
    const raw = await follow(server, { resume });
    await eventually('an answer', () => updates(raw).length > 0, 5_000);
    expect(updates(raw)).toMatchObject([{ type: 'SNAPSHOT', resyncReason: 'CURSOR_INVALID', total: 1 }]);
  }
  const otherScope = await follow(server, { resume: cursor, namespace: 'elsewhere' });
  await eventually('an answer', () => updates(otherScope).length > 0, 5_000);
  expect(updates(otherScope)).toMatchObject([{ type: 'SNAPSHOT', resyncReason: 'CURSOR_INVALID', total: 0 }]);

  const foreign = await follow(server, { resume: cursor }, 'eve');
  await eventually('a refusal', () => foreign.messages.length > 1, 5_000);
  expect(JSON.stringify(foreign.messages[1])).toContain('FORBIDDEN');
  expect(updates(foreign)).toEqual([]);
  expect(server.audit.at(-1)).toMatchObject({ event: 'deny', user: 'gitlab:user:eve', code: 'FORBIDDEN' });
});

it('K3: a cursor from before what is remembered is answered by a snapshot: HISTORY_EXPIRED', async () => {
  const clock = shiftedClock();
  bench = await Bench.start({ clock });
  const keep = await bench.liveView();
  const pod = makePod({ name: 'p', namespace: 'shop' });
  bench.store.create(pod);
  await bench.converged(keep);
  const resume = keep.last?.cursor;
  bench.store.delete('pods', 'shop', 'p');
  await bench.converged(keep);
  clock.putForward(11 * 60_000);
  for (const name of ['q', 'r']) {
    bench.store.create(makePod({ name, namespace: 'shop' }));
    bench.store.delete('pods', 'shop', name);
  }
  await bench.converged(keep);
  const view = new RecordedView(await bench.gate.subscribe(bench.viewer(), bench.key(), { resume }));
  await bench.converged(view);
  expect(view.updates).toMatchObject([{ type: 'SNAPSHOT', resyncReason: 'HISTORY_EXPIRED' }]);
});

it('K4: subscribing and leaving a hundred times a second costs one upstream, and leaves nothing behind', async () => {
  const server = await start();
  const raw = await server.raw();
  for (let index = 0; index < 200; index += 1) {
    raw.send({ id: `s-${index}`, type: 'subscribe', payload: { query: LIVE_PODS } });
    raw.send({ id: `s-${index}`, type: 'complete' });
    await pause(10);
  }
  raw.send({ id: 'last', type: 'subscribe', payload: { query: LIVE_PODS } });
  await eventually(
    'it still works',
    () => raw.messages.some(({ id, type }) => id === 'last' && type === 'next'),
    5_000,
  );
  const full = server.kas.requests.filter(({ verb, url }) => verb === 'list' && url.includes('limit=500'));
  expect(full).toHaveLength(1);
  expect(server.kas.inFlight({ verb: 'watch', resource: 'pods' }).length).toBeLessThanOrEqual(1);
  raw.socket.terminate();
  await eventually('nothing is left upstream', () => server.kas.openStreams(1) === 0, 5_000);
});

it('K5: a walk through 1,000 namespaces ends at the limit of one viewer, and others are not concerned', async () => {
  const server = await start({ env: { MAX_FEEDS_PER_VIEWER: '20', LINGER_SECONDS: '60' } });
  const refused: unknown[] = [];
  for (let from = 0; from < 1_000; from += 20) {
    const fields = Array.from({ length: 20 }, (_, index) => {
      return `n${from + index}: k8sPods(agentId: "1", namespace: "n-${from + index}") { totalCount }`;
    });
    refused.push(...codes(await server.ask(`{ ${fields.join(' ')} }`)));
  }
  expect(new Set(refused)).toEqual(new Set(['LIMIT_EXCEEDED']));
  expect(server.kas.openStreams(1)).toBeLessThanOrEqual(20);
  expect(server.counters.value('limits_hit', { limit: 'MAX_FEEDS_PER_VIEWER' })).toBeGreaterThanOrEqual(49);
  server.allow('eve', 'shop');
  const { data } = await server.ask('{ k8sPods(agentId: "1", namespace: "shop") { totalCount } }', {}, 'eve');
  expect(data).toEqual({ k8sPods: { totalCount: 0 } });
});
