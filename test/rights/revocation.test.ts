import { expect, it } from 'vitest';
import { makePod, revoke } from '../../demo/apiserver/objects.ts';
import { eventually, pause } from '../support/eventually.ts';
import { LIVE_PODS, RightsServer } from './rights-server.ts';

interface Seen {
  readonly frames: number[];
  revokedAt: number | undefined;
  errors: unknown;
}

function churn(whole: RightsServer, everyMs: number): () => void {
  let count = 0;
  const timer = setInterval(() => {
    count += 1;
    whole.store.create(makePod({ name: `c-${count}`, namespace: 'shop' }));
    if (count > 10) whole.store.delete('pods', 'shop', `c-${count - 10}`);
  }, everyMs);
  return () => clearInterval(timer);
}

it('sends nothing later than 8 s after a RoleBinding is deleted with ACCESS_ALLOW_SECONDS=5, and nothing after ACCESS_REVOKED', async () => {
  await using whole = await RightsServer.start({ env: { ACCESS_ALLOW_SECONDS: '5' } });
  const users = Array.from({ length: 12 }, (_, index) => `user-${index}`);
  for (const user of users) whole.allow(user, 'shop');
  const stop = churn(whole, 20);
  const seen = [...users, 'ada'].map((user) => {
    const record: Seen = { frames: [], revokedAt: undefined, errors: undefined };
    const client = whole.client(user);
    client.subscribe(
      { query: LIVE_PODS },
      {
        next: ({ data }) => {
          if (data) record.frames.push(performance.now());
        },
        error: (errors) => Object.assign(record, { errors, revokedAt: performance.now() }),
        complete: () => undefined,
      },
    );
    return { user, client, record };
  });
  await eventually('all see pods', () => seen.every(({ record }) => record.frames.length > 3), 8_000);

  // One after the other, so that the answers are of every age.
  const deletedAt = new Map<string, number>();
  for (const user of users) {
    revoke(whole.store, user, 'shop');
    deletedAt.set(user, performance.now());
    await pause(100);
  }
  const revoked = () => seen.filter(({ record }) => record.revokedAt !== undefined).length;
  await eventually('all are revoked', () => revoked() === users.length, 12_000, revoked);
  await pause(300);
  stop();

  for (const { user, record } of seen.slice(0, -1)) {
    const last = record.frames.at(-1) ?? 0;
    expect(last - (deletedAt.get(user) ?? 0)).toBeLessThan(8_000);
    expect(last).toBeLessThanOrEqual(record.revokedAt ?? 0);
    expect(record.errors).toMatchObject([{ extensions: { code: 'ACCESS_REVOKED', retryable: false } }]);
  }
  const ada = seen.at(-1);
  expect(ada?.record.errors).toBeUndefined();
  expect(whole.counters.value('revocations', { code: 'ACCESS_REVOKED' })).toBe(users.length);
  // The socket stays: what the viewer may still do goes on over it.
  const [first] = seen;
  const answer = first?.client.iterate({ query: '{ k8sViewer(agentId: "1") { user } }' });
  expect((await answer?.next())?.value).toEqual({ data: { k8sViewer: { user: 'gitlab:user:user-0' } } });
}, 40_000);

it('K7: a right that is lost during a backlog: what waits is dropped, the error comes, then nothing', async () => {
  await using whole = await RightsServer.start({ env: { ACCESS_ALLOW_SECONDS: '1' } });
  whole.allow('eve', 'shop');
  const big = 'x'.repeat(20_000);
  for (let index = 0; index < 300; index += 1) {
    whole.store.create(makePod({ name: `p-${index}`, namespace: 'shop', labels: { big: 'no' }, annotations: { big } }));
  }
  const raw = await whole.raw('eve');
  const query = LIVE_PODS.replace('labels', 'labels annotations');
  raw.send({ id: '1', type: 'subscribe', payload: { query } });
  raw.send({
    id: 'quick',
    type: 'subscribe',
    payload: { query: 'subscription { k8sConnection(agentId: "1") { status } }' },
  });
  await eventually('the snapshot', () => raw.messages.some(({ id }) => id === '1'), 10_000);
  raw.socket.pause();

  // First so much that it fills every buffer on the way; then what must not arrive any more.
  const touch = (label: string) => {
    for (const pod of whole.store.list('pods', 'shop')) {
      whole.store.update({ ...pod, metadata: { ...pod.metadata, labels: { big: label } } });
    }
  };
  touch('fills-the-buffers');
  await pause(700);
  touch('fills-the-buffers');
  await pause(300);
  revoke(whole.store, 'eve', 'shop');
  const isKnown = () => whole.audit.some(({ event, resource }) => event === 'revoke' && resource === 'pods');
  await eventually('the denial is known', isKnown, 5_000);
  touch('secret');
  await pause(100);
  const before = raw.messages.length;
  raw.socket.resume();
  await eventually('the error', () => raw.messages.some(({ id, type }) => id === '1' && type === 'error'), 10_000);
  await pause(200);

  const rest = raw.messages.slice(before).filter(({ id }) => id === '1');
  expect(rest.at(-1)).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'ACCESS_REVOKED' } }] });
  expect(rest.filter(({ type }) => type === 'error')).toHaveLength(1);
  expect(JSON.stringify(rest)).not.toContain('"secret"');
  expect(rest.length).toBeLessThan(600); // there was a backlog: not every change was sent
  raw.send({ id: '2', type: 'subscribe', payload: { query: '{ k8sViewer(agentId: "1") { user } }' } });
  await eventually('an answer', () => raw.messages.some(({ id, type }) => id === '2' && type === 'next'), 5_000);
}, 40_000);

it('K7: signing out ends everything of that session within 2 s, on every socket of it', async () => {
  await using whole = await RightsServer.start();
  whole.allow('eve', 'shop');
  const sockets = [await whole.raw('eve'), await whole.raw('eve')];
  for (const raw of sockets) raw.send({ id: '1', type: 'subscribe', payload: { query: LIVE_PODS } });
  const open = () => sockets.every(({ messages }) => messages.some(({ type }) => type === 'next'));
  await eventually('both live', open, 5_000);
  whole.kas.user('eve').revoked = true;
  await whole.ask('mutation { deleteK8sPod(agentId: "1", namespace: "shop", name: "none") { id } }', {}, 'eve');
  const ended = () => sockets.every(({ messages }) => messages.at(-1)?.type === 'error');
  await eventually('both ended', ended, 2_000);
  for (const { messages, socket } of sockets) {
    expect(messages.at(-1)?.payload).toMatchObject([{ extensions: { code: 'GITLAB_UNAUTHORIZED' } }]);
    expect(socket.readyState).toBe(socket.OPEN);
  }
});
