import { describe, expect, it } from 'vitest';
import { ApiServer } from './index.ts';
import { makeDeployment, makePod } from './objects.ts';
import { serialize } from './serialize.ts';

function names(objects: { metadata: { name: string } }[]): string[] {
  return objects.map((object) => object.metadata.name);
}

describe('the store', () => {
  it('numbers every write with a version that does not survive a conversion to Number', () => {
    const { store } = new ApiServer();
    const first = store.create(makePod({ name: 'a' })).metadata.resourceVersion;
    const second = store.create(makePod({ name: 'b' })).metadata.resourceVersion;
    expect(BigInt(second) - BigInt(first)).toBe(1n);
    expect(Number(first)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });

  it('shows the state at any revision', () => {
    const { store } = new ApiServer();
    store.create(makePod({ name: 'a' }));
    const before = store.revision;
    store.create(makePod({ name: 'b' }));
    store.patch('pods', 'default', 'a', { metadata: { labels: { tier: 'web' } } });
    store.delete('pods', 'default', 'b');
    expect(names(store.at(before).list('pods'))).toEqual(['a']);
    expect(store.at(before).list('pods')[0]?.metadata.labels).not.toHaveProperty('tier');
    expect(store.history.slice(-3).map((change) => change.type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });

  it('gives a deletion a version of its own', () => {
    const { store } = new ApiServer();
    const pod = store.create(makePod({ name: 'a' }));
    store.delete('pods', 'default', 'a');
    expect(store.history.at(-1)?.object.metadata.resourceVersion).toBe(store.revision);
    expect(store.history.at(-1)?.object.metadata.uid).toBe(pod.metadata.uid);
  });

  it('refuses to write over a version the writer has not seen', () => {
    const { store } = new ApiServer();
    const old = store.create(makePod({ name: 'a' }));
    store.patch('pods', 'default', 'a', { metadata: { labels: { tier: 'web' } } });
    expect(() => store.update(old)).toThrow('the object has been modified');
  });

  it('counts generations of the spec only', () => {
    const { store } = new ApiServer();
    store.create(makeDeployment({ name: 'web' }));
    expect(store.patch('deployments', 'default', 'web', { status: { replicas: 3 } }).metadata.generation).toBe(1);
    expect(store.patch('deployments', 'default', 'web', { spec: { replicas: 3 } }).metadata.generation).toBe(2);
  });

  it('keeps an object with finalizers until the last one is gone', () => {
    const { store } = new ApiServer();
    store.create({ ...makePod({ name: 'a' }), metadata: { name: 'a', namespace: 'x', finalizers: ['demo/hold'] } });
    store.delete('pods', 'x', 'a');
    expect(store.get('pods', 'x', 'a')?.metadata.deletionTimestamp).toBeDefined();
    store.patch('pods', 'x', 'a', { metadata: { finalizers: null } });
    expect(store.get('pods', 'x', 'a')).toBeUndefined();
  });

  it('goes back in time with new uids after a rewind, and keeps the old history for the oracle', () => {
    const { store } = new ApiServer();
    const pod = store.create(makePod({ name: 'a' }));
    store.advance(5_000);
    const before = store.revision;
    store.rewind();
    expect(BigInt(store.revision)).toBeLessThan(BigInt(before));
    expect(store.list('pods')[0]?.metadata.uid).not.toBe(pod.metadata.uid);
    expect(store.pastHistories).toHaveLength(1);
  });

  it('serializes as JSON.stringify would, and makes pods of a realistic size', () => {
    const { store } = new ApiServer();
    const pod = store.create(makePod({ name: 'web-1', initContainers: [{ name: 'migrate' }] }));
    const text = serialize(pod);
    expect(JSON.parse(text)).toEqual(pod);
    expect(text.length).toBeGreaterThan(8_000);
    expect(text).toContain('last-applied-configuration');
  });

  it('forgets the oldest changes where a limit is set', () => {
    const { store } = new ApiServer({ historyLimit: 100 });
    store.create(makePod({ name: 'a' }));
    for (let n = 0; n < 1_000; n += 1) store.patch('pods', 'default', 'a', { status: { n } });
    expect(store.history.length).toBeLessThan(130);
    expect(() => store.at('9007199254740993')).toThrow('older than the history');
  });
});
