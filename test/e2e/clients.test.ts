import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { makePod, makeService } from '../../demo/apiserver/objects.ts';
import { eventually } from '../support/eventually.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

/** Real clients against a whole server: HTTP, SSE and graphql-ws. */

const LIVE_PODS = /* GraphQL */ `
  subscription ($namespace: String, $filter: K8sFilter, $resume: String) {
    k8sPods(agentId: "1", namespace: $namespace, filter: $filter, resume: $resume) {
      type
      upserted {
        id
        metadata {
          name
        }
        displayStatus
      }
      removed
      cursor
      resyncReason
      total
    }
  }
`;

interface PodsUpdate {
  readonly type: 'SNAPSHOT' | 'CHANGES';
  readonly upserted: { readonly id: string; readonly metadata: { readonly name: string } }[];
  readonly removed: string[];
  readonly cursor: string;
  readonly resyncReason: string | null;
  readonly total: number;
}

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start();
  whole.allow('eve', 'shop');
});

afterAll(() => whole.stop());

function pod(name: string, namespace: string) {
  return whole.store.create(makePod({ name, namespace }));
}

/** What is said of a namespace's watches: IDLE once they are closed. */
async function connection(namespace: string): Promise<unknown> {
  const query =
    'query ($n: String) { k8sConnection(agentId: "1", namespace: $n) { status reason resources { resource status } } }';
  return (await whole.ask(query, { n: namespace })).data?.['k8sConnection'];
}

/** Collects the messages of a subscription until it is told to stop. */
function follow(variables: Record<string, unknown>, user = 'ada') {
  const updates: PodsUpdate[] = [];
  const errors: unknown[] = [];
  const stop = whole.client(user).subscribe<{ k8sPods: PodsUpdate }>(
    { query: LIVE_PODS, variables },
    {
      next: ({ data, errors: refusals }) => {
        if (data) updates.push(data.k8sPods);
        if (refusals) errors.push(refusals);
      },
      error: (error) => errors.push(error),
      complete: () => {},
    },
  );
  return { updates, errors, stop };
}

describe('graphql-ws', () => {
  it('sends a snapshot, then changes, and resumes where a dropped client left off', async () => {
    pod('first', 'live');
    const { updates, stop } = follow({ namespace: 'live' });
    await eventually('the snapshot', () => updates.length === 1, 5_000);
    expect(updates[0]).toMatchObject({ type: 'SNAPSHOT', total: 1, removed: [], resyncReason: null });

    const second = pod('second', 'live');
    await eventually('the change', () => updates.length === 2, 5_000);
    expect(updates[1]).toMatchObject({ type: 'CHANGES', total: 2, upserted: [{ id: second.metadata.uid }] });
    stop();

    const third = pod('third', 'live');
    whole.store.delete('pods', 'live', 'second');
    const again = follow({ namespace: 'live', resume: updates[1]?.cursor });
    await eventually('the missed changes', () => again.updates.at(-1)?.total === 2, 5_000);
    expect(again.updates.every(({ type }) => type === 'CHANGES')).toBe(true);
    expect(again.updates.flatMap(({ upserted }) => upserted.map(({ id }) => id))).toEqual([third.metadata.uid]);
    expect(again.updates.flatMap(({ removed }) => removed)).toEqual([second.metadata.uid]);
    again.stop();
  });

  it('answers an empty namespace at once', async () => {
    const { updates, stop } = follow({ namespace: 'empty' });
    await eventually('the snapshot', () => updates.length === 1, 5_000);
    expect(updates[0]).toMatchObject({ type: 'SNAPSHOT', total: 0, upserted: [] });
    await expect
      .poll(() => connection('empty'), { timeout: 5_000 })
      .toEqual({
        status: 'CONNECTED',
        reason: null,
        resources: [{ resource: 'k8sPods', status: 'CONNECTED' }],
      });
    stop();
  });

  it('ends an operation with a typed error, and leaves the socket to the others', async () => {
    const allowed = follow({ namespace: 'shop' }, 'eve');
    const refused = follow({ namespace: 'payments' }, 'eve');
    await eventually('the refusal', () => refused.errors.length === 1, 5_000);
    expect(refused.errors[0]).toMatchObject([{ extensions: { code: 'FORBIDDEN', retryable: false } }]);
    pod('for-eve', 'shop');
    await eventually('a live socket', () => allowed.updates.at(-1)?.total === 1, 5_000);
    allowed.stop();
  });

  it('tells a live connection that the agent is gone and back', async () => {
    const pods = follow({ namespace: 'badge' });
    await eventually('the snapshot', () => pods.updates.length === 1, 5_000);
    const seen: { status: string; reason: string | null }[] = [];
    const stop = whole
      .client()
      .subscribe<{ k8sConnection: (typeof seen)[number] }>(
        { query: 'subscription { k8sConnection(agentId: "1", namespace: "badge") { status reason } }' },
        { next: ({ data }) => data && seen.push(data.k8sConnection), error: () => {}, complete: () => {} },
      );
    await eventually(
      'CONNECTED',
      () => seen.at(-1)?.status === 'CONNECTED',
      5_000,
      () => seen,
    );
    whole.kas.agent(1).disconnect();
    await eventually(
      'the reason',
      () => seen.at(-1)?.reason === 'AGENT_NOT_CONNECTED',
      10_000,
      () => seen,
    );
    expect(seen.at(-1)?.status).toBe('DISCONNECTED');
    whole.kas.agent(1).connect();
    await whole.ask('mutation { reconnectToCluster(agentId: "1", namespace: "badge") { status } }');
    await eventually(
      'CONNECTED again',
      () => seen.at(-1)?.status === 'CONNECTED',
      10_000,
      () => seen,
    );
    stop();
    pods.stop();
  });

  it('survives a client that vanishes in the middle', async () => {
    const socket = new WebSocket(`${whole.server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${tokenOf('ada')}` } }));
    await once(socket, 'message');
    const payload = { query: LIVE_PODS, variables: { namespace: 'vanishing' } };
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
    await once(socket, 'message');
    socket.terminate();
    await expect.poll(() => connection('vanishing'), { timeout: 5_000 }).toMatchObject({ reason: 'IDLE' });
  });
});

describe('SSE', () => {
  it.each(['text/event-stream', '*/*'])('carries the same messages, shared, to who accepts %s', async (accept) => {
    const namespace = accept === '*/*' ? 'curl' : 'sse';
    pod('over-sse', namespace);
    const abort = new AbortController();
    const response = await fetch(`${whole.server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept,
        authorization: `Bearer ${tokenOf('ada')}`,
      },
      body: JSON.stringify({ query: LIVE_PODS, variables: { namespace } }),
      signal: abort.signal,
    });
    const messages: PodsUpdate[] = [];
    const reading = (async () => {
      let text = '';
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk).toString();
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          const data = /^data: (\{.*)$/m.exec(event)?.[1];
          if (data !== undefined) messages.push((JSON.parse(data) as { data: { k8sPods: PodsUpdate } }).data.k8sPods);
        }
      }
    })().catch(() => {});
    await eventually('the snapshot', () => messages.length === 1, 5_000);
    pod('another', namespace);
    expect(await (await fetch(`${whole.server.url}/metrics`)).text()).toContain(
      'kascade_subscriptions{mode="plain"} 0\n',
    );
    await eventually('the change', () => messages.length === 2, 5_000);
    expect(messages).toMatchObject([
      { type: 'SNAPSHOT', total: 1 },
      { type: 'CHANGES', total: 2, upserted: [{ metadata: { name: 'another' } }] },
    ]);
    abort.abort();
    await reading;
    await expect.poll(() => connection(namespace), { timeout: 5_000 }).toMatchObject({ reason: 'IDLE' });
  });
});

describe('HTTP', () => {
  it('filters, orders and pages on our side, over one list', async () => {
    for (let index = 0; index < 25; index += 1) pod(`page-${String(index).padStart(2, '0')}`, 'paged');
    const query = `query ($after: String) {
      k8sPods(agentId: "1", namespace: "paged", first: 10, after: $after, orderBy: { field: NAME, direction: DESC }) {
        totalCount nodes { metadata { name } } pageInfo { hasNextPage endCursor }
      }
    }`;
    const names: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 3; page += 1) {
      const answer: { data?: { k8sPods: PodPage } | null } = await whole.ask<{ k8sPods: PodPage }>(query, { after });
      names.push(...(answer.data?.k8sPods.nodes.map(({ metadata }) => metadata.name) ?? []));
      after = answer.data?.k8sPods.pageInfo.endCursor ?? null;
    }
    expect(names).toHaveLength(25);
    expect(names).toEqual(names.toSorted().toReversed());
    expect(whole.kas.counts({ verb: 'list', namespace: 'paged' })).toBe(1);
  });

  it('shows services with their real addresses', async () => {
    whole.store.create(makeService({ name: 'web', namespace: 'served' }));
    const { data } = await whole.ask(
      '{ k8sServices(agentId: "1", namespace: "served") { totalCount nodes { metadata { name } type ports { text } health { level } } } }',
    );
    expect(data).toMatchObject({ k8sServices: { totalCount: 1, nodes: [{ metadata: { name: 'web' } }] } });
  });

  it('deletes a pod only if it is still the one that was meant', async () => {
    const { metadata } = pod('doomed', 'deleting');
    const remove =
      'mutation ($uid: ID) { deleteK8sPod(agentId: "1", namespace: "deleting", name: "doomed", uid: $uid) { id name namespace } }';
    const wrong = await whole.ask(remove, { uid: '00000000-0000-0000-0000-000000000000' });
    expect(wrong.errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
    const right = await whole.ask(remove, { uid: metadata.uid });
    expect(right.data).toEqual({ deleteK8sPod: { id: metadata.uid, name: 'doomed', namespace: 'deleting' } });
    await eventually('its end', () => whole.store.get('pods', 'deleting', 'doomed') === undefined, 5_000);
    const gone = await whole.ask(remove);
    expect(gone.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });
});

interface PodPage {
  readonly nodes: { readonly metadata: { readonly name: string } }[];
  readonly pageInfo: { readonly endCursor: string | null };
}

describe('what should not be', () => {
  const PODS_OF =
    'query ($agentId: ID!, $namespace: String) { k8sPods(agentId: $agentId, namespace: $namespace) { totalCount } }';

  it.each(['..', '.', 'a/../b', '%2e%2e', '..%2fpods', 'a?b', 'a#b', 'A', '', ' ', 'a\n', 'x'.repeat(300), '\u0000'])(
    'refuses namespace %j, and sends nothing upstream',
    async (namespace) => {
      const before = whole.kas.requests.length;
      const { errors } = await whole.ask(PODS_OF, { agentId: '1', namespace });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', retryable: false } }]);
      expect(whole.kas.requests.length).toBe(before);
    },
  );

  it.each(['0', '-1', '1/../2', '1e3', '', 'one', '9'.repeat(30)])('refuses agent %j', async (agentId) => {
    const before = whole.kas.requests.length;
    const { errors } = await whole.ask(PODS_OF, { agentId, namespace: 'shop' });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(whole.kas.requests.length).toBe(before);
  });

  it('answers an agent that GitLab does not share, and a refused token, with GITLAB_UNAUTHORIZED', async () => {
    const unknown = await whole.ask(PODS_OF, { agentId: '4711', namespace: 'shop' });
    expect(unknown.errors).toMatchObject([{ extensions: { code: 'GITLAB_UNAUTHORIZED', upstream: { status: 401 } } }]);
    const refused = await whole.ask(PODS_OF, { agentId: '1' }, { authorization: 'Bearer glpat-nobody' });
    expect(refused.errors).toMatchObject([{ extensions: { code: 'GITLAB_UNAUTHORIZED' } }]);
  });

  it('answers an agent that is away with AGENT_NOT_CONNECTED, worth trying again', async () => {
    const away = whole.kas.addAgent(2);
    away.disconnect();
    const { errors } = await whole.ask(PODS_OF, { agentId: '2', namespace: 'shop' });
    expect(errors).toMatchObject([
      { extensions: { code: 'AGENT_NOT_CONNECTED', retryable: true, upstream: { status: 502 } } },
    ]);
  });

  it('asks those for credentials who bring none, and refuses a token for another agent without asking KAS', async () => {
    const none = await whole.ask(PODS_OF, { agentId: '1', namespace: 'shop' }, {});
    expect(none.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    const before = whole.kas.requests.length;
    const other = await whole.ask(
      PODS_OF,
      { agentId: '1', namespace: 'shop' },
      { authorization: 'Bearer pat:2:glpat-ada' },
    );
    expect(other.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(whole.kas.requests.length).toBe(before);
  });

  it('answers a forged cursor with a snapshot that says so, and a forged page with BAD_USER_INPUT', async () => {
    const { updates, stop } = follow({ namespace: 'shop', resume: 'forged' });
    await eventually('the snapshot', () => updates.length === 1, 5_000);
    expect(updates[0]).toMatchObject({ type: 'SNAPSHOT', resyncReason: 'CURSOR_INVALID' });
    stop();
    const { errors } = await whole.ask(
      '{ k8sPods(agentId: "1", namespace: "shop", first: 1, after: "forged") { totalCount } }',
    );
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it('is still there afterwards', async () => {
    const { data } = await whole.ask(PODS_OF, { agentId: '1', namespace: 'shop' });
    expect(data).toMatchObject({ k8sPods: {} });
  });
});
