import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Viewer } from '../../src/access/viewer.ts';
import { PODS, SERVICES } from '../../src/kubernetes/resources.ts';
import { eventually } from '../support/eventually.ts';
import { hasRedis } from '../support/processes/redis-server.ts';
import { Replicas } from '../support/replicas.ts';

let replicas: Replicas;

describe.skipIf(!hasRedis('limits over replicas'))('over all replicas', () => {
  afterEach(() => replicas.close());

  it('an agent carries no more streams than its budget, and those that are given back can be had elsewhere', async () => {
    replicas = await Replicas.start(2, { agentStreamBudget: 2, lingerMs: 0 });
    const [one, two] = both();
    const first = await one.view();
    const second = await two.view({ resource: SERVICES });
    await eventually('both are served', () => first.updates.length > 0 && second.updates.length > 0, 5_000);
    const namespace = 'other';
    const refused = await two.gate.subscribe(two.viewer(), { agentId: '1', namespace, resource: PODS }, {});
    await expect(refused.next()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await first.leave();
    await eventually('the stream is closed', () => replicas.kas.openStreams(1) === 1, 5_000);
    await eventually('a place is free', () => one.hub.size === 0 && two.hub.size === 1, 5_000);
    const later = await one.gate.subscribe(one.viewer(), { agentId: '1', namespace, resource: PODS }, {});
    await expect(later.next()).resolves.toMatchObject({ value: { type: 'SNAPSHOT' } });
    await later.return?.();
  });

  it('a viewer has no more subscriptions than they may', async () => {
    replicas = await Replicas.start(2, { subscriptionsPerViewer: 2 });
    const [one, two] = both();
    const viewer = await inAnotherProcess(two.viewer());
    const first = await one.view();
    await two.view({ viewer });
    await expect(one.view()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await expect(two.view({ viewer })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await first.leave();
    const [again] = await Promise.allSettled([untilHad(() => two.view({ viewer }))]);
    expect(again?.status).toBe('fulfilled');
  });

  it('a viewer holds no more feeds than they may', async () => {
    replicas = await Replicas.start(2, { feedsPerViewer: 1, lingerMs: 50 });
    const [one, two] = both();
    const viewer = await inAnotherProcess(two.viewer());
    const first = await one.view();
    await expect(two.view({ viewer, resource: SERVICES })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await first.leave();
    await expect(untilHad(() => two.view({ viewer, resource: SERVICES }))).resolves.toBeDefined();
  });
});

/** The same person as a replica that is a process of its own knows them: ids are keyed anew in each. */
async function inAnotherProcess(viewer: Viewer): Promise<Viewer> {
  vi.resetModules();
  const other = await import('../../src/access/viewer.ts');
  return new other.Viewer(viewer.credentials);
}

function both() {
  const [one, two] = replicas.all;
  if (one === undefined || two === undefined) throw new Error('there should be two');
  return [one, two] as const;
}

/** What is given back on one replica is known to the others a moment later. */
async function untilHad<T>(take: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await take();
    } catch (error) {
      if (tries > 200) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
  }
}
