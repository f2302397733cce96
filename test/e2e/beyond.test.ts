import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grant, makeDeployment, makePod, makeService } from '../../demo/apiserver/objects.ts';
import { apiResource } from '../../demo/apiserver/resources.ts';
import { codeOf, WholeServer } from '../support/whole-server.ts';

/** What goes beyond GitLab's dashboard: metrics, applications, drift, previews. */

let whole: WholeServer;
const joe = { authorization: 'Bearer glpat-joe' };

beforeAll(async () => {
  whole = await WholeServer.start({ PROMETHEUS_SERVICE: 'monitoring/prometheus:9090' });
  whole.kas.user('joe', { token: 'glpat-joe' });
  whole.store.create(makeService({ name: 'prometheus', namespace: 'monitoring' }));
});

afterAll(() => whole.stop());

const labels = (name: string) => ({
  'app.kubernetes.io/part-of': 'shop',
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/version': '1.2',
});

const managed = (
  more: {
    manager: string;
    time: string;
    fieldsV1: Record<string, Record<string, Record<string, never>>>;
    subresource?: string;
  }[],
) => [
  {
    manager: 'kustomize-controller',
    operation: 'Apply',
    time: '2026-03-01T00:00:00Z',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
  },
  ...more,
];

const manifest = (name: string, spec: unknown, more: Record<string, unknown> = {}) =>
  JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec, ...more });

const written = (name: string, replicas: number) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  replicas: ${replicas}\n`;

describe('promQuery', () => {
  const QUERY =
    'query ($query: String!, $time: String) { promQuery(agentId: "1", query: $query, time: $time) { resultType result warnings } }';
  const RANGE = `query ($query: String!, $start: String!, $end: String!, $step: Int!) {
    promQueryRange(agentId: "1", query: $query, start: $start, end: $end, step: $step) { resultType result }
  }`;

  it('asks the configured service, and only that', async () => {
    const { data } = await whole.ask(QUERY, { query: 'up{job="a/b"}', time: '2026-03-01T00:00:00Z' });
    expect(data).toMatchObject({
      promQuery: {
        resultType: 'vector',
        result: [{ metric: { job: 'api' }, value: [1_772_323_200, '0'] }, {}],
        warnings: [],
      },
    });
    expect(whole.kas.requests.at(-1)?.url).toContain(
      '/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query?',
    );
    const range = { start: '2026-03-01T00:00:00Z', end: '2026-03-01T00:01:00Z', step: 15 };
    expect((await whole.ask(RANGE, { query: 'up', ...range })).data).toMatchObject({
      promQueryRange: { resultType: 'matrix', result: [{ values: [[1_772_323_200, '0'], {}, {}, {}, {}] }] },
    });
  });

  it('refuses what is no query, what is too much, and those who may not', async () => {
    const range = { query: 'up', start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' };
    expect([
      codeOf(await whole.ask(QUERY, { query: 'up{' })),
      codeOf(await whole.ask(QUERY, { query: ' ' })),
      codeOf(await whole.ask(QUERY, { query: 'x'.repeat(8_193) })),
      codeOf(await whole.ask(QUERY, { query: 'up', time: 'now' })),
      codeOf(await whole.ask(RANGE, { ...range, step: 1 })),
      codeOf(await whole.ask(RANGE, { ...range, end: '2026-02-01T00:00:00Z', step: 60 })),
      codeOf(await whole.ask(QUERY, { query: 'up' }, joe)),
    ]).toEqual([
      'BAD_USER_INPUT',
      'BAD_USER_INPUT',
      'BAD_USER_INPUT',
      'BAD_USER_INPUT',
      'BAD_USER_INPUT',
      'BAD_USER_INPUT',
      'FORBIDDEN',
    ]);
  });

  it.each([
    ['no data', {}],
    ['no result', { resultType: 'vector' }],
    ['no type', { result: [] }],
  ])('is a typed error when the service answers with %s', async (_, data) => {
    const fault = whole.kas.agent(1).api.faults.add({
      match: { resource: 'services', subresource: 'proxy' },
      effect: { respond: { status: 200, contentType: 'application/json', body: { status: 'success', data } } },
    });
    const answer = await whole.ask(QUERY, { query: 'up' });
    fault.remove();
    expect(fault.hits).toBe(1);
    expect(codeOf(answer)).toBe('UPSTREAM_ERROR');
  });

  it('is not there where none is configured', async () => {
    const other = await WholeServer.start();
    const answer = await other.ask(QUERY, { query: 'up' });
    expect(answer.errors).toMatchObject([
      { message: expect.stringContaining('PROMETHEUS_SERVICE') as string, extensions: { code: 'NOT_FOUND' } },
    ]);
    await other.stop();
  });
});

describe('k8sApplications', () => {
  const QUERY =
    'query ($namespace: String) { k8sApplications(agentId: "1", namespace: $namespace) { name namespace source version managedBy health counts { kind count } objects { kind metadata { name } } } }';

  it('groups by the recommended labels, with the worst health', async () => {
    whole.store.create(
      makeDeployment({ name: 'web', namespace: 'apps', labels: labels('web'), replicas: 2, ready: 2 }),
    );
    whole.store.create(makeService({ name: 'web', namespace: 'apps', labels: labels('web') }));
    whole.store.create(makePod({ name: 'web-1', namespace: 'apps', labels: labels('web') }));
    whole.store.create(
      makePod({ name: 'job', namespace: 'apps', labels: { 'app.kubernetes.io/instance': 'cleanup' }, phase: 'Failed' }),
    );
    const { data, errors } = await whole.ask(QUERY, { namespace: 'apps' });
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({
      k8sApplications: [
        { name: 'cleanup', source: 'LABELS', health: 'DEGRADED', counts: [{ kind: 'Pod', count: 1 }] },
        {
          name: 'shop',
          namespace: 'apps',
          version: '1.2',
          health: 'HEALTHY',
          counts: [
            { kind: 'Deployment', count: 1 },
            { kind: 'Service', count: 1 },
            { kind: 'Pod', count: 1 },
          ],
        },
      ],
    });
  });

  it('shows what one may see, and refuses those who may see nothing', async () => {
    expect(codeOf(await whole.ask(QUERY, { namespace: 'apps' }, joe))).toBe('FORBIDDEN');
    grant(whole.store, 'joe', 'apps-of-joe', ['*'], ['services']);
    whole.store.create(
      makeService({ name: 'one', namespace: 'apps-of-joe', labels: { 'app.kubernetes.io/name': 'one' } }),
    );
    expect((await whole.ask(QUERY, { namespace: 'apps-of-joe' }, joe)).data).toMatchObject({
      k8sApplications: [{ name: 'one' }],
    });
  });

  it('reads Applications where the cluster has them', async () => {
    const agent = whole.kas.addAgent(2);
    grant(agent.api.store, 'ada', '', ['*'], ['*']);
    agent.api.resources.register(apiResource('app.k8s.io', 'v1beta1', 'applications', 'Application', { custom: true }));
    agent.api.store.create({
      apiVersion: 'app.k8s.io/v1beta1',
      kind: 'Application',
      metadata: { name: 'blog', namespace: 'apps' },
      spec: { selector: { matchLabels: { blog: 'yes' } }, descriptor: { version: '7' } },
    });
    agent.api.store.create(makeService({ name: 'front', namespace: 'apps', labels: { blog: 'yes' } }));
    const { data } = await whole.ask(QUERY.replace('"1"', '"2"'), { namespace: 'apps' });
    expect(data).toMatchObject({
      k8sApplications: [
        {
          name: 'blog',
          source: 'APPLICATION',
          version: '7',
          objects: [{ kind: 'Service', metadata: { name: 'front' } }],
        },
      ],
    });
  });
});

describe('fluxDrift', () => {
  const QUERY =
    'query ($name: String!) { fluxDrift(agentId: "1", target: { kind: KUSTOMIZATION, namespace: "drift", name: $name }) { checked total entries { kind name drift message changes { manager at fields } } } }';

  it('tells what is missing, changed by others, and not ready', async () => {
    const make = (name: string, ready: number, managedFields: ReturnType<typeof managed>) => {
      const made = makeDeployment({ name, namespace: 'drift', replicas: 1, ready });
      whole.store.create({ ...made, metadata: { ...made.metadata, managedFields } });
    };
    make(
      'same',
      1,
      managed([
        {
          manager: 'kube-controller-manager',
          time: '2026-03-02T00:00:00Z',
          subresource: 'status',
          fieldsV1: { 'f:status': {} },
        },
      ]),
    );
    make(
      'edited',
      1,
      managed([
        { manager: 'kubectl-edit', time: '2026-03-02T00:00:00Z', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      ]),
    );
    make(
      'before',
      1,
      managed([
        { manager: 'kubectl-edit', time: '2026-02-01T00:00:00Z', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      ]),
    );
    make('broken', 0, managed([]));
    whole.store.create({
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'all', namespace: 'drift' },
      spec: {},
      status: {
        inventory: {
          entries: ['same', 'edited', 'before', 'broken', 'gone']
            .map((name) => ({ id: `drift_${name}_apps_Deployment`, v: 'v1' }))
            .concat([{ id: 'drift_s__Secret', v: 'v1' }]),
        },
      },
    });
    const { data, errors } = await whole.ask<{
      fluxDrift: { checked: number; total: number; entries: { name: string; drift: string }[] };
    }>(QUERY, { name: 'all' });
    expect(errors).toBeUndefined();
    const { entries = [], ...counts } = data?.fluxDrift ?? {};
    expect(counts).toEqual({ checked: 6, total: 6 });
    expect(Object.fromEntries(entries.map(({ name, drift }) => [name, drift]))).toEqual({
      same: 'NONE',
      before: 'NONE',
      edited: 'CHANGED',
      broken: expect.stringMatching(/NOT_READY/) as string,
      gone: 'MISSING',
      s: 'UNKNOWN',
    });
    expect(entries.find(({ name }) => name === 'edited')).toMatchObject({
      changes: [{ manager: 'kubectl-edit', at: '2026-03-02T00:00:00Z', fields: ['spec.replicas'] }],
    });
    expect(whole.kas.requests.some(({ url }) => url.includes('/secrets'))).toBe(false);
  });
});

describe('previewManifests', () => {
  const QUERY =
    'query ($manifests: [String!]!) { previewManifests(agentId: "1", namespace: "preview", manifests: $manifests) { kind namespace name outcome error changes { path before after } } }';
  it('tells what would change, and changes nothing', async () => {
    whole.store.create(makeDeployment({ name: 'web', namespace: 'preview', replicas: 2 }));
    const before = whole.store.revision;
    const { data, errors } = await whole.ask<{ previewManifests: { outcome: string; changes: unknown[] }[] }>(QUERY, {
      manifests: [
        manifest('web', { replicas: 5 }),
        manifest('web', { replicas: 2 }),
        manifest('new', { replicas: 1 }),
        manifest('x', {}, { apiVersion: 'none.example.com/v1' }),
      ],
    });
    expect(errors).toBeUndefined();
    const previews = data?.previewManifests ?? [];
    expect(previews.map(({ outcome }) => outcome)).toEqual(['UPDATE', 'UNCHANGED', 'CREATE', 'ERROR']);
    expect(previews[0]).toMatchObject({
      namespace: 'preview',
      name: 'web',
      changes: [{ path: '/spec/replicas', before: 2, after: 5 }],
    });
    expect(whole.store.revision).toBe(before);
    expect(whole.store.get('deployments', 'preview', 'new')).toBeUndefined();
    const applies = whole.kas.requests.filter(({ method }) => method === 'PATCH');
    expect(
      applies.every(
        ({ url }) =>
          url.includes('dryRun=All') && url.includes('fieldManager=kascade-preview') && url.includes('force=true'),
      ),
    ).toBe(true);
  });

  it('tells nothing of what a cluster serves to those who are not let through to it', async () => {
    const manifests = ['Kustomization', 'Nonsense'].map((kind) =>
      JSON.stringify({ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind, metadata: { name: 'x' } }),
    );
    await whole.ask(QUERY, { manifests }); // so that the answer is remembered
    const stranger = { authorization: 'Bearer glpat-nobody' };
    const { data, errors } = await whole.ask<{ previewManifests: unknown[] }>(QUERY, { manifests }, stranger);
    expect(errors).toMatchObject([{ extensions: { code: 'GITLAB_UNAUTHORIZED' } }]);
    expect(data).toBeNull();
  });

  it('takes YAML of several documents', async () => {
    whole.store.create(makeDeployment({ name: 'from-yaml', namespace: 'preview', replicas: 2 }));
    const { data, errors } = await whole.ask(QUERY, {
      manifests: [`# two\n---\n${written('from-yaml', 7)}---\n${written('not-there', 1)}`],
    });
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({
      previewManifests: [
        { name: 'from-yaml', outcome: 'UPDATE', changes: [{ path: '/spec/replicas', before: 2, after: 7 }] },
        { name: 'not-there', outcome: 'CREATE' },
      ],
    });
  });

  it('refuses Secrets and what is no manifest before anything is sent', async () => {
    const before = whole.kas.requests.length;
    const codes = [];
    for (const manifests of [
      [manifest('a', {}), JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } })],
      ['kind: Pod'],
      [manifest('../x', {})],
      [manifest('x', {}, { metadata: { name: 'x', namespace: '..' } })],
      Array.from({ length: 51 }, () => manifest('a', {})),
      [manifest('a', { long: 'x'.repeat(100_000) })],
    ]) {
      codes.push(codeOf(await whole.ask(QUERY, { manifests })));
    }
    expect(codes).toEqual(['FORBIDDEN', ...Array.from({ length: 5 }, () => 'BAD_USER_INPUT')]);
    expect(whole.kas.requests.length).toBe(before);
  });

  it('tells those who may not apply', async () => {
    grant(whole.store, 'joe', 'preview', ['get'], ['deployments']);
    const { data } = await whole.ask(QUERY, { manifests: [manifest('web', {})] }, joe);
    expect(data).toMatchObject({
      previewManifests: [
        { outcome: 'ERROR', error: expect.stringContaining('patch deployments.apps "web"') as string },
      ],
    });
  });
});
