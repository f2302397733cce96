import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewObject } from '../../../demo/apiserver/object.ts';
import { grant } from '../../../demo/apiserver/objects.ts';
import type { Store } from '../../../demo/apiserver/store.ts';
import { startKas, type Kas } from '../../../demo/kas/index.ts';
import { FLUX_RESOURCES } from '../../../src/kubernetes/resources.ts';
import { RealApiServer } from '../../apiserver/real-apiserver.ts';
import { RemoteCluster } from '../../apiserver/remote-cluster.ts';
import { manifestOf } from '../suites/flux-objects.ts';
import { defineFlux } from '../upstreams/flux-definitions.ts';
import { RealCluster } from '../upstreams/real-cluster.ts';
import { ASSETS } from '../upstreams/real.ts';
import { ask, comparable, type Question, type Remembered } from '../upstreams/two-answers.ts';

/** The same question to the demo's API server and to a real one, through the same KAS: clients see the same answer. */

const DEMO = 1;
const REAL = 2;
const PODS = '/api/v1/namespaces/shop/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/shop/deployments';
const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const ANOTHER = '00000000-0000-4000-8000-000000000000';

let server: RealApiServer;
let kas: Kas;
const remembered: Record<number, Remembered> = {};

beforeAll(async () => {
  if (ASSETS === undefined) throw new Error('there is no API server: npm run conformance');
  server = await RealApiServer.start(ASSETS);
  kas = await startKas({ agents: { [DEMO]: {}, [REAL]: { cluster: new RemoteCluster(server) } } });
  await defineFlux(server);
  const real = new RealCluster(server);
  const { store } = kas.agent(DEMO).api;
  for (const name of ['a', 'b', 'c']) await create(pod(name), store, real);
  await create(deployment('d'), store, real);
  for (const resource of FLUX_RESOURCES) await create(manifestOf(resource, 'shop', 'flux'), store, real);
  for (const [user, namespace, verbs, resources] of [
    ['ada', '', ['*'], ['*']],
    ['bob', 'shop', ['get', 'list', 'watch'], ['pods']],
  ] as const) {
    kas.user(user);
    grant(store, user, namespace, verbs, resources);
    await real.grant(user, namespace, verbs, resources);
  }
  for (const agent of [DEMO, REAL]) {
    const first = await ask(kas, agent, { path: `${PODS}?limit=1` }, { version: '', token: '' });
    const { metadata } = first.body as { metadata: { resourceVersion: string; continue: string } };
    remembered[agent] = { version: metadata.resourceVersion, token: metadata.continue };
  }
});

afterAll(async () => {
  await kas.close();
  await server.stop();
});

async function create(object: NewObject, store: Store, real: RealCluster): Promise<void> {
  store.create(object);
  await real.create(object);
}

function pod(name: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app: 'x' } },
    spec: { containers: [{ name: 'app', image: 'app:1' }] },
  };
}

function deployment(name: string) {
  const labels = { app: 'x' };
  const template = { metadata: { labels }, spec: pod(name).spec };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  return { ...pod(name), apiVersion: 'apps/v1', kind: 'Deployment', spec };
}

/** What both answer. */
async function answers(question: Question): Promise<{ demo: unknown; real: unknown }> {
  const [demo, real] = await Promise.all(
    [DEMO, REAL].map((agent) => ask(kas, agent, question, remembered[agent] ?? { version: '', token: '' })),
  );
  return { demo: comparable(demo), real: comparable(real) };
}

/** The outcome of a review, by each; the reason aside, which names the binding. */
async function outcomes(question: Question): Promise<unknown[]> {
  const { demo, real } = await answers(question);
  return [demo, real].map((answer) => {
    const { status, body } = answer as { status: number; body: { status: object } };
    return { status, ...body.status, reason: undefined };
  });
}

/** Entries of a discovery document, by name; subresources aside. */
function entries(answer: unknown): Map<string, object> {
  const { body } = answer as { body: { resources: { name: string }[] } };
  const resources = body.resources.filter(({ name }) => !name.includes('/'));
  return new Map(resources.map((resource) => [resource.name, resource]));
}

const review = (resourceAttributes: object) => ({
  method: 'POST',
  path: REVIEWS,
  body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } },
});
const patch = (path: string, contentType: string, body: unknown) => ({ method: 'PATCH', path, contentType, body });
const deletion = (path: string, preconditions: object) => ({
  method: 'DELETE',
  path,
  body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions },
});

const READS: Record<string, Question> = {
  'one object': { path: `${PODS}/a` },
  'one object that is not there': { path: `${PODS}/nothing` },
  'one of a group that is not there': { path: `${DEPLOYMENTS}/nothing` },
  'a list': { path: PODS },
  'an empty list': { path: '/apis/apps/v1/namespaces/shop/statefulsets' },
  'a first page': { path: `${PODS}?limit=2` },
  'the last page': { path: `${PODS}?limit=5&continue=<token>` },
  'a page in between': { path: `${PODS}?limit=1&continue=<token>` },
  'a page with a resourceVersion': { path: `${PODS}?limit=2&resourceVersion=<version>&continue=<token>` },
  'a limit that is no number': { path: `${PODS}?limit=x` },
  'resourceVersion=0 with a limit': { path: `${PODS}?limit=1&resourceVersion=0` },
  'an exact version': { path: `${PODS}?resourceVersion=<version>&resourceVersionMatch=Exact` },
  'not older than': { path: `${PODS}?resourceVersion=<version>&resourceVersionMatch=NotOlderThan` },
  'a match without a version': { path: `${PODS}?resourceVersionMatch=NotOlderThan` },
  'exactly 0': { path: `${PODS}?resourceVersion=0&resourceVersionMatch=Exact` },
  'an unknown match': { path: `${PODS}?resourceVersion=1&resourceVersionMatch=Foo` },
  'a version that is no number': { path: `${PODS}?resourceVersion=abc` },
  'a version from the future': { path: `${PODS}?resourceVersion=99999999999999999&resourceVersionMatch=NotOlderThan` },
  'a label selector': { path: `${PODS}?labelSelector=app%3Dx&limit=1` },
  'a field selector': { path: `${PODS}?fieldSelector=metadata.name%3Da` },
  'a field selector on an unknown field': { path: `${PODS}?fieldSelector=spec.foo%3Db` },
  'a resource that a served group does not have': { path: '/api/v1/namespaces/shop/things' },
  'a version that a served group does not have': { path: '/apis/apps/v9/namespaces/shop/deployments' },
  'a group that is not served': { path: '/apis/nothing.example.com/v1/namespaces/shop/things' },
  'an unknown path': { path: '/nothing' },
  readiness: { path: '/readyz' },
  'a group': { path: '/apis/apps' },
  'the scale of a deployment': { path: `${DEPLOYMENTS}/d/scale` },
  'the log of no pod': { path: `${PODS}/nothing/log` },
  'a proxied service that is not there': { path: '/api/v1/namespaces/shop/services/prometheus:9090/proxy/api' },
};

const WATCHES: Record<string, Question> = {
  'from a version on': { path: `${PODS}?watch=true&resourceVersion=<version>&timeoutSeconds=1` },
  'from the present on': { path: `${PODS}?watch=true&timeoutSeconds=1` },
  'from 0 on': { path: `${PODS}?watch=true&resourceVersion=0&timeoutSeconds=1` },
  'from the future on': { path: `${PODS}?watch=true&resourceVersion=99999999999999999&timeoutSeconds=1` },
  'from a version that is no number': { path: `${PODS}?watch=true&resourceVersion=abc&timeoutSeconds=1` },
  'of one name, which is a get': { path: `${PODS}/a?watch=true&timeoutSeconds=1` },
  'with initial events, not asked for rightly': { path: `${PODS}?watch=true&sendInitialEvents=true&timeoutSeconds=1` },
};

const REFUSALS: Record<string, Question> = {
  'a list': { user: 'bob', path: '/api/v1/namespaces/shop/services' },
  'one object': { user: 'bob', path: '/api/v1/namespaces/shop/services/x' },
  'a group': { user: 'bob', path: DEPLOYMENTS },
  'the cluster scope': { user: 'bob', path: '/api/v1/pods' },
  'a watch': { user: 'bob', path: '/api/v1/namespaces/shop/services?watch=1' },
  'what is not served': { user: 'bob', path: '/apis/nothing.example.com/v1/namespaces/shop/things' },
};

const REFUSED_WRITES: Record<string, Question> = {
  'a name that is taken': { method: 'POST', path: PODS, body: pod('a') },
  'no name': { method: 'POST', path: PODS, body: { ...pod('a'), metadata: {} } },
  'another namespace': {
    method: 'POST',
    path: PODS,
    body: { ...pod('z'), metadata: { name: 'z', namespace: 'other' } },
  },
  'a namespace that is not there': {
    method: 'POST',
    path: '/api/v1/namespaces/nowhere/pods',
    body: { ...pod('z'), metadata: { name: 'z' } },
  },
  'a test in a JSON patch': patch(`${PODS}/a`, JSON_PATCH, [{ op: 'test', path: '/metadata/labels/app', value: 'y' }]),
  'a JSON patch of nothing': patch(`${PODS}/a`, JSON_PATCH, [{ op: 'remove', path: '/metadata/labels/nothing' }]),
  'a patch of no object': patch(`${PODS}/nothing`, MERGE, { metadata: { labels: { t: '1' } } }),
  'a patch of an older version': patch(`${PODS}/a`, MERGE, { metadata: { resourceVersion: '1', labels: { t: '1' } } }),
  'a scale below zero': patch(`${DEPLOYMENTS}/d/scale`, MERGE, { spec: { replicas: -3 } }),
  'a deletion of another uid': deletion(`${PODS}/a`, { uid: ANOTHER }),
  'a deletion of an older version': deletion(`${PODS}/a`, { resourceVersion: '1' }),
  'a deletion of nothing': deletion(`${PODS}/nothing`, {}),
  'an update without a name': { method: 'PUT', path: PODS, body: {} },
};

const WRITES: Record<string, Question> = {
  'a merge patch': patch(`${PODS}/b`, MERGE, { metadata: { labels: { merged: '1' } } }),
  'a strategic merge patch': patch(`${PODS}/b`, STRATEGIC, { metadata: { annotations: { note: 'x' } } }),
  'a JSON patch': patch(`${PODS}/b`, JSON_PATCH, [{ op: 'add', path: '/metadata/labels/added', value: '2' }]),
  'a patch of the scale': patch(`${DEPLOYMENTS}/d/scale`, MERGE, { spec: { replicas: 3 } }),
  'a deletion': deletion(`${DEPLOYMENTS}/d`, {}),
};

describe.each([
  ['reads', READS],
  ['watches', WATCHES],
  ['what a user may not read', REFUSALS],
  ['writes that are refused', REFUSED_WRITES],
  ['writes', WRITES],
])('%s', (_, questions) => {
  it.each(Object.entries(questions))('%s', async (_, question) => {
    const { demo, real } = await answers(question);
    expect(demo).toEqual(real);
  });
});

describe('tables', () => {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  it.each(FLUX_RESOURCES.map((resource) => [resource.kind, resource] as const))(
    '%s has the columns of its definition',
    async (_, { group, version, plural }) => {
      const { demo, real } = await answers({ accept, path: `/apis/${group}/${version}/namespaces/shop/${plural}` });
      expect(demo).toEqual(real);
    },
  );
});

describe('reviews', () => {
  it.each([
    ['a right that one has', { namespace: 'shop', verb: 'list', resource: 'pods' }],
    ['a right that one has not', { namespace: 'shop', verb: 'list', resource: 'services' }],
    ['a right somewhere else', { namespace: 'default', verb: 'list', resource: 'pods' }],
    ['a right everywhere', { verb: 'list', resource: 'pods' }],
  ])('%s', async (_, attributes) => {
    const [demo, real] = await outcomes({ ...review(attributes), user: 'bob' });
    expect(demo).toEqual(real);
  });

  it('a question about nothing', async () => {
    const { demo, real } = await answers({ ...review({}), body: { ...review({}).body, spec: {} } });
    expect(demo).toEqual(real);
  });
});

it.each(['/api/v1', '/apis/apps/v1', '/apis/batch/v1'])(
  'every resource that the demo serves in %s is described as a real server describes it',
  async (path) => {
    const { demo, real } = await answers({ path });
    const described = entries(real);
    for (const [name, resource] of entries(demo)) expect(resource).toEqual(described.get(name));
  },
);
