import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makePod, revoke } from '../../demo/apiserver/objects.ts';
import { eventually, pause } from '../support/eventually.ts';
import { WholeServer } from '../support/whole-server.ts';
import { LiveClient, type JoinOptions, type Shape } from './live-client.ts';
import { ALIASED, TWICE, WHOLE, filtered, included } from './shapes.ts';

let whole: WholeServer;
let clients: LiveClient[] = [];
let namespaces = 0;

beforeAll(async () => {
  whole = await WholeServer.start({ ACCESS_ALLOW_SECONDS: '1', MAX_SOCKETS_PER_VIEWER: '200' });
});

afterEach(() => {
  for (const client of clients) client.leave();
  clients = [];
});

afterAll(() => whole.stop());

function newNamespace(): string {
  namespaces += 1;
  return `ns-${namespaces}`;
}

async function join(namespace: string, shape: Shape, options?: JoinOptions): Promise<LiveClient> {
  const inside = { ...shape, variables: { ...shape.variables, namespace } };
  const client = await LiveClient.join(whole, inside, options);
  clients.push(client);
  await eventually('a first message', () => client.messages.length + client.errors.length > 0, 5_000);
  return client;
}

function pod(namespace: string, name: string, labels: Record<string, string> = {}) {
  return whole.store.create(makePod({ name, namespace, labels }));
}

function annotate(namespace: string, name: string, text: string): void {
  whole.store.patch('pods', namespace, name, { metadata: { annotations: { text } } });
}

describe('members of one shape', () => {
  it('get the same bytes, over sockets and event streams, compressed or not', async () => {
    const namespace = newNamespace();
    pod(namespace, 'a');
    const ids = ['1', 'a-longer-id', '"},"x":{"', '\u2028 \\'];
    const sockets = await Promise.all(ids.map((id) => join(namespace, WHOLE, { id })));
    const deflated = await join(namespace, WHOLE, { transport: 'deflated', id: 'z' });
    const stream = await join(namespace, WHOLE, { transport: 'sse' });
    annotate(namespace, 'a', 'x'.repeat(5_000));
    const all = [...sockets, deflated, stream];
    await eventually('the change', () => all.every(({ messages }) => messages.length === 2), 5_000);
    const result = stream.texts[1] ?? '';
    for (const [index, client] of [...sockets, deflated].entries()) {
      const id = JSON.stringify(ids[index] ?? 'z');
      expect(client.texts[1]).toBe(`{"type":"next","payload":${result},"id":${id}}`);
    }
    expect(all.flatMap(({ breaches }) => breaches)).toEqual([]);
  });

  it('start with what is there, or with what they missed, whatever the others have', async () => {
    const namespace = newNamespace();
    pod(namespace, 'a');
    const first = await join(namespace, WHOLE);
    const { cursor } = first;
    pod(namespace, 'b');
    await eventually('the change', () => first.messages.length === 2, 5_000);
    const fresh = await join(namespace, WHOLE);
    const back = await join(namespace, WHOLE, { resume: cursor, before: first });
    const upToDate = await join(namespace, WHOLE, { resume: first.cursor, before: first });
    const forged = await join(namespace, WHOLE, { resume: 'forged' });
    expect(fresh.messages[0]).toMatchObject({ type: 'SNAPSHOT', total: 2, resyncReason: null });
    expect(back.messages[0]).toMatchObject({ type: 'CHANGES', total: 2, upserted: [{}] });
    expect(upToDate.messages[0]).toMatchObject({ type: 'CHANGES', total: 2, upserted: [], removed: [] });
    expect(forged.messages[0]).toMatchObject({ type: 'SNAPSHOT', resyncReason: 'CURSOR_INVALID' });
    pod(namespace, 'c');
    await eventually('all have it', () => clients.every(({ set }) => set.size === 3), 5_000);
    expect(clients.flatMap(({ breaches }) => breaches)).toEqual([]);
    expect(new Set(clients.map(({ cursor: last }) => last)).size).toBe(1);
  });

  it('wait for their maxRate, and get the latest state then; the others do not wait', async () => {
    const namespace = newNamespace();
    pod(namespace, 'a');
    const fast = await join(namespace, WHOLE);
    const slow = await join(namespace, WHOLE, { maxRate: 2 });
    for (let round = 0; round < 10; round += 1) {
      annotate(namespace, 'a', String(round));
      await pause(30);
    }
    await eventually('the fast one has them', () => fast.messages.length > 5, 5_000);
    expect(slow.messages.length).toBeLessThan(4);
    await eventually('the same state', () => slow.cursor === fast.cursor, 5_000);
    expect([...slow.set]).toEqual([...fast.set]);
  });

  it('are skipped while they read nothing, and get one message of what they missed', async () => {
    const namespace = newNamespace();
    for (let index = 0; index < 20; index += 1) pod(namespace, `pod-${index}`);
    const reading = await join(namespace, WHOLE);
    const stalled = await join(namespace, WHOLE);
    stalled.stall();
    const rounds = 40;
    for (let round = 0; round < rounds; round += 1) {
      for (let index = 0; index < 20; index += 1) annotate(namespace, `pod-${index}`, `${round}`.padEnd(20_000, '.'));
      await pause(10);
    }
    const latest = () =>
      whole.store.list('pods', namespace).every(({ metadata }) => {
        return reading.set.get(metadata.uid) === metadata.resourceVersion;
      });
    await eventually('the others have it all', latest, 10_000);
    expect(stalled.messages.length).toBe(1);
    stalled.read();
    await eventually('so has it', () => stalled.cursor === reading.cursor, 10_000);
    expect(Object.fromEntries(stalled.set)).toEqual(Object.fromEntries(reading.set));
    expect(stalled.messages.length).toBeLessThan(reading.messages.length);
    expect([...reading.breaches, ...stalled.breaches]).toEqual([]);
  });

  it('get nothing after their right is lost, and the others go on', async () => {
    const namespace = newNamespace();
    pod(namespace, 'a');
    whole.allow('eve', namespace);
    const eve = await join(namespace, WHOLE, { user: 'eve' });
    const ada = await join(namespace, WHOLE);
    revoke(whole.store, 'eve', namespace);
    await eventually('the end', () => eve.errors.length > 0, 10_000);
    expect(JSON.stringify(eve.errors)).toContain('ACCESS_REVOKED');
    const before = eve.texts.length;
    annotate(namespace, 'a', 'secret');
    await eventually('the change', () => ada.texts.at(-1)?.includes('secret') === true, 5_000);
    await pause(100);
    expect(eve.texts.length).toBe(before);
  });
});

describe('viewers of different shapes', () => {
  it('never get what another filter, variable or namespace shows', async () => {
    const [here, there] = [newNamespace(), newNamespace()];
    const colours = ['red', 'green', 'blue'];
    const views = [here, there].flatMap((namespace) => colours.map((colour) => ({ namespace, colour })));
    const joined = await Promise.all(
      views.map(async (view) => ({ ...view, client: await join(view.namespace, filtered(`colour=${view.colour}`)) })),
    );
    const made = views.map(({ namespace, colour }) => ({
      namespace,
      colour,
      uid: pod(namespace, `pod-${colour}`, { colour }).metadata.uid,
    }));
    await eventually('each has one', () => joined.every(({ client }) => client.set.size === 1), 5_000);
    for (const { namespace, colour, client } of joined) {
      const own = made.find((each) => each.namespace === namespace && each.colour === colour)?.uid;
      expect([...client.set.keys()]).toEqual([own]);
      for (const { uid } of made) expect(client.texts.join('').includes(uid)).toBe(uid === own);
    }
  });
});

describe('nothing is sent when nothing selected has changed', () => {
  it.each([
    ['selected', WHOLE, true],
    ['a version under an alias in a fragment', ALIASED, true],
    ['a version, and something else under another name', TWICE, true],
    ['a field that a variable includes', included(true), true],
    ['a field that a variable leaves out', included(false), false],
  ])('%s', async (_what, shape, sees) => {
    const namespace = newNamespace();
    pod(namespace, 'a');
    const client = await join(namespace, shape);
    const witness = await join(namespace, WHOLE);
    annotate(namespace, 'a', 'changed');
    await eventually('the witness has it', () => witness.messages.length === 2, 5_000);
    await pause(50);
    expect(client.messages.length).toBe(sees ? 2 : 1);
    pod(namespace, 'b');
    await eventually('a new pod is news', () => client.set.size === 2, 5_000);
    whole.store.delete('pods', namespace, 'a');
    await eventually('so is a removal', () => client.set.size === 1, 5_000);
    expect(client.messages.length).toBe(sees ? 4 : 3);
    expect(client.breaches).toEqual([]);
  });

  it('also after a resume, and for one who asks for the total alone', async () => {
    const namespace = newNamespace();
    pod(namespace, 'a');
    const first = await join(namespace, included(false));
    first.leave();
    const again = await join(namespace, included(false), { resume: first.cursor, before: first });
    const totals: number[] = [];
    const stop = whole
      .client()
      .subscribe<{ k8sPods: { total: number } }>(
        { query: `subscription { k8sPods(agentId: "1", namespace: "${namespace}") { total } }` },
        { next: ({ data }) => data && totals.push(data.k8sPods.total), error: () => {}, complete: () => {} },
      );
    await eventually('a total', () => totals.length === 1, 5_000);
    const witness = await join(namespace, WHOLE);
    annotate(namespace, 'a', 'changed');
    await eventually('the witness has it', () => witness.messages.length === 2, 5_000);
    await pause(50);
    expect([again.messages.length, totals]).toEqual([1, [1]]);
    pod(namespace, 'b');
    await eventually('a new total', () => totals.length === 2, 5_000);
    expect(totals).toEqual([1, 2]);
    stop();
  });
});
