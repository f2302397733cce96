import { afterEach, describe, expect, it } from 'vitest';
import { respond } from '../../demo/apiserver/effects.ts';
import { makePod, makeService } from '../../demo/apiserver/objects.ts';
import { SERVICES } from '../../src/kubernetes/resources.ts';
import { Bench, NAMESPACE, type BenchOptions } from '../support/bench.ts';
import { eventually, pause } from '../support/eventually.ts';
import type { RecordedView } from '../support/recorded-view.ts';
import { scaledClock } from '../support/scaled-clock.ts';

/** What only KAS's aggregated watch can do wrong, on `websocket` and on `auto`. */

const SCALE = 20;
let bench: Bench;
let view: RecordedView;

async function start(options: BenchOptions = {}): Promise<void> {
  bench = await Bench.start({ clock: scaledClock(SCALE), lingerMs: 60_000, ...options });
  for (const name of ['a', 'b', 'c']) create(name);
  view = await bench.liveView();
}

afterEach(async () => {
  bench.checkRules(view);
  await bench.close();
});

function create(name: string) {
  return bench.store.create(makePod({ name, namespace: NAMESPACE }));
}

function touch(name: string) {
  return bench.store.patch('pods', NAMESPACE, name, { metadata: { labels: { touched: String(Math.random()) } } });
}

function socket() {
  const [connection] = bench.watchApi.connections;
  if (connection === undefined) throw new Error('no WebSocket is open');
  return connection;
}

function firstWatch(): string {
  const [watchId] = socket().watches;
  if (watchId === undefined) throw new Error('nothing is watched');
  return watchId;
}

const isOn = (transport: string) => () =>
  bench.status().transport === transport && bench.status().state === 'CONNECTED';

function on(transport: 'WEBSOCKET' | 'HTTP_STREAM', withinMs = 5_000) {
  return eventually(`CONNECTED over ${transport}`, isOn(transport), withinMs, () => bench.status());
}

const ENDS: [string, () => void][] = [
  ['is closed with 1001', () => socket().close(1001, 'going away')],
  ['is closed with 1011', () => socket().close(1011, 'internal error')],
  ['is closed with 4000', () => socket().close(4000)],
  ['is reset', () => socket().reset()],
  ['falls silent', () => socket().silence()],
  ['sends what is no JSON', () => socket().sendRaw('{"watchId":')],
  ['sends an array', () => socket().sendRaw('[]')],
  ['sends bytes', () => socket().sendRaw(new Uint8Array([1, 2, 3]))],
  ['sends 17 MiB', () => socket().sendRaw(`"${'x'.repeat(17 * 1024 * 1024)}"`)],
  ['sends an event that is none', () => socket().send({ watchId: firstWatch(), type: 'event', watchEvent: {} })],
  ['reports an error for no watch', () => socket().send({ type: 'error', error: { message: 'broken' } })],
];

describe.each(['websocket', 'auto'] as const)('WATCH_TRANSPORT=%s', (transport) => {
  it.each(ENDS)('goes on without a gap when the WebSocket %s', async (_, end) => {
    await start({ transport });
    expect(bench.status().transport).toBe('WEBSOCKET');
    const states = bench.followStates();
    end();
    touch('a');
    const gone = bench.store.delete('pods', NAMESPACE, 'b');
    await bench.converged(view, 5_000);
    expect(view.updates.flatMap(({ removed }) => removed)).toEqual([gone.metadata.uid]);
    expect(view.snapshots).toHaveLength(1);
    await on(transport === 'auto' ? 'HTTP_STREAM' : 'WEBSOCKET');
    expect(states.some((state) => state !== 'CONNECTED')).toBe(true);
    expect(bench.watchApi.connections.length).toBe(transport === 'auto' ? 0 : 1);
  });

  it('ignores messages of unknown types, with unknown fields, and for unknown watches', async () => {
    await start({ transport });
    const messages = view.updates.length;
    socket().send({ type: 'welcome', motd: 'hello' });
    socket().send({});
    socket().send({ watchId: 'nobody', type: 'event', watchEvent: { type: 'ADDED', object: {} } });
    socket().send({ watchId: 'nobody', type: 'stop' });
    touch('a');
    await bench.converged(view);
    expect(view.updates).toHaveLength(messages + 1);
    expect(bench.watchApi.accepted).toBe(1);
    expect(bench.source.load('1').ignoredMessages).toBe(4);
  });

  it('reads snake_case as well', async () => {
    await start({ transport });
    const object = { ...touch('a') };
    socket().send({ watch_id: firstWatch(), type: 'event', watch_event: { type: 'MODIFIED', object } });
    await bench.converged(view);
    expect(bench.watchApi.accepted).toBe(1);
  });

  it.each([
    ['stopped', () => socket().stop(firstWatch()), 'WEBSOCKET'],
    ['failed by KAS', () => socket().fail(firstWatch(), 'lost'), 'WEBSOCKET'],
  ] as const)('opens a watch that was %s again on the same WebSocket', async (_, end, expected) => {
    await start({ transport });
    end();
    touch('a');
    await bench.converged(view);
    await on(expected);
    expect(bench.watchApi.accepted).toBe(1);
    expect(bench.counts('list')).toBe(1);
  });

  it('lives with a KAS that does not know `unwatch`', async () => {
    await start({ transport, lingerMs: 1_000 });
    bench.watchApi.faults.dropUnwatch = true;
    const services = await bench.view({ resource: SERVICES });
    await eventually('two watches', () => socket().watches.length === 2, 2_000);
    bench.store.create(makeService({ name: 's', namespace: NAMESPACE }));
    await services.leave();
    await eventually('an unwatch', () => socket().received.at(-1)?.['type'] === 'unwatch', 5_000);
    bench.store.create(makeService({ name: 't', namespace: NAMESPACE }));
    touch('a');
    await bench.converged(view);
    expect(bench.watchApi.accepted).toBe(1);
  });

  it('opens the WebSocket with the credentials themselves where KAS has no tokens', async () => {
    bench = await Bench.start({ transport });
    bench.watchApi.faults.refuseToken = { status: 404, body: 'not found', contentType: 'text/plain' };
    view = await bench.liveView();
    expect(bench.status().transport).toBe('WEBSOCKET');
    expect(bench.watchApi.tokens.issued).toBe(0);
  });

  it('asks for a token before each opening, and uses each once', async () => {
    await start({ transport });
    const { tokens } = bench.watchApi;
    expect([tokens.issued, tokens.used, tokens.pending]).toEqual([1, 1, 0]);
    socket().close(1001);
    await eventually('another WebSocket', () => bench.watchApi.accepted === 2, 60_000 / SCALE + 2_000);
    await on('WEBSOCKET');
    expect(tokens.pending).toBe(0);
    expect(tokens.used).toBe(tokens.issued);
  });

  describe('a server that ignores resource_version', () => {
    it('costs viewers neither a message nor a reset', async () => {
      bench = await Bench.start({ transport, clock: scaledClock(SCALE), lingerMs: 60_000 });
      for (const name of ['a', 'b', 'c']) create(name);
      bench.watchApi.faults.ignoreResourceVersion = true;
      view = await bench.liveView();
      for (let index = 0; index < 3; index += 1) {
        const opened = bench.counts('watch');
        socket().stop(firstWatch());
        await eventually('another watch', () => bench.counts('watch') > opened, 3_000);
        await bench.connected();
      }
      await pause(100);
      expect(view.updates).toHaveLength(1);
      touch('a');
      await bench.converged(view);
      expect(view.updates).toHaveLength(2);
    });

    it.each([
      ['some', ['b']],
      ['all', ['a', 'b', 'c']],
    ])('does not keep what vanished in a gap: %s of it', async (_, names) => {
      bench = await Bench.start({ transport, clock: scaledClock(SCALE), lingerMs: 60_000 });
      bench.watchApi.faults.ignoreResourceVersion = true;
      // Not known to replay yet: there was nothing to replay.
      view = await bench.liveView();
      for (const name of ['a', 'b', 'c']) create(name);
      await bench.converged(view);
      for (const name of names) bench.store.delete('pods', NAMESPACE, name);
      await bench.converged(view);
      for (const name of names) create(name);
      await bench.converged(view);
      bench.api.faults.add({ match: { verb: 'watch', resource: 'pods' }, times: 1, effect: respond(503) });
      socket().stop(firstWatch());
      const gone = names.map((name) => bench.store.delete('pods', NAMESPACE, name).metadata.uid);
      await bench.converged(view);
      expect(view.updates.flatMap(({ removed }) => removed)).toEqual(expect.arrayContaining(gone));
      expect(view.snapshots).toHaveLength(1);
    });

    it('does not keep what vanished between the list and the watch', async () => {
      bench = await Bench.start({ transport, clock: scaledClock(SCALE), lingerMs: 60_000 });
      bench.watchApi.faults.ignoreResourceVersion = true;
      for (const name of ['a', 'b', 'c']) create(name);
      bench.api.faults.add({ match: { verb: 'watch', resource: 'pods' }, times: 1, effect: respond(503) });
      view = await bench.view();
      await eventually('the list', () => view.updates.length > 0, 3_000);
      bench.store.delete('pods', NAMESPACE, 'b');
      await bench.converged(view);
      expect(view.snapshots).toHaveLength(1);
    });
  });
});

describe('WATCH_TRANSPORT=auto', () => {
  const REFUSALS: [string, (bench: Bench) => void][] = [
    ['has none', ({ watchApi }) => (watchApi.faults.absent = true)],
    ['refuses the token', ({ watchApi }) => (watchApi.faults.refuseToken = { status: 401, body: {} })],
    ['fails at the token', ({ watchApi }) => (watchApi.faults.refuseToken = { status: 500, body: {} })],
    ['answers without a token', ({ watchApi }) => (watchApi.faults.refuseToken = { status: 200, body: {} })],
    ['refuses the upgrade', ({ watchApi }) => (watchApi.faults.refuseUpgrade = { status: 403, body: {} })],
    ['says nothing more after it', ({ watchApi }) => (watchApi.faults.silentConnections = true)],
  ];

  it.each(REFUSALS)('goes over HTTP at once when KAS %s', async (_, refuse) => {
    bench = await Bench.start({ transport: 'auto', clock: scaledClock(SCALE), lingerMs: 60_000 });
    refuse(bench);
    create('a');
    view = await bench.view();
    const states = bench.followStates();
    await on('HTTP_STREAM');
    expect(states).not.toContain('DISCONNECTED');
    touch('a');
    await bench.converged(view);
    expect(bench.counts('list')).toBe(1);
    expect(bench.counts('watch') - bench.kas.counts({ verb: 'watch', via: 'websocket' })).toBe(1);
  });

  it('moves back when the WebSocket can be had again, unseen by viewers, and leaves no stream behind', async () => {
    await start({ transport: 'auto' });
    const services = await bench.view({ resource: SERVICES });
    await eventually('two watches', () => socket().watches.length === 2, 2_000);
    bench.watchApi.faults.refuseUpgrade = { status: 503, body: {} };
    socket().reset();
    await on('HTTP_STREAM');
    await pause(40_000 / SCALE);
    expect(bench.status().transport).toBe('HTTP_STREAM');
    bench.watchApi.faults.refuseUpgrade = undefined;
    const states = bench.followStates();
    await on('WEBSOCKET', 90_000 / SCALE);
    await eventually('both on the WebSocket', () => socket().watches.length === 2, 2_000);
    expect(states).not.toContain('DISCONNECTED');
    expect(states).not.toContain('CONNECTING');
    await eventually('no stream is left', () => bench.kas.inFlight({ verb: 'watch' }).length === 2, 2_000);
    expect(bench.watchApi.connections).toHaveLength(1);
    touch('a');
    await bench.converged(view);
    expect(view.snapshots).toHaveLength(1);
    expect(bench.counts('list')).toBe(1);
    await services.leave();
  });

  it('does not move to and fro: tries become rarer while they fail', async () => {
    await start({ transport: 'auto', clock: scaledClock(300) });
    bench.watchApi.faults.refuseUpgrade = { status: 503, body: {} };
    const upgrades = () => bench.kas.counts({ verb: 'upgrade' });
    socket().reset();
    await on('HTTP_STREAM');
    const before = upgrades();
    await pause(600_000 / 300); // ten minutes
    expect(upgrades() - before).toBeGreaterThanOrEqual(3);
    expect(upgrades() - before).toBeLessThanOrEqual(6);
  });
});

describe('WATCH_TRANSPORT=websocket', () => {
  it.each([
    ['the token', 'refuseToken'],
    ['the upgrade', 'refuseUpgrade'],
  ] as const)('says which station is at fault when KAS fails at %s, and comes back', async (_, fault) => {
    await start({ transport: 'websocket' });
    bench.watchApi.faults[fault] = { status: 500, body: {} };
    socket().reset();
    await bench.disconnected();
    await eventually(
      'the reason',
      () => bench.status().reason === 'UPSTREAM_ERROR',
      3_000,
      () => bench.status(),
    );
    expect(bench.status().hops).toMatchObject([
      { name: 'server', status: 'CONNECTED' },
      { name: 'kas', status: 'DISCONNECTED', reason: 'UPSTREAM_ERROR' },
      { name: 'agent', status: 'CONNECTING' },
      { name: 'cluster', status: 'CONNECTING' },
    ]);
    touch('a');
    bench.watchApi.faults[fault] = undefined;
    await on('WEBSOCKET');
    await bench.converged(view);
    expect(view.snapshots).toHaveLength(1);
  });

  it('takes a refusal of the token for what it is', async () => {
    await start({ transport: 'websocket' });
    bench.kas.user('ada').revoked = true;
    socket().reset();
    await eventually('the view ends', () => view.error !== undefined, 3_000);
    expect(view.error).toMatchObject({ code: 'GITLAB_UNAUTHORIZED' });
  });
});
