import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWithAda } from '../test-client.ts';
import { makePod } from './objects.ts';
import { FIRST_REVISION } from './revision.ts';

const PODS = '/api/v1/namespaces/prod/pods';
let fixture: Awaited<ReturnType<typeof startWithAda>>;

beforeEach(async () => {
  fixture = await startWithAda({ agents: { 1: { bookmarkPeriodMs: 40, minRequestTimeoutMs: 60_000 } } });
  fixture.store.create(makePod({ name: 'a', namespace: 'prod' }));
});

afterEach(() => fixture.kas.close());

describe('watches', () => {
  it('give every change after the version asked for, and nothing else', async () => {
    const { ada, store } = fixture;
    const start = store.revision;
    store.create(makePod({ name: 'b', namespace: 'prod' }));
    const watch = await ada.watch(`${PODS}?resourceVersion=${start}`);
    store.create(makePod({ name: 'x', namespace: 'other' }));
    store.patch('pods', 'prod', 'a', { metadata: { labels: { tier: 'web' } } });
    store.delete('pods', 'prod', 'a');
    const events = await watch.take(3);
    expect(watch.types).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
    expect(events[2]?.object.metadata.resourceVersion).toBe(store.revision);
  });

  it('start with made-up ADDED events when no version is given', async () => {
    const watch = await fixture.ada.watch(PODS);
    expect((await watch.take(1))[0]).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
  });

  it('translate changes for their selector', async () => {
    const { ada, store } = fixture;
    const watch = await ada.watch(`${PODS}?labelSelector=tier%3Dweb&resourceVersion=${store.revision}`);
    store.patch('pods', 'prod', 'a', { metadata: { labels: { tier: 'web' } } });
    store.patch('pods', 'prod', 'a', { metadata: { labels: { tier: 'db' } } });
    await watch.take(2);
    expect(watch.types).toEqual(['ADDED', 'DELETED']);
  });

  it('send bookmarks only when asked, at the newest version', async () => {
    const { ada, store } = fixture;
    const start = store.revision;
    const silent = await ada.watch(`${PODS}?resourceVersion=${start}`);
    const watch = await ada.watch(`${PODS}?resourceVersion=${start}&allowWatchBookmarks=true`);
    store.advance(10);
    const [bookmark] = await watch.take(2);
    expect(bookmark).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'Pod', metadata: { resourceVersion: store.revision } },
    });
    expect(silent.events).toEqual([]);
  });

  it('end cleanly at their timeout, with a last bookmark shortly before', async () => {
    const { ada, store } = fixture;
    const watch = await ada.watch(
      `${PODS}?resourceVersion=${store.revision}&allowWatchBookmarks=true&timeoutSeconds=1`,
    );
    const started = Date.now();
    expect(await watch.ended).toBe('end');
    expect(Date.now() - started).toBeGreaterThan(900);
    expect(watch.types).toContain('BOOKMARK');
  });

  it('send the initial state with an end mark (watch-list), and demand its parameters', async () => {
    const { ada } = fixture;
    const query = 'sendInitialEvents=true&allowWatchBookmarks=true';
    const watch = await ada.watch(`${PODS}?${query}&resourceVersionMatch=NotOlderThan`);
    const [, mark] = await watch.take(2);
    expect(mark?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect((await ada.send(`${PODS}?watch=true&${query}`)).status).toBe(422);
  });

  it('tell a compacted version inside the stream', async () => {
    const { ada, store } = fixture;
    store.compact();
    const watch = await ada.watch(`${PODS}?resourceVersion=${FIRST_REVISION}`);
    expect(watch.response.statusCode).toBe(200);
    expect((await watch.take(1))[0]).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    expect(await watch.ended).toBe('end');
  });

  it('break when the store is restored from a backup', async () => {
    const { ada, store } = fixture;
    const watch = await ada.watch(`${PODS}?resourceVersion=${store.revision}`);
    store.rewind();
    expect(await watch.ended).toBe('error');
  });

  it('carry ten thousand changes a second', async () => {
    const { ada, store } = fixture;
    store.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'counter', namespace: 'prod' } });
    const watch = await ada.watch(`/api/v1/namespaces/prod/configmaps?resourceVersion=${store.revision}`);
    const started = performance.now();
    for (let n = 0; n < 10_000; n += 1) store.patch('configmaps', 'prod', 'counter', { data: { n } });
    // Some 0.2 s on an idle machine.
    expect(performance.now() - started).toBeLessThan(5_000);
    await watch.take(10_000, 15_000);
  });
});

async function open() {
  const { ada, store, faults } = fixture;
  const watch = await ada.watch(`${PODS}?resourceVersion=${store.revision}`);
  await expect.poll(() => faults.openWatches({ resource: 'pods', namespace: 'prod', user: 'ada' }).length).toBe(1);
  const [server] = faults.openWatches();
  if (!server) throw new Error('no open watch');
  return { watch, server, store, faults };
}

describe('what a test may do to an open watch', () => {
  it('end it, reset it', async () => {
    const first = await open();
    first.server.end();
    expect(await first.watch.ended).toBe('end');
    await expect.poll(() => first.faults.openWatches().length).toBe(0);
    const second = await open();
    second.server.reset();
    expect(await second.watch.ended).toBe('error');
  });

  it('silence it: the connection stays, nothing comes', async () => {
    const { watch, server, store, faults } = await open();
    server.silence();
    store.patch('pods', 'prod', 'a', { status: { n: 1 } });
    await new Promise((resolve) => {
      setTimeout(resolve, 60);
    });
    expect(watch.events).toEqual([]);
    expect(faults.openWatches()).toHaveLength(1);
  });

  it('send an error, raw bytes, and old events again', async () => {
    const { watch, server, store } = await open();
    store.patch('pods', 'prod', 'a', { status: { n: 1 } });
    server.replay(1);
    server.send('{"type":"BOOKMARK","object":{}}\n');
    server.error({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'x', code: 500 });
    await watch.take(4);
    expect(watch.types).toEqual(['MODIFIED', 'MODIFIED', 'BOOKMARK', 'ERROR']);
    expect(await watch.ended).toBe('end');
  });
});
