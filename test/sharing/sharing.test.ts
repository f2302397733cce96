import { afterEach, describe, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { NAMESPACE } from '../support/bench.ts';
import { eventually } from '../support/eventually.ts';
import { hasRedis } from '../support/processes/redis-server.ts';
import type { RecordedView } from '../support/recorded-view.ts';
import { Replicas, type Replica } from '../support/replicas.ts';

let replicas: Replicas;
let loads: { stop(): void }[] = [];

describe.skipIf(!hasRedis('sharing over replicas'))('replicas', () => {
  afterEach(async () => {
    for (const load of loads) load.stop();
    loads = [];
    await replicas.close();
  });

  it('carry one list and one watch for 300 viewers on three of them', { timeout: 60_000 }, async () => {
    replicas = await Replicas.start(3);
    createPods(20);
    const views = await Promise.all(
      Array.from({ length: 300 }, (_, index) => {
        const replica = replicas.all[index % 3]!;
        replica.allow(`user-${index}`, NAMESPACE);
        return replica.view({ viewer: replica.viewer(`user-${index}`) });
      }),
    );
    await converged(views);
    replicas.store.create(makePod({ name: 'one-more', namespace: NAMESPACE }));
    await converged(views);
    await Promise.all(replicas.all.map((replica) => replica.connected()));
    expect(upstream()).toEqual({ lists: 1, watches: 1 });
    expect(views.flatMap(({ breaches }) => breaches)).toEqual([]);
    expect(views.every(({ updates }) => updates.length === 2)).toBe(true);
  });

  it('cost the cluster nothing when one more joins under load', async () => {
    replicas = await Replicas.start(2);
    createPods(200);
    const views = await viewEverywhere();
    await converged(views);
    const before = upstream();
    const load = changing();
    const third = await replicas.add();
    const late = await third.view();
    await eventually('it sees pods', () => late.updates.length > 3, 5_000);
    load.stop();
    await converged([...views, late]);
    expect(upstream()).toEqual(before);
    expect([...views, late].flatMap(({ breaches }) => breaches)).toEqual([]);
    expect(late.snapshots).toHaveLength(1);
  });

  it('go on without a reset when the leader crashes, from where it was', async () => {
    replicas = await Replicas.start(3, { bus: { leaseMs: 1_500 } });
    createPods(10);
    const views = await viewEverywhere();
    await converged(views);
    const before = upstream();
    const leader = leading();
    const load = changing();
    await leader.crash();
    const survivors = views.filter((_, index) => replicas.all[index] !== leader);
    await eventually('somebody has taken over', () => replicas.all.some((one) => one !== leader && leads(one)), 8_000);
    load.stop();
    await converged(survivors);
    expect(survivors.flatMap(({ breaches }) => breaches)).toEqual([]);
    expect(survivors.flatMap(({ snapshots }) => snapshots)).toHaveLength(2);
    expect(upstream().lists).toBe(before.lists);
  });

  it('hand over before one leaves: nothing is reset, cursors hold everywhere', async () => {
    replicas = await Replicas.start(3);
    createPods(10);
    const views = await viewEverywhere();
    await converged(views);
    const leader = leading();
    const load = changing();
    await leader.stop();
    await eventually('somebody leads', () => replicas.all.some(leads), 1_000);
    const left = views.find((_, index) => replicas.all[index] === leader);
    const back = await leading().view({ before: left });
    load.stop();
    const others = views.filter((view) => view !== left);
    await converged([...others, back]);
    expect(back.updates[0]?.type).toBe('CHANGES');
    expect([...others, back].flatMap(({ breaches }) => breaches)).toEqual([]);
    expect(others.flatMap(({ snapshots }) => snapshots)).toHaveLength(2);
    expect(upstream().lists).toBe(1);
  });

  it('let a viewer resume after all of them were replaced', async () => {
    replicas = await Replicas.start(2);
    createPods(10);
    const views = await viewEverywhere();
    await converged(views);
    await Promise.all(replicas.all.map((replica) => replica.stop()));
    const gone = replicas.store.delete('pods', NAMESPACE, 'pod-3');
    const fresh = await replicas.add();
    const back = await Promise.all(views.map((before) => fresh.view({ before })));
    await converged(back);
    expect(back.map(({ updates }) => updates[0]?.type)).toEqual(['CHANGES', 'CHANGES']);
    expect(back.every(({ updates }) => updates.some(({ removed }) => removed.includes(gone.metadata.uid)))).toBe(true);
    expect(back.flatMap(({ breaches }) => breaches)).toEqual([]);
  });

  it('leave nothing upstream when nobody looks any more', async () => {
    replicas = await Replicas.start(2);
    const views = await viewEverywhere();
    await converged(views);
    await Promise.all(views.map((view) => view.leave()));
    const isEmpty = () => replicas.kas.openStreams(1) === 0 && replicas.all.every(({ hub }) => hub.size === 0);
    await eventually('no stream is left', isEmpty, 8_000);
    expect(upstream()).toEqual({ lists: 1, watches: 1 });
  });
});

function createPods(count: number): void {
  for (let index = 0; index < count; index += 1) {
    replicas.store.create(makePod({ name: `pod-${index}`, namespace: NAMESPACE }));
  }
}

/** A view on each replica. */
function viewEverywhere(): Promise<RecordedView[]> {
  return Promise.all(replicas.all.map((replica) => replica.view()));
}

async function converged(views: readonly RecordedView[]): Promise<void> {
  const [any] = replicas.all;
  if (any !== undefined) await Promise.all(views.map((view) => any.converged(view, 10_000)));
}

function leads({ events }: Replica): boolean {
  return events.findLast((event) => LEADS.has(event)) === 'took over';
}

function leading(): Replica {
  const leader = replicas.all.findLast(leads);
  if (leader === undefined) throw new Error('nobody leads');
  return leader;
}

const LEADS: ReadonlySet<string> = new Set(['took over', 'handed over', 'demoted']);

function upstream(): { lists: number; watches: number } {
  return { lists: replicas.kas.counts({ verb: 'list' }), watches: replicas.kas.counts({ verb: 'watch' }) };
}

/** Changes a pod every few milliseconds, until stopped. */
function changing(): { stop(): void } {
  let round = 0;
  const timer = setInterval(() => {
    round += 1;
    replicas.store.patch('pods', NAMESPACE, `pod-${round % 10}`, { metadata: { labels: { round: String(round) } } });
  }, 10);
  const load = { stop: () => clearInterval(timer) };
  loads.push(load);
  return load;
}
