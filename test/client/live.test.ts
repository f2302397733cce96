import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fullJitter, live, liveWith, type LiveStatus } from '../../client/index.ts';
import { PODS, ScriptedTransport, refusal } from './scripted-transport.ts';

let transport: ScriptedTransport;

beforeEach(() => {
  vi.useFakeTimers();
  transport = new ScriptedTransport();
});

afterEach(() => {
  vi.useRealTimers();
});

function start() {
  const store = live(transport.subscribe, PODS, { namespace: 'shop' }, { backoff: (attempt) => attempt * 1_000 });
  const statuses: LiveStatus[] = [store.get().status];
  store.subscribe(() => statuses.push(store.get().status));
  return { store, statuses };
}

it('is live from the first message, also when that is empty', () => {
  const { store } = start();
  expect(store.get()).toMatchObject({ status: 'connecting', loaded: false });
  transport.send('SNAPSHOT', [], 'c0');
  expect(store.get()).toMatchObject({ status: 'live', loaded: true, error: undefined });
  transport.send('CHANGES', ['a'], 'c1');
  expect(store.get().value.items).toEqual([{ id: 'a' }]);
});

it('comes back with the cursor of the last message, and keeps the list meanwhile', () => {
  const { store, statuses } = start();
  transport.send('SNAPSHOT', ['a'], 'c1');
  transport.send('CHANGES', ['b'], 'c2');
  transport.last.sink.error({ code: 1012, reason: 'Service restart' });
  expect(store.get()).toMatchObject({ status: 'retrying', retryAt: Date.now() + 1_000, error: { code: 'NETWORK' } });
  expect(store.get().value.items).toHaveLength(2);
  vi.advanceTimersByTime(1_000);
  expect(transport.last.variables).toEqual({ namespace: 'shop', resume: 'c2' });
  transport.send('CHANGES', ['c'], 'c3');
  expect(store.get()).toMatchObject({ status: 'live', attempts: 0, error: undefined });
  expect(store.get().value.items.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  expect(statuses).toEqual(['connecting', 'live', 'live', 'retrying', 'connecting', 'live']);
});

it('waits longer each time, until a message came', () => {
  const { store } = start();
  for (const attempt of [1, 2, 3]) {
    transport.last.sink.error(refusal('AGENT_NOT_CONNECTED', true));
    expect(store.get()).toMatchObject({ attempts: attempt, retryAt: Date.now() + attempt * 1_000 });
    vi.advanceTimersByTime(attempt * 1_000);
  }
  transport.send('SNAPSHOT', [], 'c');
  transport.last.sink.error(refusal('AGENT_NOT_CONNECTED', true));
  expect(store.get().attempts).toBe(1);
});

it('does not retry what would fail again, and says what would help', () => {
  const { store } = start();
  transport.last.sink.error(refusal('FORBIDDEN', false));
  expect(store.get()).toMatchObject({ status: 'failed', error: { code: 'FORBIDDEN', remedy: 'Do something.' } });
  vi.advanceTimersByTime(3_600_000);
  expect(transport.opened).toHaveLength(1);
  store.retryNow();
  transport.send('SNAPSHOT', [], 'c');
  expect(store.get().status).toBe('live');
});

it('takes errors that come as a message for what they are', () => {
  const { store } = start();
  transport.last.sink.next({ data: null, errors: refusal('ACCESS_REVOKED', false) });
  expect(store.get()).toMatchObject({ status: 'failed', error: { code: 'ACCESS_REVOKED' } });
  expect(transport.last.stopped).toBe(true);
});

it('does not mistake an end for having everything', () => {
  const { store } = start();
  transport.send('SNAPSHOT', ['a'], 'c1');
  transport.last.sink.complete();
  expect(store.get().status).toBe('retrying');
});

it('is done at the end of what may end', () => {
  const lines = liveWith(
    transport.subscribe,
    PODS,
    { namespace: 'shop' },
    {
      initial: 0,
      fold: (count: number) => count + 1,
      mayEnd: true,
    },
  );
  transport.send('SNAPSHOT', ['a'], 'c1');
  transport.last.sink.complete();
  expect(lines.get()).toMatchObject({ status: 'ended', value: 1 });
});

it('says that it is not live while the transport brings its connection back by itself', () => {
  const { store } = start();
  transport.send('SNAPSHOT', ['a'], 'c1');
  transport.last.sink.interrupted?.({ code: 1006 });
  expect(store.get()).toMatchObject({ status: 'retrying', retryAt: undefined });
  transport.send('CHANGES', ['b'], 'c2');
  expect(store.get()).toMatchObject({ status: 'live' });
  expect(transport.opened).toHaveLength(1);
});

it('hears nothing of an attempt that it gave up', () => {
  const { store } = start();
  const [first] = transport.opened;
  transport.last.sink.error({ code: 1006 });
  first?.sink.next({ data: { pods: { type: 'SNAPSHOT', upserted: [{ id: 'late' }], removed: [] } } });
  first?.sink.error({ code: 1006 });
  expect(store.get()).toMatchObject({ status: 'retrying', attempts: 1, loaded: false });
});

it('survives a transport that fails at once', () => {
  const store = live(
    (_operation, sink) => {
      sink.error(refusal('FORBIDDEN', false));
      return () => {};
    },
    PODS,
    { namespace: 'shop' },
  );
  expect(store.get().status).toBe('failed');
});

it('stops cleanly: nothing runs, nothing is heard, nothing starts again', () => {
  const { store } = start();
  transport.last.sink.error({ code: 1006 });
  store.stop();
  store.stop();
  store.retryNow();
  vi.advanceTimersByTime(3_600_000);
  expect(transport.opened).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
  expect(store.get().status).toBe('stopped');
});

it('tells listeners that many, and none that left', () => {
  const { store } = start();
  const listener = vi.fn<() => void>();
  const leave = store.subscribe(listener);
  store.subscribe(listener);
  transport.send('SNAPSHOT', [], 'c');
  expect(listener).toHaveBeenCalledTimes(2);
  leave();
  transport.send('CHANGES', ['a'], 'c');
  expect(listener).toHaveBeenCalledTimes(3);
});

it('waits a random part of a time that doubles up to half a minute', () => {
  for (let attempt = 1; attempt < 100; attempt += 1) {
    const wait = fullJitter(attempt);
    expect(wait).toBeGreaterThanOrEqual(100);
    expect(wait).toBeLessThanOrEqual(Math.min(30_000, 500 * 2 ** (attempt - 1)) + 100);
  }
});
