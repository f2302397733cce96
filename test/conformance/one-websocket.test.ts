import { afterEach, describe, expect, it } from 'vitest';
import { makePod, makeService } from '../../demo/apiserver/objects.ts';
import { revoke } from '../../demo/apiserver/grants.ts';
import type { ApiError } from '../../src/errors.ts';
import { PODS, SERVICES, WATCHED_RESOURCES } from '../../src/kubernetes/resources.ts';
import { Bench, NAMESPACE } from '../support/bench.ts';
import { eventually } from '../support/eventually.ts';
import { RecordedView } from '../support/recorded-view.ts';
import { scaledClock } from '../support/scaled-clock.ts';

let bench: Bench;
afterEach(() => bench.close());

function touch() {
  return bench.store.patch('pods', NAMESPACE, 'a', { metadata: { labels: { touched: String(Math.random()) } } });
}

function podUid(): string {
  return bench.store.get('pods', NAMESPACE, 'a')?.metadata.uid ?? '';
}

function lenders(): string[] {
  return bench.watchApi.connections.map(({ user }) => user);
}

function openWatches(): string[] {
  return bench.watchApi.connections.flatMap((connection) => connection.watches);
}

async function watches(count: number): Promise<void> {
  await eventually(`${count} watches`, () => openWatches().length === count, 3_000, openWatches);
}

/** Whatever is held upstream, seen from both sides. */
function held(): Record<string, number> {
  const { streams, webSockets, httpStreams } = bench.source.load('1');
  return {
    streams,
    webSockets,
    httpStreams,
    connections: bench.watchApi.connections.length,
    tokens: bench.watchApi.tokens.pending,
    requests: bench.kas.inFlight().length,
    agentStreams: bench.kas.openStreams(1),
    feeds: bench.hub.size,
  };
}

async function released(): Promise<void> {
  const isFree = () => Object.values(held()).every((count) => count === 0);
  await eventually('everything is released', isFree, 5_000, held);
}

describe.each(['websocket', 'auto'] as const)('WATCH_TRANSPORT=%s', (transport) => {
  it('holds exactly one WebSocket for ten resources of one namespace and 100 viewers, and nothing afterwards', async () => {
    bench = await Bench.start({ transport, lingerMs: 200 });
    bench.store.create(makePod({ name: 'a', namespace: NAMESPACE }));
    bench.store.create(makeService({ name: 's', namespace: NAMESPACE }));
    const resources = WATCHED_RESOURCES.slice(0, 10);
    const views: RecordedView[] = [];
    const join = async (index: number) => {
      bench.allow(`user-${index}`, NAMESPACE);
      const viewer = bench.viewer(`user-${index}`);
      views.push(...(await Promise.all(resources.map((resource) => bench.view({ viewer, resource })))));
    };
    await Promise.all(Array.from({ length: 100 }, (_, index) => join(index)));
    await watches(10);
    touch();
    await Promise.all(views.filter(({ objects }) => objects.has(podUid())).map((view) => bench.converged(view)));
    for (const resource of resources) {
      await eventually('CONNECTED', () => bench.status(resource).state === 'CONNECTED', 3_000);
      expect(bench.status(resource).transport).toBe('WEBSOCKET');
      // CONNECTED proves the way there, and that the watch has been read; it may still be on its last step.
      await eventually('the watch', () => bench.counts('watch', resource.plural) > 0, 3_000);
      expect(bench.counts('watch', resource.plural)).toBe(1);
      expect(bench.counts('list', resource.plural)).toBe(1);
    }
    expect(bench.watchApi.connections).toHaveLength(1);
    expect(bench.watchApi.accepted).toBe(1);
    expect(bench.watchApi.tokens).toMatchObject({ issued: 1, used: 1 });
    expect(bench.source.load('1')).toMatchObject({ streams: 10, webSockets: 1, httpStreams: 0 });
    expect(views).toHaveLength(1_000);
    expect(views.flatMap(({ breaches }) => breaches)).toEqual([]);
    await Promise.all(views.map((view) => view.leave()));
    await released();
  });

  it('changes hands with its lender, one WebSocket after the other, unseen by those who stay', async () => {
    bench = await Bench.start({ transport, clock: scaledClock(60), lingerMs: 600_000 });
    bench.store.create(makePod({ name: 'a', namespace: NAMESPACE }));
    bench.allow('bob');
    const leaving = await bench.liveView();
    const staying = await bench.liveView({ viewer: bench.viewer('bob') });
    const services = await bench.view({ viewer: bench.viewer('bob'), resource: SERVICES });
    await watches(2);
    expect(lenders()).toEqual(['ada']);
    const states = bench.followStates();
    await leaving.leave();
    await eventually('the other lender', () => lenders().join() === 'bob', 65_000 / 60 + 2_000, lenders);
    await watches(2);
    expect(states).not.toContain('DISCONNECTED');
    expect(states).not.toContain('CONNECTING');
    expect(bench.watchApi.accepted).toBe(2);
    expect(bench.kas.inFlight({ verb: 'watch' })).toHaveLength(2);
    touch();
    await bench.converged(staying);
    expect(staying.snapshots).toHaveLength(1);
    expect(services.snapshots).toHaveLength(1);
    expect(bench.counts('list')).toBe(1);
  });

  it('gives a watch a WebSocket of its own when the lender of the shared one may not have it', async () => {
    bench = await Bench.start({ transport, lingerMs: 10_000 });
    bench.store.create(makePod({ name: 'a', namespace: NAMESPACE }));
    revoke(bench.store, 'ada');
    bench.allowOnly('ada', ['pods']);
    bench.allow('bob');
    const pods = await bench.liveView();
    const services = await bench.view({ viewer: bench.viewer('bob'), resource: SERVICES });
    await eventually('services', () => bench.status(SERVICES).state === 'CONNECTED', 3_000);
    expect(bench.status(SERVICES).transport).toBe('WEBSOCKET');
    expect(lenders()).toEqual(['ada', 'bob']);
    bench.store.create(makeService({ name: 's', namespace: NAMESPACE }));
    await eventually('the service', () => services.objects.size === 1, 3_000);
    expect([pods.error, services.error]).toEqual([undefined, undefined]);
  });

  it('moves on when the lender is refused, and only the lender is told', async () => {
    bench = await Bench.start({ transport, clock: scaledClock(20), lingerMs: 600_000 });
    bench.store.create(makePod({ name: 'a', namespace: NAMESPACE }));
    bench.allow('bob');
    const refused = await bench.liveView();
    const other = await bench.liveView({ viewer: bench.viewer('bob') });
    const services = await bench.view({ viewer: bench.viewer('bob'), resource: SERVICES });
    await watches(2);
    bench.kas.user('ada').revoked = true;
    bench.watchApi.connections[0]?.reset();
    touch();
    await bench.converged(other);
    // At once if the watch was opened with these credentials, else with the next check of the viewer's rights.
    await eventually('the refused one is told', () => refused.error !== undefined, 75_000 / 20 + 1_000);
    expect(['GITLAB_UNAUTHORIZED', 'ACCESS_REVOKED']).toContain((refused.error as ApiError).code);
    await eventually('services', () => bench.status(SERVICES).state === 'CONNECTED', 3_000);
    expect([other.error, services.error]).toEqual([undefined, undefined]);
    expect(other.snapshots).toHaveLength(1);
  });

  it('does not share a WebSocket between identities where clusters answer each user differently', async () => {
    bench = await Bench.start({ transport, sharing: 'identity', lingerMs: 10_000 });
    bench.allow('bob');
    await bench.view();
    await bench.view({ viewer: bench.viewer('bob') });
    await watches(2);
    expect(lenders().toSorted()).toEqual(['ada', 'bob']);
  });

  it('uses one for each namespace', async () => {
    bench = await Bench.start({ transport, lingerMs: 10_000 });
    await bench.view();
    const other = new RecordedView(await bench.gate.subscribe(bench.viewer(), bench.key(PODS, 'other'), {}));
    await watches(2);
    expect(bench.watchApi.connections).toHaveLength(2);
    await other.leave();
  });
});
