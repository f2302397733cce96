import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grant, makePod } from '../../demo/apiserver/objects.ts';
import type { ApiObject, JsonObject } from '../../demo/apiserver/object.ts';
import { eventually } from '../support/eventually.ts';
import { follow } from '../support/live.ts';
import { WholeServer } from '../support/whole-server.ts';

/** Events over a whole server: folded, of one object or a namespace, as query, subscription and field. */

let whole: WholeServer;
let written = 0;

beforeAll(async () => {
  whole = await WholeServer.start();
  whole.kas.user('joe', { token: 'glpat-joe' });
  grant(whole.store, 'joe', 'fields', ['*'], ['pods']);
});

afterAll(() => whole.stop());

function event(namespace: string, about: JsonObject, fields: JsonObject = {}): ApiObject {
  written += 1;
  const at = new Date(Date.UTC(2026, 2, 1) + written * 1_000).toISOString().replace('.000Z', 'Z');
  return whole.store.create({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `event-${written}`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, ...about },
    type: 'Normal',
    reason: 'Started',
    message: `message ${written}`,
    source: { component: 'kubelet' },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    ...fields,
  });
}

interface Event {
  readonly id: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

interface Update {
  readonly type: string;
  readonly upserted: Event[];
  readonly removed: string[];
  readonly cursor: string;
  readonly resyncReason: string | null;
  readonly total: number;
}

const EVENT =
  'id type reason message count firstAt lastAt source { component host } involvedObject { apiVersion kind namespace name uid fieldPath }';
const LIST = `query ($namespace: String!, $about: K8sObjectRef, $type: K8sEventType, $first: Int, $after: String) {
  k8sEvents(agentId: "1", namespace: $namespace, involvedObject: $about, type: $type, first: $first, after: $after) {
    nodes { ${EVENT} } totalCount pageInfo { hasNextPage endCursor } freshAsOf
  }
}`;
const LIVE = `subscription ($namespace: String!, $about: K8sObjectRef, $resume: String) {
  k8sEvents(agentId: "1", namespace: $namespace, involvedObject: $about, resume: $resume) {
    type upserted { ${EVENT} } removed cursor resyncReason total freshAsOf
  }
}`;

interface Page {
  readonly nodes: Event[];
  readonly totalCount: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

async function list(variables: Record<string, unknown>): Promise<Page> {
  const { data, errors } = await whole.ask<{ k8sEvents: Page }>(LIST, variables);
  if (!data) throw new Error(JSON.stringify(errors));
  return data.k8sEvents;
}

const reasons = async (about: JsonObject) =>
  (await list({ namespace: 'apart', about: { namespace: 'apart', name: 'web-0', ...about } })).nodes.map(
    ({ reason }) => reason,
  );

describe('k8sEvents, the query', () => {
  it('folds what says the same, and reads both APIs and their nulls', async () => {
    event('folded', { name: 'web', uid: 'u1' }, { reason: 'BackOff', type: 'Warning', count: 3 });
    event('folded', { name: 'web', uid: 'u1' }, { reason: 'BackOff', type: 'Warning', count: 4 });
    event(
      'folded',
      { name: 'web', uid: 'u1' },
      {
        reason: 'Scheduled',
        firstTimestamp: null,
        lastTimestamp: null,
        count: null,
        source: {},
        eventTime: '2026-02-01T00:00:00.000000Z',
        reportingComponent: 'default-scheduler',
        series: { count: 9, lastObservedTime: '2026-02-02T00:00:00.000000Z' },
      },
    );
    const page = await list({ namespace: 'folded' });
    expect(page.totalCount).toBe(2);
    expect(page.nodes).toMatchObject([
      {
        type: 'Warning',
        reason: 'BackOff',
        count: 7,
        message: 'message 2',
        source: { component: 'kubelet' },
        firstAt: '2026-03-01T00:00:01Z',
        lastAt: '2026-03-01T00:00:02Z',
      },
      {
        reason: 'Scheduled',
        count: 9,
        source: { component: 'default-scheduler' },
        firstAt: '2026-02-01T00:00:00Z',
        lastAt: '2026-02-02T00:00:00Z',
      },
    ]);
    expect(await list({ namespace: 'folded', type: 'WARNING' })).toMatchObject({ totalCount: 1 });
  });

  it('tells objects of one name apart, by id or by kind', async () => {
    event('apart', { name: 'web-0', uid: 'old' }, { reason: 'Killing' });
    event('apart', { name: 'web-0', uid: 'new' }, { reason: 'Started' });
    event('apart', { kind: 'Service', name: 'web-0', uid: 'svc' }, { reason: 'Synced' });
    expect(await reasons({ kind: 'Pod', uid: 'new' })).toEqual(['Started']);
    expect(await reasons({ kind: 'Pod', uid: 'old' })).toEqual(['Killing']);
    expect(await reasons({ kind: 'Pod' })).toEqual(['Started', 'Killing']);
    expect(await reasons({ kind: 'Service', apiVersion: 'v1' })).toEqual(['Synced']);
    expect(await reasons({ kind: 'Service', apiVersion: 'apps/v1' })).toEqual([]);
    expect(await reasons({ kind: 'Deployment' })).toEqual([]);
  });

  it('pages, the newest first, over one list', async () => {
    for (let index = 0; index < 25; index += 1) event('paged-events', { name: `p${index}`, uid: `p${index}` });
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: Page = await list({ namespace: 'paged-events', first: 10, after });
      seen.push(...page.nodes.map(({ message }) => message));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toHaveLength(25);
    expect(seen.map((message) => Number(message.slice(8)))).toEqual(
      seen.map((message) => Number(message.slice(8))).toSorted((a, b) => b - a),
    );
    expect(whole.kas.counts({ resource: 'events', verb: 'list', namespace: 'paged-events' })).toBe(1);
  });

  it.each([
    [{ namespace: '..' }],
    [{ about: { kind: 'Pod', namespace: 'elsewhere', name: 'x' } }],
    [{ about: { kind: '../x', namespace: 'folded', name: 'x' } }],
    [{ first: 0 }],
    [{ after: 'forged' }],
  ])('refuses %j', async (variables) => {
    const { errors } = await whole.ask(LIST, { namespace: 'folded', ...variables });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

describe('k8sEvents, the subscription', () => {
  it('counts up, forgets, and resumes', async () => {
    const first = event('live-events', { name: 'web', uid: 'w' }, { reason: 'Pulled' });
    const seen = follow<Update>(whole, LIVE, { variables: { namespace: 'live-events' } });
    await eventually(
      'the snapshot',
      () => seen.messages.length === 1,
      5_000,
      () => seen.errors,
    );
    const id = seen.messages[0]?.upserted[0]?.id;
    expect(seen.messages[0]).toMatchObject({ type: 'SNAPSHOT', total: 1, upserted: [{ count: 1 }] });

    const second = event('live-events', { name: 'web', uid: 'w' }, { reason: 'Pulled', count: 5 });
    await eventually('the change', () => seen.messages.length === 2, 5_000);
    expect(seen.messages[1]).toMatchObject({ type: 'CHANGES', total: 1, removed: [], upserted: [{ id, count: 6 }] });

    whole.store.delete('events', 'live-events', first.metadata.name);
    await eventually('the smaller count', () => seen.messages.length === 3, 5_000);
    expect(seen.messages[2]).toMatchObject({ type: 'CHANGES', total: 1, removed: [], upserted: [{ id, count: 5 }] });

    const cursor = seen.messages[2]?.cursor;
    seen.stop();
    event('live-events', { name: 'web', uid: 'w' }, { reason: 'Pulled', count: 2 });
    const resumed = follow<Update>(whole, LIVE, { variables: { namespace: 'live-events', resume: cursor } });
    await eventually(
      'what was missed',
      () => resumed.messages.some(({ upserted }) => upserted[0]?.count === 7),
      5_000,
      () => resumed.messages,
    );
    expect(resumed.messages.every(({ type }) => type === 'CHANGES')).toBe(true);

    whole.store.delete('events', 'live-events', second.metadata.name);
    whole.store.delete('events', 'live-events', `event-${written}`);
    await eventually('the end of it', () => resumed.messages.at(-1)?.total === 0, 5_000);
    expect(resumed.messages.flatMap(({ removed }) => removed)).toEqual([id]);
    const last = resumed.messages.at(-1)?.cursor;
    resumed.stop();

    const gone = event('live-events', { name: 'web', uid: 'w' });
    const later = follow<Update>(whole, LIVE, { variables: { namespace: 'live-events', resume: last } });
    await eventually('the event', () => later.messages.some(({ total }) => total === 1), 5_000);
    const between = later.messages.at(-1)?.cursor;
    later.stop();
    whole.store.delete('events', 'live-events', gone.metadata.name);
    event('live-events', { name: 'db', uid: 'd' });
    const again = follow<Update>(whole, LIVE, { variables: { namespace: 'live-events', resume: between } });
    await eventually(
      'a snapshot',
      () =>
        again.messages.some(({ type, total }) => type === 'SNAPSHOT' && total === 1) ||
        again.messages.at(-1)?.total === 1,
      5_000,
    );
    again.stop();
    expect(whole.kas.counts({ resource: 'events', verb: 'list', namespace: 'live-events' })).toBe(1);
  });

  it('shares one watch, whatever is looked at', async () => {
    event('one-watch', { name: 'a', uid: 'a' });
    const followed = ['a', 'b', 'c'].map((name) =>
      follow<Update>(whole, LIVE, {
        variables: { namespace: 'one-watch', about: { kind: 'Pod', namespace: 'one-watch', name } },
      }),
    );
    for (const each of followed) await eventually('a snapshot', () => each.messages.length === 1, 5_000);
    expect(followed.map(({ messages }) => messages[0]?.total)).toEqual([1, 0, 0]);
    event('one-watch', { name: 'b', uid: 'b' });
    await eventually('the event of b', () => followed[1]?.messages.length === 2, 5_000);
    expect(followed[2]?.messages).toHaveLength(1);
    expect(whole.kas.inFlight({ resource: 'events', namespace: 'one-watch' })).toHaveLength(1);
    for (const each of followed) each.stop();
  });
});

describe('events of an object', () => {
  const QUERY =
    '{ k8sPods(agentId: "1", namespace: "fields") { nodes { metadata { name } events(first: 2) { reason count } } } }';

  it('costs no request for each, and is empty for those who may not see events', async () => {
    for (let index = 0; index < 200; index += 1) {
      const { metadata } = whole.store.create(makePod({ name: `pod-${index}`, namespace: 'fields' }));
      event('fields', { name: metadata.name, uid: metadata.uid }, { reason: `Of${index}` });
    }
    const before = whole.kas.requests.length;
    const { data, errors } = await whole.ask<{ k8sPods: { nodes: { metadata: { name: string }; events: Event[] }[] } }>(
      QUERY,
    );
    expect(errors).toBeUndefined();
    const nodes = data?.k8sPods.nodes ?? [];
    expect(nodes).toHaveLength(200);
    for (const { metadata, events } of nodes)
      expect(events).toEqual([{ reason: `Of${metadata.name.slice(4)}`, count: 1 }]);
    // Reviews, two lists, two watches; nothing for a pod of its own.
    expect(whole.kas.requests.length - before).toBeLessThan(15);
    expect(whole.kas.counts({ resource: 'events', namespace: 'fields', verb: 'list' })).toBe(1);
    const joe = await whole.ask<{ k8sPods: { nodes: { events: Event[] }[] } }>(
      QUERY,
      {},
      { authorization: 'Bearer glpat-joe' },
    );
    expect(joe.errors).toBeUndefined();
    expect(joe.data?.k8sPods.nodes.every(({ events }) => events.length === 0)).toBe(true);
  });
});
