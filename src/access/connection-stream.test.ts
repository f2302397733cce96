import { describe, expect, it } from 'vitest';
import { settled, VirtualClock } from '../../test/support/virtual-clock.ts';
import { ApiError } from '../errors.ts';
import type { ConnectionState } from '../sources/status.ts';
import type { Connection } from './connection.ts';
import { ConnectionStream, LOOK_AGAIN_MS } from './connection-stream.ts';

describe('ConnectionStream', () => {
  it('begins with what there is, and sends what changes', async () => {
    const { stream, change } = made();
    expect(await next(stream)).toBe('CONNECTING');
    await change('CONNECTED');
    expect(await next(stream)).toBe('CONNECTED');
  });

  it('does not miss what changed between the first look and the listening', async () => {
    const { stream } = made({ now: 'CONNECTED' });
    await settled();
    expect(await next(stream)).toBe('CONNECTED');
  });

  it('sends nothing when nothing that a viewer would notice has changed', async () => {
    const { stream, change } = made();
    await next(stream);
    let sent = false;
    void stream.updates.next().then(() => (sent = true));
    await change('CONNECTING');
    expect(sent).toBe(false);
    await change('DISCONNECTED');
    expect(sent).toBe(true);
  });

  it('looks once more when something changes while it looks, and only once', async () => {
    const { stream, listeners, looks, answers } = made({ byHand: true });
    await settled();
    answers.shift()?.(connection('CONNECTING'));
    await settled();
    expect(await next(stream)).toBe('CONNECTING');
    const before = looks();
    for (let times = 0; times < 100; times += 1) for (const listener of listeners) listener();
    expect(looks()).toBe(before + 1);
    answers.shift()?.(connection('CONNECTED'));
    await settled();
    expect(looks()).toBe(before + 2);
    answers.shift()?.(connection('DISCONNECTED'));
    await settled();
    expect(looks()).toBe(before + 2);
    expect(await next(stream)).toBe('DISCONNECTED');
  });

  it('looks again after a while at what could not be looked at, until it can or the viewer leaves', async () => {
    const { stream, clock, looks, answers } = made({ byHand: true });
    const unseen = { ...connection('DISCONNECTED'), isUnseen: true } as const;
    answers.shift()?.(unseen);
    await settled();
    expect(await next(stream)).toBe('DISCONNECTED');
    await clock.advance(1.2 * LOOK_AGAIN_MS);
    expect(looks()).toBe(2);
    answers.shift()?.(connection('CONNECTED'));
    await settled();
    expect(await next(stream)).toBe('CONNECTED');
    await clock.advance(10 * LOOK_AGAIN_MS);
    expect(looks()).toBe(2);
  });

  it('does not look again for a viewer who has left meanwhile', async () => {
    const { stream, clock, looks, answers } = made({ byHand: true });
    await stream.updates.return();
    answers.shift()?.({ ...connection('DISCONNECTED'), isUnseen: true });
    await clock.advance(10 * LOOK_AGAIN_MS);
    expect(looks()).toBe(1);
  });

  it('ends with the error when it may not look any more, and lets go', async () => {
    const error = new ApiError('FORBIDDEN', 'No longer.');
    const { stream, change, listeners, released } = made();
    await next(stream);
    const ended = stream.updates.next().catch((reason: unknown) => reason);
    await change(error);
    expect(await ended).toBe(error);
    expect(listeners.size).toBe(0);
    expect(released()).toBe(1);
  });

  it('lets go once when the viewer leaves, and looks no more', async () => {
    const { stream, change, listeners, released, looks } = made();
    await settled();
    await stream.updates.return();
    await stream.updates.return();
    expect(listeners.size).toBe(0);
    expect(released()).toBe(1);
    const before = looks();
    await change('CONNECTED');
    expect(looks()).toBe(before);
  });
});

function connection(status: ConnectionState): Connection {
  return { agentId: '7', namespace: 'shop', status, reason: undefined, resources: [] };
}

function made({ now = 'CONNECTING', byHand = false }: { now?: ConnectionState; byHand?: boolean } = {}) {
  let current: ConnectionState | ApiError = now;
  let lookCount = 0;
  let releaseCount = 0;
  const listeners = new Set<() => void>();
  const answers: ((connection: Connection) => void)[] = [];
  const look = (): Promise<Connection> => {
    lookCount += 1;
    if (byHand) return new Promise((resolve) => answers.push(resolve));
    return current instanceof ApiError ? Promise.reject(current) : Promise.resolve(connection(current));
  };
  const listen = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const clock = new VirtualClock();
  const stream = new ConnectionStream(connection('CONNECTING'), { look, listen, clock }, () => (releaseCount += 1));
  const change = async (to: ConnectionState | ApiError) => {
    current = to;
    for (const listener of listeners) listener();
    await settled();
  };
  return { stream, change, clock, listeners, answers, looks: () => lookCount, released: () => releaseCount };
}

async function next(stream: ConnectionStream): Promise<string | undefined> {
  return (await stream.updates.next()).value?.status;
}
