import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grant, makePod, makeService } from '../../demo/apiserver/objects.ts';
import { createFamily, makeWorkload, ownedBy } from '../support/family.ts';
import { followField } from '../support/follow.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

/** Fields that lead from one object to others: what they find, for whom, and what they cost. */

interface Named {
  readonly kind?: string;
  readonly metadata: { readonly name: string };
}
interface PodNode extends Named {
  readonly owner: Named | null;
  readonly services: Named[];
}

const PODS = `query ($namespace: String) { k8sPods(agentId: "1", namespace: $namespace) {
  nodes { __typename metadata { name } owner { __typename metadata { name } } services { metadata { name } } }
} }`;

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start({ MAX_FEEDS_PER_VIEWER: '200', LINGER_SECONDS: '0' });
});

afterAll(() => whole.stop());

function names(objects: readonly Named[] | undefined): string[] {
  return (objects ?? []).map(({ metadata }) => metadata.name);
}

async function pods(namespace: string | null, user = 'ada'): Promise<PodNode[]> {
  const { data, errors } = await whole.ask<{ k8sPods: { nodes: PodNode[] } }>(
    PODS,
    { namespace },
    { authorization: `Bearer ${tokenOf(user)}` },
  );
  expect(errors).toBeUndefined();
  return data?.k8sPods.nodes ?? [];
}

describe('200 pods with their owners and services', () => {
  beforeAll(() => {
    for (let app = 0; app < 20; app += 1) {
      createFamily(whole.store, 'crowd', `app-${app}`, { pods: 10 });
      whole.store.create(
        makeService({ name: `svc-${app}`, namespace: 'crowd', selector: { 'app.kubernetes.io/name': `app-${app}` } }),
      );
    }
  });

  it.each([['crowd'], [null]])('of namespace %s cost no request a pod', async (namespace) => {
    const before = whole.kas.requests.length;
    const found = (await pods(namespace)).filter(({ metadata }) => metadata.name.startsWith('app-'));
    expect(found).toHaveLength(200);
    for (const { metadata, owner, services } of found) {
      const app = metadata.name.replace(/-2-\d+$/, '');
      expect(owner).toEqual({ __typename: 'K8sDeployment', metadata: { name: app } });
      expect(names(services)).toEqual([app.replace('app', 'svc')]);
    }
    const made = whole.kas.requests.slice(before);
    const lists = made.filter(({ verb }) => verb === 'list').map(({ resource }) => resource);
    expect(lists.toSorted()).toEqual(['deployments', 'pods', 'replicasets', 'services']);
    // Four lists, four watches, two reviews for each, and who the viewer is.
    expect(made.length).toBeLessThanOrEqual(4 + 4 + 8 + 1);
  });
});

describe('relations', () => {
  beforeAll(() => {
    const { store } = whole;
    createFamily(store, 'rel', 'web', { broken: true });
    store.create(makeService({ name: 'web', namespace: 'rel' }));
    store.create(makeService({ name: 'headless', namespace: 'rel', clusterIP: 'None', selector: {} }));
    store.create(makeService({ name: 'web', namespace: 'elsewhere', selector: { 'app.kubernetes.io/name': 'web' } }));
    const cronJob = store.create(
      makeWorkload('batch/v1', 'CronJob', 'rel', 'report', { spec: { schedule: '* * * * *' } }),
    );
    const job = store.create(
      makeWorkload('batch/v1', 'Job', 'rel', 'report-1', { metadata: { ownerReferences: [ownedBy(cronJob)] } }),
    );
    store.create(makePod({ name: 'report-1-a', namespace: 'rel', ownerReferences: [ownedBy(job)] }));
    store.create(makePod({ name: 'alone', namespace: 'rel' }));
    whole.allow('pia', '');
    for (const [user, resources] of Object.entries({ eve: ['pods'], mia: ['pods', 'replicasets'] })) {
      whole.kas.user(user, { token: tokenOf(user) });
      grant(store, user, 'rel', ['list', 'watch'], resources);
    }
  });

  it('lead from pods up', async () => {
    const found = Object.fromEntries((await pods('rel')).map((pod) => [pod.metadata.name, pod]));
    expect(found['report-1-a']?.owner).toEqual({ __typename: 'K8sCronJob', metadata: { name: 'report' } });
    expect(found['web-2-0000']?.owner).toEqual({ __typename: 'K8sDeployment', metadata: { name: 'web' } });
    expect(names(found['web-2-0000']?.services)).toEqual(['web']);
    expect(found['alone']).toMatchObject({ owner: null, services: [] });
  });

  it('do not lead to what is never shown, whatever claims to own it', async () => {
    const { store, kas } = whole;
    const owner = { apiVersion: 'v1', kind: 'Secret', name: 'x', uid: 'u-x', controller: true };
    store.create(makePod({ name: 'odd', namespace: 'odd', ownerReferences: [owner] }));
    expect(await pods('odd')).toMatchObject([{ owner: null }]);
    expect(kas.counts({ resource: 'secrets' })).toBe(0);
  });

  it('lead down to pods', async () => {
    const { data } = await whole.ask<
      { rel: { nodes: { pods: Named[] }[] } } & Record<string, { nodes: { pods: Named[] }[] }>
    >(`{
      deployments: k8sDeployments(agentId: "1", namespace: "rel") { nodes { pods { metadata { name } } } }
      sets: k8sReplicaSets(agentId: "1", namespace: "rel") { nodes { pods { metadata { name } } } }
      cronJobs: k8sCronJobs(agentId: "1", namespace: "rel") { nodes { pods { metadata { name } } } }
      services: k8sServices(agentId: "1", namespace: "rel") { nodes { pods { metadata { name } owner { metadata { name } } } } }
    }`);
    const of = (field: string) => data?.[field]?.nodes.map((node) => names(node.pods));
    const web = ['web-2-0000', 'web-2-0001'];
    expect(of('deployments')).toEqual([web]);
    expect(of('sets')).toEqual([[], web]);
    expect(of('cronJobs')).toEqual([['report-1-a']]);
    expect(of('services')).toEqual([[], web]);
  });

  it('show nothing, and no error, to those who may not list and watch', async () => {
    const eves = await pods('rel', 'eve');
    expect(eves).toHaveLength(4);
    expect(eves.every(({ owner, services }) => owner === null && services.length === 0)).toBe(true);
    const mias = await pods('rel', 'mia');
    expect(mias.find(({ metadata }) => metadata.name === 'web-2-0000')?.owner).toMatchObject({
      __typename: 'K8sReplicaSet',
    });
    expect((await pods('rel')).find(({ metadata }) => metadata.name === 'web-2-0000')?.owner).toMatchObject({
      __typename: 'K8sDeployment',
    });
  });

  it('in a subscription show to each viewer what is watched already, and open nothing', async () => {
    const query = `subscription { k8sPods(agentId: "1", namespace: "rel") {
      upserted { metadata { name } owner { kind metadata { name } } } } }`;
    interface Update {
      readonly upserted: PodNode[];
    }
    const early = followField<Update>(whole, 'k8sPods', query);
    await early.until('the pods', (message) => message !== undefined);
    expect(early.messages[0]?.upserted.every(({ owner }) => owner === null)).toBe(true);
    const { data } = await whole.ask('{ k8sConnection(agentId: "1", namespace: "rel") { resources { resource } } }');
    expect(data).toEqual({ k8sConnection: { resources: [{ resource: 'k8sPods' }] } });
    early.stop();

    const open = ['k8sReplicaSets', 'k8sDeployments'].map((field) =>
      followField(whole, field, `subscription { ${field}(agentId: "1", namespace: "rel") { total } }`),
    );
    for (const each of open) await each.until('open', (message) => message !== undefined);
    const [adas, eves] = ['ada', 'eve'].map((user) => followField<Update>(whole, 'k8sPods', query, {}, user));
    for (const [live, owner] of [
      [adas, 'Deployment'],
      [eves, undefined],
    ] as const) {
      await live?.until('the pods', (message) => message !== undefined);
      const pod = live?.messages[0]?.upserted.find(({ metadata }) => metadata.name === 'web-2-0001');
      expect(pod?.owner?.kind).toBe(owner);
    }
    for (const each of [...open, adas, eves]) each?.stop();
  });
});
