import { describe, expect, it } from 'vitest';
import { names, pod } from '../../../test/support/objects.ts';
import { added, deleted, modified } from '../../../test/support/scripted-upstream.ts';
import { settled } from '../../../test/support/virtual-clock.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { FullList } from '../reflector/list.ts';
import type { WatchEvent } from '../upstream.ts';
import { KnownObjects } from './known-objects.ts';
import { ReplayGuard, ReplayMemory } from './replay-guard.ts';

const at = (name: string, resourceVersion: number) => pod(name, { resourceVersion });

/** A guard of a watch from version 10, of a collection last listed at `listedAt`. */
function guard(listed: KubernetesObject[], options: { listedAt?: number; state?: ReplayMemory['state'] } = {}) {
  const memory = new ReplayMemory();
  memory.state = options.state ?? 'unknown';
  const known = new KnownObjects();
  known.page({}, { items: listed, resourceVersion: String(options.listedAt ?? 10), continueToken: undefined });
  const told: string[] = [];
  const asked: string[] = [];
  let answer: ((list: FullList) => void) | undefined;
  let got: KubernetesObject | undefined;
  const made = new ReplayGuard({
    request: { resourceVersion: '10', timeoutSeconds: 270 },
    memory,
    known,
    get: async ({ metadata }) => {
      asked.push(`get ${metadata.name}`);
      return got;
    },
    list: (notOlderThan) => {
      asked.push(`list ${notOlderThan}`);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    opened: () => told.push('opened'),
    event: (event: WatchEvent) => {
      known.event(event);
      told.push(
        event.type === 'BOOKMARK'
          ? `BOOKMARK ${event.resourceVersion}`
          : `${event.type} ${names([event.object]).join()}`,
      );
    },
    failed: (error) => told.push(`failed ${(error as Error).message}`),
  });
  return {
    guard: made,
    memory,
    told,
    asked,
    isThere: (object: KubernetesObject) => {
      got = object;
    },
    list: async (resourceVersion: number, ...objects: KubernetesObject[]) => {
      answer?.({ objects, resourceVersion: String(resourceVersion) });
      await settled();
    },
  };
}

describe('a server that honours versions', () => {
  it('is known by an object that should have been replayed and was not', async () => {
    const { guard: watch, memory, told, asked, isThere } = guard([at('a', 5)]);
    isThere(at('a', 5));
    watch.accepted();
    await settled();
    expect(memory.state).toBe('honours');
    watch.event(added(at('b', 11)));
    expect(told).toEqual(['opened', 'ADDED b@11']);
    expect(asked).toEqual(['get a']);
  });

  it('is known by a change of what it did not announce', () => {
    const { guard: watch, memory, told } = guard([at('a', 5)]);
    watch.event(modified(at('a', 11)));
    expect(memory.state).toBe('honours');
    expect(told).toEqual(['opened', 'MODIFIED a@11']);
  });

  it('is not known by silence about nothing', async () => {
    const { guard: watch, memory, told, asked } = guard([]);
    watch.accepted();
    await settled();
    expect(memory.state).toBe('unknown');
    expect(told).toEqual(['opened']);
    expect(asked).toEqual([]);
  });

  it('is not known by an object that has changed since', async () => {
    const { guard: watch, memory, isThere } = guard([at('a', 5)]);
    isThere(at('a', 11));
    watch.accepted();
    await settled();
    expect(memory.state).toBe('unknown');
  });

  it('costs nothing more once it is known', async () => {
    const { guard: watch, told, asked } = guard([at('a', 5)], { listedAt: 3, state: 'honours' });
    watch.accepted();
    watch.event(added(at('b', 11)));
    await settled();
    expect(told).toEqual(['opened', 'ADDED b@11']);
    expect(asked).toEqual([]);
  });
});

describe('an unclear beginning', () => {
  it('waits for proof, and is then passed on', async () => {
    const { guard: watch, told, asked, isThere } = guard([at('a', 5)]);
    isThere(at('a', 5));
    watch.event(added(at('b', 11)));
    watch.event(deleted(at('b', 12)));
    expect(told).toEqual([]);
    await settled();
    expect(asked).toEqual(['get a']);
    expect(told).toEqual(['opened', 'DELETED b@12']);
  });

  it('is listed when there is no proof', async () => {
    const { guard: watch, told, asked, list } = guard([at('a', 5)]);
    watch.event(added(at('a', 11)));
    await settled();
    expect(asked).toEqual(['get a', 'list 10']);
    await list(12, at('a', 11));
    expect(told).toEqual(['opened', 'MODIFIED a@11', 'BOOKMARK 12']);
  });

  it('is listed when time has passed since the last list, and nothing proves that it goes on from there', async () => {
    const { guard: watch, told, asked, isThere, list } = guard([at('a', 5), at('b', 6), at('c', 7)], { listedAt: 3 });
    isThere(at('b', 11));
    watch.accepted();
    await settled();
    expect(told).toEqual([]);
    expect(asked).toEqual(['get a', 'get c', 'list 10']);
    await list(10, at('b', 6), at('c', 7));
    expect(told).toEqual(['opened', 'DELETED a@10', 'BOOKMARK 10']);
  });

  it('costs no list after a takeover when an object is there that a replay would have had', async () => {
    const { guard: watch, memory, told, asked, isThere } = guard([at('b', 6), at('a', 5)], { listedAt: 3 });
    isThere(at('b', 6));
    watch.accepted();
    watch.event(added(at('c', 11)));
    await settled();
    expect(memory.state).toBe('honours');
    expect(asked).toEqual(['get a', 'get b']);
    expect(told).toEqual(['opened', 'ADDED c@11']);
  });

  it('is listed after all when the replay comes later than the proof', async () => {
    const { guard: watch, memory, told, asked, isThere, list } = guard([at('a', 5), at('b', 6)], { listedAt: 3 });
    isThere(at('a', 5));
    watch.accepted();
    await settled();
    watch.event(added(at('a', 5)));
    expect(memory.state).toBe('replays');
    expect(asked).toEqual(['get a', 'list 10']);
    await list(11, at('a', 5));
    expect(told).toEqual(['opened', 'DELETED b@11', 'BOOKMARK 11']);
  });
});

describe('a server that replays', () => {
  it('is listed; only the difference and what comes after is passed on', async () => {
    const { guard: watch, memory, told, asked, list } = guard([at('a', 5), at('b', 6), at('c', 7)]);
    watch.event(added(at('a', 5)));
    watch.event(added(at('c', 11)));
    watch.event(modified(at('a', 14)));
    expect(memory.state).toBe('replays');
    await list(13, at('a', 5), at('c', 11), at('d', 12));
    watch.event(added(at('d', 12)));
    watch.event(deleted(at('d', 15)));
    expect(asked).toEqual(['list 10']);
    expect(told).toEqual([
      'opened',
      'DELETED b@13',
      'MODIFIED c@11',
      'ADDED d@12',
      'BOOKMARK 13',
      'MODIFIED a@14',
      'DELETED d@15',
    ]);
  });

  it('is listed once a watch, also when it is found out late', async () => {
    const { guard: watch, told, asked, list } = guard([at('a', 5)], { state: 'honours' });
    watch.accepted();
    watch.event(added(at('a', 5)));
    await list(10, at('a', 5));
    watch.event(added(at('a', 5)));
    expect(asked).toEqual(['list 10']);
    expect(told).toEqual(['opened', 'BOOKMARK 10']);
  });

  it('leaves alone what another stream knows to be newer than the list', async () => {
    const { guard: watch, told, list } = guard([at('a', 5), at('b', 20)], { state: 'replays' });
    watch.accepted();
    await list(12);
    expect(told).toEqual(['opened', 'DELETED a@12', 'BOOKMARK 12']);
  });

  it('has failed when its list is older than what is known, and says nothing after it was closed', async () => {
    const first = guard([at('a', 5)], { state: 'replays' });
    first.guard.accepted();
    await first.list(9, at('a', 5));
    expect(first.told).toEqual(['failed The list was older than what was asked for.']);
    const second = guard([at('a', 5)], { state: 'replays' });
    second.guard.accepted();
    second.guard.close();
    await second.list(12);
    expect(second.told).toEqual([]);
  });
});
