import { expect, it } from 'vitest';
import type { Update } from '../pubsub/updates.ts';
import { FakeGate, FRESH_AS_OF } from './testing/fake-gate.ts';
import { pod } from './testing/objects.ts';
import { collect } from './testing/run.ts';

const LIVE =
  'subscription { fluxKustomization(agentId: 7, namespace: "flux", name: "app") { object { id metadata { resourceVersion } } } }';

function update(type: Update['type'], uid: string | undefined, version = '1', removed: string[] = []): Update {
  const upserted = uid === undefined ? [] : [pod('app', { metadata: { uid, resourceVersion: version } })];
  return { type, upserted, removed, cursor: 'c', resyncReason: undefined, total: 1, freshAsOf: FRESH_AS_OF };
}

it('tells of an object that comes, changes, goes and comes back; and nothing twice', async () => {
  const gate = new FakeGate();
  gate.updates = [
    update('SNAPSHOT', undefined),
    update('CHANGES', 'first'),
    update('CHANGES', 'first', '2'),
    update('SNAPSHOT', 'first', '2'),
    update('CHANGES', undefined, '', ['first']),
    update('CHANGES', 'second', '3'),
    update('CHANGES', 'third', '4', ['second']),
  ];
  const answers = await collect(gate, LIVE);
  const seen = answers.map(
    ({ data }) => (data as { fluxKustomization: { object: { id: string } | null } }).fluxKustomization.object,
  );
  expect(seen.map((object) => object?.id ?? null)).toEqual([null, 'first', 'first', null, 'second', 'third']);
  expect(gate.calls).toEqual([['subscribe', '7', 'flux', 'fluxKustomizations', 'name app', undefined, undefined]]);
  expect(gate.lastFilter?.matches(pod('app'))).toBe(true);
  expect(gate.lastFilter?.matches(pod('apps'))).toBe(false);
});
