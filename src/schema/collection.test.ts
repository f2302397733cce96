import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import { BAD_NAMES } from './testing/bad-names.ts';
import { FakeGate, FRESH_AS_OF } from './testing/fake-gate.ts';
import { pod, service } from './testing/objects.ts';
import { run, type Answer } from './testing/run.ts';
import { unchecked } from './testing/unchecked.ts';

const PODS = /* GraphQL */ `
  query ($agentId: ID = "7", $namespace: String, $filter: K8sFilter, $orderBy: K8sOrder, $first: Int, $after: String) {
    k8sPods(
      agentId: $agentId
      namespace: $namespace
      filter: $filter
      orderBy: $orderBy
      first: $first
      after: $after
    ) {
      nodes {
        metadata {
          name
        }
      }
      totalCount
      counts {
        status
        count
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      freshAsOf
    }
  }
`;

function names({ data }: Answer): string[] {
  const { k8sPods } = unchecked<{ k8sPods: { nodes: { metadata: { name: string } }[] } }>(data);
  return k8sPods.nodes.map(({ metadata }) => metadata.name);
}

function nobody(): never {
  throw new ApiError('UNAUTHENTICATED', 'Who are you?');
}

describe('a list query', () => {
  it('answers from the feed of its scope, by namespace and name', async () => {
    const gate = new FakeGate([pod('b'), pod('a'), pod('c', { metadata: { namespace: 'app' } }), service('s')]);
    const answer = await run(gate, PODS);
    expect(names(answer)).toEqual(['c', 'a', 'b']);
    expect(answer.data).toMatchObject({
      k8sPods: {
        totalCount: 3,
        counts: [{ status: 'Running', count: 3 }],
        pageInfo: { hasNextPage: false },
        freshAsOf: new Date(FRESH_AS_OF).toISOString(),
      },
    });
    expect(gate.calls).toEqual([['attach', '7', undefined, 'k8sPods']]);
    expect(gate.attached).toBe(0);
  });

  it('answers for an empty namespace', async () => {
    const answer = await run(new FakeGate(), PODS, { namespace: 'empty' });
    expect(answer).toEqual({
      data: {
        k8sPods: {
          nodes: [],
          totalCount: 0,
          counts: [],
          pageInfo: { hasNextPage: false, endCursor: null },
          freshAsOf: new Date(FRESH_AS_OF).toISOString(),
        },
      },
    });
  });

  it('counts over the filtered set, whatever the page', async () => {
    const failed = { status: { phase: 'Failed' } };
    const gate = new FakeGate([pod('a1', failed), pod('a2'), pod('a3'), pod('b', failed)]);
    const answer = await run(gate, PODS, { filter: { search: 'A' }, first: 1 });
    expect(names(answer)).toEqual(['a1']);
    expect(answer.data).toMatchObject({
      k8sPods: {
        totalCount: 3,
        counts: [
          { status: 'Running', count: 2 },
          { status: 'Failed', count: 1 },
        ],
        pageInfo: { hasNextPage: true },
      },
    });
  });

  it('orders and goes on after a cursor', async () => {
    const gate = new FakeGate([pod('a'), pod('b'), pod('c')]);
    const orderBy = { field: 'NAME', direction: 'DESC' };
    const page = await run(gate, PODS, { orderBy, first: 2 });
    expect(names(page)).toEqual(['c', 'b']);
    const { k8sPods } = unchecked<{ k8sPods: { pageInfo: { endCursor: string } } }>(page.data);
    const rest = await run(gate, PODS, { orderBy, after: k8sPods.pageInfo.endCursor });
    expect(names(rest)).toEqual(['a']);
  });

  it.each([
    ...BAD_NAMES.map((namespace) => ({ namespace })),
    { agentId: '../7' },
    { agentId: '' },
    { first: 0 },
    { first: -1 },
    { first: 1001 },
    { after: '' },
    { after: 'nonsense' },
    { filter: { labelSelector: 'a in (' } },
    { filter: { fieldSelector: 'no operator' } },
    { filter: { search: 'x'.repeat(201) } },
    { filter: { phases: Array.from({ length: 51 }, String) } },
  ])('refuses %o before it asks the gate', async (variables) => {
    const gate = new FakeGate();
    const answer = await run(gate, PODS, variables);
    const [argument] = Object.entries('filter' in variables ? (variables.filter ?? {}) : variables)[0] ?? [];
    expect(answer.errors).toMatchObject([
      { message: expect.stringContaining(String(argument)), path: ['k8sPods'], extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(gate.calls).toEqual([]);
  });

  it('lets go of the feed when the first sync fails', async () => {
    const gate = new FakeGate();
    gate.syncFailure = new ApiError('AGENT_NOT_CONNECTED', 'No agent.');
    const answer = await run(gate, PODS);
    expect(answer.errors).toMatchObject([
      { message: 'No agent.', extensions: { code: 'AGENT_NOT_CONNECTED', retryable: true } },
    ]);
    expect(gate.attached).toBe(0);
  });

  it('needs credentials, but only for what is well-formed', async () => {
    const gate = new FakeGate();
    const context = { viewer: nobody, gate, clock: systemClock };
    expect((await run(gate, PODS, {}, context)).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect((await run(gate, PODS, { namespace: '..' }, context)).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(gate.calls).toEqual([]);
  });
});

describe('services', () => {
  it('are counted by type', async () => {
    const gate = new FakeGate([service('a'), service('b', { spec: { type: 'NodePort' } }), service('c')]);
    const { data } = await run(
      gate,
      '{ k8sServices(agentId: 7) { counts { status count } nodes { type externalIPs } } }',
    );
    expect(data).toMatchObject({
      k8sServices: {
        counts: [
          { status: 'ClusterIP', count: 2 },
          { status: 'NodePort', count: 1 },
        ],
        nodes: [{ type: 'ClusterIP', externalIPs: [] }, { type: 'NodePort' }, { type: 'ClusterIP' }],
      },
    });
  });
});
