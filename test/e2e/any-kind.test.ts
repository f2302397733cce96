import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiResource } from '../../demo/apiserver/resources.ts';
import { grant } from '../../demo/apiserver/objects.ts';
import { sentSince } from '../support/follow.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

/** Any kind that a cluster serves, and what is known of an agent. */

const QUERY = `query ($apiVersion: String!, $resource: String!, $namespace: String, $first: Int, $after: String, $filter: K8sFilter) {
  k8sResources(agentId: "1", apiVersion: $apiVersion, resource: $resource, namespace: $namespace, first: $first, after: $after, filter: $filter) {
    kind namespaced totalCount pageInfo { hasNextPage endCursor }
    nodes { __typename id apiVersion kind metadata { name namespace } spec health { level } content }
    columns { name type priority } rows { id cells }
  }
}`;

interface Resources {
  readonly kind: string;
  readonly namespaced: boolean;
  readonly totalCount: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
  readonly nodes: { readonly id: string; readonly metadata: { readonly name: string } }[];
  readonly columns: { readonly name: string }[];
  readonly rows: { readonly id: string; readonly cells: unknown[] | null }[];
}

const CERTIFICATES = { apiVersion: 'cert-manager.io/v1', resource: 'certificates' };

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start();
  const { store, kas } = whole;
  const ready = {
    name: 'Ready',
    type: 'string',
    description: '',
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  };
  const secret = { name: 'Secret', type: 'string', description: 'Where it is kept.', jsonPath: '.spec.secretName' };
  const age = { name: 'Age', type: 'date', description: '', jsonPath: '.metadata.creationTimestamp' };
  kas
    .agent(1)
    .api.resources.register(
      apiResource('cert-manager.io', 'v1', 'certificates', 'Certificate', { printerColumns: [ready, secret, age] }),
    );
  for (const name of ['api', 'web', 'zoo']) {
    store.create({
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name, namespace: 'tls' },
      spec: { secretName: `${name}-tls` },
      status: { conditions: [{ type: 'Ready', status: name === 'zoo' ? 'False' : 'True' }] },
    });
  }
  for (const [user, verbs] of Object.entries({ lea: ['list'], eve: ['get'] })) {
    kas.user(user, { token: tokenOf(user) });
    grant(store, user, 'tls', verbs, ['certificates']);
  }
});

afterAll(() => whole.stop());

function ask(variables: Record<string, unknown>, user = 'ada') {
  return whole.ask<{ k8sResources: Resources }>(QUERY, variables, { authorization: `Bearer ${tokenOf(user)}` });
}

describe('k8sResources', () => {
  it('shows a custom resource with the columns of its definition', async () => {
    const { data, errors } = await ask({ ...CERTIFICATES, namespace: 'tls' });
    expect(errors).toBeUndefined();
    const found = data?.k8sResources;
    expect(found).toMatchObject({ kind: 'Certificate', namespaced: true, totalCount: 3 });
    expect(found?.columns.map(({ name }) => name)).toEqual(['Name', 'Ready', 'Secret', 'Age']);
    expect(found?.nodes[2]).toMatchObject({
      __typename: 'K8sGenericObject',
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      content: {},
      metadata: { name: 'zoo', namespace: 'tls' },
      spec: { secretName: 'zoo-tls' },
      health: { level: 'DEGRADED' },
    });
    expect(found?.rows.map(({ cells }) => cells?.slice(0, 3))).toEqual([
      ['api', 'True', 'api-tls'],
      ['web', 'True', 'web-tls'],
      ['zoo', 'False', 'zoo-tls'],
    ]);
    expect(found?.rows.map(({ id }) => id)).toEqual(found?.nodes.map(({ id }) => id));
  });

  it('reads from a shared watch, and asks for no table that nobody wants', async () => {
    const before = whole.kas.counts({ resource: 'certificates', verb: 'list' });
    const plain = `{ k8sResources(agentId: "1", apiVersion: "cert-manager.io/v1", resource: "certificates", namespace: "tls") { totalCount } }`;
    for (let times = 0; times < 3; times += 1) await whole.ask(plain);
    expect(whole.kas.counts({ resource: 'certificates', verb: 'list' })).toBe(before);
    const { data } = await whole.ask(
      '{ k8sConnection(agentId: "1", namespace: "tls") { resources { resource status } } }',
    );
    expect(data).toEqual({
      k8sConnection: { resources: [{ resource: 'certificates.cert-manager.io', status: 'CONNECTED' }] },
    });
  });

  it('filters and pages', async () => {
    const first = await ask({ ...CERTIFICATES, namespace: 'tls', first: 1, filter: { health: ['HEALTHY'] } });
    expect(first.data?.k8sResources).toMatchObject({ totalCount: 2, nodes: [{ metadata: { name: 'api' } }] });
    const after = first.data?.k8sResources.pageInfo.endCursor;
    const next = await ask({ ...CERTIFICATES, namespace: 'tls', first: 1, after, filter: { health: ['HEALTHY'] } });
    expect(next.data?.k8sResources.nodes).toMatchObject([{ metadata: { name: 'web' } }]);
  });

  it('lists with their own credentials for those who may not watch, and refuses those who may not list', async () => {
    const watches = whole.kas.counts({ verb: 'watch', resource: 'certificates' });
    const { data } = await ask({ ...CERTIFICATES, namespace: 'tls' }, 'lea');
    expect(data?.k8sResources.nodes.map(({ metadata }) => metadata.name)).toEqual(['api', 'web', 'zoo']);
    expect(whole.kas.counts({ verb: 'watch', resource: 'certificates' })).toBe(watches);
    const { errors } = await ask({ ...CERTIFICATES, namespace: 'tls' }, 'eve');
    expect(errors).toMatchObject([
      { message: expect.stringContaining('gitlab:user:eve') as string, extensions: { code: 'FORBIDDEN' } },
    ]);
  });

  it('knows cluster-scoped kinds, and their other content', async () => {
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', resource: 'clusterroles' };
    const { data } = await ask(rbac);
    expect(data?.k8sResources).toMatchObject({ kind: 'ClusterRole', namespaced: false });
    expect(data?.k8sResources.nodes[0]).toMatchObject({ content: { rules: expect.any(Array) as unknown[] } });
    const { errors } = await ask({ ...rbac, namespace: 'tls' });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it.each(['secrets', 'configmaps'])('never shows %s', async (resource) => {
    const before = whole.kas.requests.length;
    const { data, errors } = await ask({ apiVersion: 'v1', resource });
    expect(data).toBeNull();
    expect(errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN', remedy: expect.stringContaining('kubectl') as string } },
    ]);
    expect(sentSince(whole.kas, before)).toEqual([]);
  });

  it.each([
    ['apps/v1', 'gizmos'],
    ['apps/v7', 'deployments'],
    ['nothing.example.com/v1', 'things'],
  ])('finds no %s %s', async (apiVersion, resource) => {
    const { errors } = await ask({ apiVersion, resource });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  it.each([
    { apiVersion: '../v1' },
    { apiVersion: 'v1/../../secrets/x' },
    { apiVersion: '' },
    { apiVersion: 'apps/' },
    { apiVersion: '%2e%2e/v1' },
    { apiVersion: 'APPS/v1' },
    { resource: 'pods/log' },
    { resource: '..' },
    { resource: 'pods?watch=true' },
    { resource: 'Secrets' },
    { resource: ' secrets' },
    { resource: '' },
    { namespace: '../kube-system' },
    { namespace: 'a/b' },
  ])('refuses %o, and sends nothing', async (bad) => {
    const before = whole.kas.requests.length;
    const { errors } = await ask({ apiVersion: 'v1', resource: 'pods', namespace: 'tls', ...bad });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(sentSince(whole.kas, before)).toEqual([]);
  });
});

interface Agent {
  readonly latencyMs: number;
  readonly capabilities: { readonly flux: { readonly group: string }[] };
}

describe('k8sAgent', () => {
  const AGENT = `query ($id: ID!) { k8sAgent(agentId: $id) {
    id connected reason serverVersion latencyMs streams { used budget }
    capabilities { flux { group versions preferred } metrics prometheus applicationCrd certManager argoCd groups { group } }
  } }`;

  it('says what the cluster has', async () => {
    whole.kas.agent(1).api.resources.register(apiResource('app.k8s.io', 'v1beta1', 'applications', 'Application'));
    const { data, errors } = await whole.ask<{ k8sAgent: Agent }>(AGENT, { id: '1' });
    expect(errors).toBeUndefined();
    expect(data?.k8sAgent).toMatchObject({
      id: '1',
      connected: true,
      reason: null,
      serverVersion: 'v1.36.2',
      streams: { budget: 100 },
      capabilities: { metrics: false, prometheus: false, certManager: true, argoCd: false },
    });
    const flux = ['kustomize.toolkit.fluxcd.io', 'helm.toolkit.fluxcd.io', 'source.toolkit.fluxcd.io'];
    expect(data?.k8sAgent.capabilities.flux.map(({ group }) => group)).toEqual(flux);
    expect(data?.k8sAgent.latencyMs).toBeGreaterThan(0);
  });

  it('says that it is away', async () => {
    whole.kas.addAgent(2).disconnect();
    const { data } = await whole.ask(AGENT, { id: '2' });
    expect(data).toMatchObject({
      k8sAgent: {
        connected: false,
        reason: 'AGENT_NOT_CONNECTED',
        serverVersion: null,
        latencyMs: null,
        capabilities: null,
      },
    });
  });

  it('tells nothing to those whom GitLab does not let through', async () => {
    const { errors } = await whole.ask(AGENT, { id: '4711' });
    expect(errors).toMatchObject([{ extensions: { code: 'GITLAB_UNAUTHORIZED' } }]);
    const stranger = await whole.ask(AGENT, { id: '1' }, { authorization: 'Bearer glpat-nobody' });
    expect(stranger.errors).toMatchObject([{ extensions: { code: 'GITLAB_UNAUTHORIZED' } }]);
  });
});
