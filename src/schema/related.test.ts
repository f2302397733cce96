import { isInterfaceType, isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import { schema } from './index.ts';
import { FakeClusters } from './testing/fake-clusters.ts';
import { FakeGate, FRESH_AS_OF } from './testing/fake-gate.ts';
import { pod, service } from './testing/objects.ts';
import { collect, run } from './testing/run.ts';
import { unchecked } from './testing/unchecked.ts';

const ROOTS = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
const SERVICES_OF_PODS = 'k8sPods(agentId: 7, namespace: "default") { nodes { services { metadata { name } } } }';

function shop(): FakeGate {
  const labels = { app: 'web' };
  const pods = ['a', 'b', 'c'].map((name) => pod(name, { metadata: { labels } }));
  return new FakeGate([...pods, service('web', { spec: { selector: labels } })]);
}

describe('relations', () => {
  it('join a collection once for a whole page', async () => {
    const gate = shop();
    const { data } = await run(gate, `{ ${SERVICES_OF_PODS} again: ${SERVICES_OF_PODS} }`);
    const nodes = Array.from({ length: 3 }, () => ({ services: [{ metadata: { name: 'web' } }] }));
    expect(data).toEqual({ k8sPods: { nodes }, again: { nodes } });
    expect(gate.calls.filter(([call, , , field]) => call === 'attach' && field === 'k8sServices')).toHaveLength(1);
    expect(gate.attached).toBe(0);
  });

  it('are empty without an error where the collection is refused', async () => {
    const gate = shop();
    const attach = gate.attach.bind(gate);
    gate.attach = async (viewer, key) => {
      if (key.resource.plural === 'services') throw new ApiError('FORBIDDEN', 'No.');
      return attach(viewer, key);
    };
    const { data, errors } = await run(gate, `{ ${SERVICES_OF_PODS} }`);
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({ k8sPods: { nodes: [{ services: [] }, { services: [] }, { services: [] }] } });
  });

  it.each([
    [[], []],
    [['Service'], [{ metadata: { name: 'web' } }]],
  ])('in a subscription, with %j watched, are %j', async (open, services) => {
    const gate = shop();
    const clusters = new FakeClusters(gate);
    clusters.open = open;
    gate.clusters = unchecked(clusters);
    const upserted = gate.objects.filter(({ kind }) => kind === 'Pod').slice(0, 1);
    const rest = { removed: [], cursor: 'c', resyncReason: undefined, total: 1, freshAsOf: FRESH_AS_OF };
    gate.updates = [{ type: 'SNAPSHOT', upserted, ...rest }];
    const answers = await collect(
      gate,
      'subscription { k8sPods(agentId: 7, namespace: "default") { upserted { services { metadata { name } } } } }',
    );
    expect(answers).toEqual([{ data: { k8sPods: { upserted: [{ services }] } } }]);
  });

  it('are marked, and can be told by their resolvers, on types and interfaces alike', () => {
    const marked = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) || isInterfaceType(type))
      .filter((type) => !ROOTS.has(unchecked(type)))
      .flatMap((type) => Object.values(type.getFields()))
      .filter(({ extensions }) => extensions['viewerDependent'] === true);
    expect(marked.length).toBeGreaterThan(20);
    // Three parameters: the resolver looks at the context, so its answer may not be shared.
    expect(marked.filter(({ resolve }) => (resolve?.length ?? 0) < 3)).toEqual([]);
  });
});

it('stop an answer that would grow with every level', async () => {
  const labels = { app: 'web' };
  const pods = Array.from({ length: 400 }, (_, at) => pod(`p-${at}`, { metadata: { labels } }));
  const gate = new FakeGate([...pods, service('web', { spec: { selector: labels } })]);
  const { errors } = await run(
    gate,
    '{ k8sPods(agentId: 7, namespace: "default") { nodes { services { pods { services { pods { id } } } } } } }',
  );
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'LIMIT_EXCEEDED' } });
});

it('are found out for each operation, also when two are sent the same event', async () => {
  const gate = shop();
  const clusters = new FakeClusters(gate);
  clusters.open = ['Service'];
  gate.clusters = unchecked(clusters);
  const upserted = gate.objects.filter(({ kind }) => kind === 'Pod').slice(0, 1);
  const rest = { removed: [], cursor: 'c', resyncReason: undefined, total: 1, freshAsOf: FRESH_AS_OF };
  gate.updates = [{ type: 'SNAPSHOT', upserted, ...rest }];
  const live =
    'subscription { k8sPods(agentId: 7, namespace: "default") { upserted { services { metadata { name } } } } }';
  expect(await collect(gate, live)).toMatchObject([{ data: { k8sPods: { upserted: [{ services: [{}] }] } } }]);
  clusters.open = [];
  expect(await collect(gate, live)).toMatchObject([{ data: { k8sPods: { upserted: [{ services: [] }] } } }]);
});
