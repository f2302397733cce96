import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grant, makeDeployment, makePod } from '../../demo/apiserver/objects.ts';
import { parse } from 'yaml';
import { eventually } from '../support/eventually.ts';
import { followField } from '../support/follow.ts';
import { codeOf, WholeServer } from '../support/whole-server.ts';

/** How a namespace is, and its objects as YAML. */

let whole: WholeServer;
const ALL = ['Pod', 'Deployment', 'StatefulSet', 'ReplicaSet', 'DaemonSet', 'Job', 'CronJob'];
const FLUX = [
  'Kustomization',
  'HelmRelease',
  'GitRepository',
  'OCIRepository',
  'HelmRepository',
  'HelmChart',
  'Bucket',
];

beforeAll(async () => {
  whole = await WholeServer.start({ LINGER_SECONDS: '60', MAX_FEEDS_PER_VIEWER: '500', AGENT_STREAM_BUDGET: '400' });
  for (const name of ['joe', 'eve']) whole.kas.user(name, { token: `glpat-${name}` });
});

afterAll(() => whole.stop());

const connection = async () =>
  (await whole.ask('{ k8sConnection(agentId: "1", namespace: "again") { status } }')).data?.['k8sConnection'];
const podRequests = () => whole.kas.requests.filter(({ url }) => /\/pods\?/.test(url)).length;
const isChanged = ({ yaml }: { yaml: string }) => yaml.includes('"seven: changed"');
interface Told {
  readonly k8sNamespaceHealth: {
    readonly level: string;
    readonly causes: readonly object[];
    readonly checked: readonly string[];
    readonly unchecked: readonly { readonly kind: string; readonly code: string }[];
  };
}

describe('k8sNamespaceHealth', () => {
  const QUERY = `query ($agent: ID!, $namespace: String!) {
    k8sNamespaceHealth(agentId: $agent, namespace: $namespace) {
      level reason message causes { level reason object { kind metadata { name } ... on K8sPod { owner { kind } } } }
      counts { level count } checked unchecked { kind code message }
    }
  }`;
  const told = async (namespace: string, headers?: Record<string, string>, agent = '1') =>
    whole.ask<Told>(QUERY, { agent, namespace }, headers);

  it('is healthy where there is nothing', async () => {
    const { data, errors } = await told('nothing');
    expect(errors).toBeUndefined();
    expect(data?.k8sNamespaceHealth).toEqual({
      level: 'HEALTHY',
      reason: null,
      message: null,
      causes: [],
      counts: [],
      checked: [...ALL, ...FLUX],
      unchecked: [],
    });
  });

  it('names the worst first, of pods, workloads and Flux', async () => {
    whole.store.create(makeDeployment({ name: 'fine', namespace: 'env', replicas: 1, ready: 1 }));
    whole.store.create(makeDeployment({ name: 'coming', namespace: 'env', replicas: 2, ready: 1 }));
    whole.store.create(makePod({ name: 'fine', namespace: 'env' }));
    whole.store.create(makePod({ name: 'z-failed', namespace: 'env', phase: 'Failed' }));
    whole.store.create(makePod({ name: 'a-failed', namespace: 'env', phase: 'Failed' }));
    whole.store.create(makePod({ name: 'elsewhere', namespace: 'env-2', phase: 'Failed' }));
    whole.store.create({
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'apps', namespace: 'env' },
      spec: {},
      status: {
        conditions: [{ type: 'Ready', status: 'False', reason: 'BuildFailed', message: 'no such directory' }],
      },
    });
    const { data, errors } = await told('env');
    expect(errors).toBeUndefined();
    expect(data?.k8sNamespaceHealth).toMatchObject({
      level: 'DEGRADED',
      message: expect.stringMatching(/^Pod a-failed: /) as string,
      causes: [
        { level: 'DEGRADED', object: { kind: 'Pod', metadata: { name: 'a-failed' } } },
        { level: 'DEGRADED', object: { kind: 'Pod', metadata: { name: 'z-failed' } } },
        { level: 'DEGRADED', reason: 'BuildFailed', object: { kind: 'Kustomization' } },
        { level: 'PROGRESSING', object: { kind: 'Deployment', metadata: { name: 'coming' } } },
      ],
      counts: [
        { level: 'DEGRADED', count: 3 },
        { level: 'PROGRESSING', count: 1 },
        { level: 'HEALTHY', count: 2 },
      ],
      unchecked: [],
    });
  });

  it('costs the cluster nothing when it is asked again', async () => {
    await told('again');
    // Its watches are opened after it has been answered: those are no part of the second question.
    await expect.poll(connection, { timeout: 10_000 }).toEqual({ status: 'CONNECTED' });
    const before = podRequests();
    expect(before).toBeGreaterThan(0);
    await told('again');
    expect(podRequests()).toBe(before);
  });

  it('is of what one may see, and says what that was not', async () => {
    expect(codeOf(await told('env', { authorization: 'Bearer glpat-joe' }))).toBe('FORBIDDEN');
    grant(whole.store, 'eve', 'env', ['*'], ['deployments']);
    const answer = await told('env', { authorization: 'Bearer glpat-eve' });
    expect(answer.data?.k8sNamespaceHealth).toMatchObject({
      level: 'PROGRESSING',
      causes: [{ object: { kind: 'Deployment' } }],
      checked: ['Deployment'],
    });
    const { unchecked = [] } = answer.data?.k8sNamespaceHealth ?? {};
    expect(unchecked.map(({ kind, code }) => [kind, code])).toEqual(
      [...ALL, ...FLUX].filter((kind) => kind !== 'Deployment').map((kind) => [kind, 'FORBIDDEN']),
    );
  });

  it('leaves out what the cluster does not serve', async () => {
    const agent = whole.kas.addAgent(2);
    grant(agent.api.store, 'ada', '', ['*'], ['*']);
    agent.api.resources.remove('helmreleases');
    const { data, errors } = await told('env', undefined, '2');
    expect(errors).toBeUndefined();
    expect(data?.k8sNamespaceHealth.unchecked).toMatchObject([{ kind: 'HelmRelease', code: 'NOT_FOUND' }]);
    expect(data?.k8sNamespaceHealth.checked).toEqual([...ALL, ...FLUX.filter((kind) => kind !== 'HelmRelease')]);
  });

  it('passes on what is more than a missing right', async () => {
    expect(codeOf(await told('env', { authorization: 'Bearer glpat-nobody' }))).toMatch(/UNAUTH/);
    expect(codeOf(await told('../x'))).toBe('BAD_USER_INPUT');
  });
});

describe('yaml', () => {
  const QUERY = `{
    k8sPod(agentId: "1", namespace: "yaml", name: "web") {
      all: yaml metadata: yaml(part: METADATA) spec: yaml(part: SPEC) status: yaml(part: STATUS)
      json: metadata { labels } jsonSpec: spec jsonStatus: status
    }
  }`;

  it('is the object as it is kept, in whole and in parts', async () => {
    const pod = makePod({ name: 'web', namespace: 'yaml', labels: { on: 'yes' } });
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'a: b' };
    whole.store.create({ ...pod, metadata: { ...pod.metadata, annotations } });
    const { data, errors } = await whole.ask<{
      k8sPod: { all: string; metadata: string; spec: string; status: string; jsonSpec: object; jsonStatus: object };
    }>(QUERY);
    expect(errors).toBeUndefined();
    const { all = '', metadata = '', spec = '', status = '', jsonSpec, jsonStatus } = data?.k8sPod ?? {};
    expect(all).toMatch(/^apiVersion: v1\nkind: Pod\nmetadata:\n {2}name: web\n/);
    expect(parse(metadata)).toMatchObject({ name: 'web', labels: { on: 'yes' }, annotations: { note: 'a: b' } });
    expect(all).not.toMatch(/managedFields|last-applied/);
    expect(metadata).toContain('"on": "yes"');
    expect(parse(spec)).toEqual(jsonSpec);
    expect(parse(status)).toEqual(jsonStatus);
    expect(parse(all)).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: parse(metadata) as object,
      spec: jsonSpec,
      status: jsonStatus,
    });
  });

  it('is live, also of a list', async () => {
    for (let index = 0; index < 300; index += 1) {
      whole.store.create(makePod({ name: `p${index}`, namespace: 'yaml-list' }));
    }
    const live = followField<{ type: string; upserted: { yaml: string }[] }>(
      whole,
      'k8sPods',
      'subscription { k8sPods(agentId: "1", namespace: "yaml-list") { type upserted { yaml(part: STATUS) } } }',
    );
    await live.until('all of them', (message) => message?.upserted.length === 300);
    whole.store.patch('pods', 'yaml-list', 'p7', { status: { message: 'seven: changed' } });
    await eventually(
      'the change',
      () => live.messages.slice(1).some(({ upserted }) => upserted.some(isChanged)),
      5_000,
    );
    expect(live.errors).toEqual([]);
    live.stop();
  });
});
