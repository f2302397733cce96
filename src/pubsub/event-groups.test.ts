import { expect, it } from 'vitest';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { EventGroups } from './event-groups.ts';

function event(uid: string, reason: string, count = 1, about = 'web'): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    type: 'Normal',
    reason,
    count,
    message: uid,
    source: { component: 'kubelet' },
    metadata: { name: uid, namespace: 'shop', uid, resourceVersion: '1', creationTimestamp: '2026-03-01T00:00:00Z' },
    involvedObject: { kind: 'Pod', namespace: 'shop', name: about, uid: about },
  };
}

it('keeps groups up to date as events come, change and go', () => {
  const groups = new EventGroups();
  groups.replace([event('a', 'Pulled'), event('b', 'Pulled', 2), event('c', 'Started')]);
  expect(groups.all().map(({ reason, count }) => [reason, count])).toEqual([
    ['Pulled', 3],
    ['Started', 1],
  ]);
  const counted = groups.apply([event('b', 'Pulled', 5)], []);
  expect(counted).toMatchObject({ upserted: [{ reason: 'Pulled', count: 6 }], removed: [] });
  expect(groups.apply([], ['a', 'unknown'])).toMatchObject({ upserted: [{ count: 5 }], removed: [] });
  const gone = groups.apply([event('d', 'Started', 1, 'db')], ['b']);
  expect(gone.upserted).toMatchObject([{ involvedObject: { name: 'db' } }]);
  expect(gone.removed).toHaveLength(1);
  expect(groups.size).toBe(2);
  expect([groups.has('b'), groups.has('d')]).toEqual([false, true]);
});
