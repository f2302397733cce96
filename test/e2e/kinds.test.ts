import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { createFamily, makeFlux, makeWorkload, ownedBy } from '../support/family.ts';
import { followField } from '../support/follow.ts';
import { WholeServer } from '../support/whole-server.ts';

/** Every kind with fields of its own: its list, one object of it, and its subscription, over a whole server. */

const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
const HELM = 'helm.toolkit.fluxcd.io/v2';
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const CONTAINERS = { containers: [{ name: 'app', image: 'registry.example.com/job:1.0.0' }] };

interface Case {
  readonly list: string;
  readonly one: string;
  readonly name: string;
  /** What is asked of an object, and what the answer is. */
  readonly fields: string;
  readonly expected: object;
}

const WORKLOAD = 'containerNames images health { level }';
const IMAGE = { containerNames: ['app'], images: [`registry.example.com/web:1.0.0`] };

const CASES: readonly Case[] = [
  {
    list: 'k8sDeployments',
    one: 'k8sDeployment',
    name: 'web',
    fields: `${WORKLOAD} selector ready { ready total } upToDate available rollout { wanted updated ready available verdict reason blockedBy { podName reason } }`,
    expected: {
      ...IMAGE,
      selector: 'app.kubernetes.io/name=web',
      ready: { ready: 1, total: 2 },
      upToDate: 2,
      available: 1,
      rollout: {
        wanted: 2,
        updated: 2,
        ready: 1,
        available: 1,
        verdict: 'PROGRESSING',
        reason: 'LessAvailable',
        blockedBy: [{ podName: 'web-2-0000', reason: expect.stringContaining('ImagePullBackOff') as string }],
      },
    },
  },
  {
    list: 'k8sStatefulSets',
    one: 'k8sStatefulSet',
    name: 'db',
    fields: 'ready { ready total } rollout { verdict reason }',
    expected: { ready: { ready: 2, total: 2 }, rollout: { verdict: 'COMPLETE', reason: 'Complete' } },
  },
  {
    list: 'k8sReplicaSets',
    one: 'k8sReplicaSet',
    name: 'web-2',
    fields: `${WORKLOAD} desired current ready`,
    expected: { ...IMAGE, desired: 2, current: 2, ready: 1 },
  },
  {
    list: 'k8sDaemonSets',
    one: 'k8sDaemonSet',
    name: 'agent',
    fields: 'desired current ready upToDate available nodeSelector rollout { verdict }',
    expected: { desired: 3, current: 3, ready: 3, upToDate: 3, available: 3, rollout: { verdict: 'COMPLETE' } },
  },
  {
    list: 'k8sJobs',
    one: 'k8sJob',
    name: 'report-1',
    fields: 'displayStatus completions { succeeded wanted parallelism text } startedAt duration',
    expected: {
      displayStatus: 'Complete',
      completions: { succeeded: 1, wanted: 1, parallelism: 1, text: '1/1' },
      startedAt: '2026-11-20T08:00:00Z',
      duration: '12s',
    },
  },
  {
    list: 'k8sCronJobs',
    one: 'k8sCronJob',
    name: 'report',
    fields: 'schedule timeZone suspended active lastScheduleAt images health { level }',
    expected: {
      schedule: '*/5 * * * *',
      timeZone: 'Europe/Berlin',
      suspended: true,
      active: 1,
      images: ['registry.example.com/job:1.0.0'],
      health: { level: 'SUSPENDED' },
    },
  },
  {
    list: 'fluxKustomizations',
    one: 'fluxKustomization',
    name: 'apps',
    fields:
      'syncStatus syncMessage suspended suspendedBy suspendReason path lastAppliedRevision lastHandledReconcileAt conditions { type status reason }',
    expected: {
      syncStatus: 'SUSPENDED',
      suspended: true,
      suspendedBy: 'ada',
      suspendReason: 'freeze',
      path: './apps',
      lastAppliedRevision: 'main@sha1:1',
      lastHandledReconcileAt: 'token-1',
      conditions: [{ type: 'Ready', status: 'True', reason: 'Succeeded' }],
    },
  },
  {
    list: 'fluxHelmReleases',
    one: 'fluxHelmRelease',
    name: 'ledger',
    fields:
      'syncStatus lastAppliedRevision chart { name version } history { revision chart version status } source { kind namespace name syncStatus ready }',
    expected: {
      syncStatus: 'RECONCILED',
      lastAppliedRevision: '1.2.0',
      chart: { name: 'ledger', version: '1.x' },
      history: [
        { revision: 2, chart: 'ledger', version: '1.2.0', status: 'deployed' },
        { revision: 1, chart: 'ledger', version: '1.1.0', status: 'superseded' },
      ],
      source: { kind: 'HelmRepository', namespace: 'kinds', name: 'charts', syncStatus: 'RECONCILED', ready: true },
    },
  },
  ...(
    [
      ['fluxGitRepositories', 'fluxGitRepository', 'repo', 'https://gitlab.example.com/shop.git', 'main@sha1:1'],
      ['fluxOciRepositories', 'fluxOciRepository', 'image', 'oci://registry.example.com/shop', 'sha256:1'],
      ['fluxHelmRepositories', 'fluxHelmRepository', 'charts', 'https://charts.example.com', null],
      ['fluxHelmCharts', 'fluxHelmChart', 'kinds-ledger', null, '1.2.0'],
      ['fluxBuckets', 'fluxBucket', 'files', 'minio.example.com', 'sha256:2'],
    ] as const
  ).map(([list, one, name, url, revision]) => ({
    list,
    one,
    name,
    fields: 'syncStatus suspended url revision',
    expected: { syncStatus: 'RECONCILED', url, revision },
  })),
];

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start({ MAX_FEEDS_PER_VIEWER: '200' });
  createObjects();
});

afterAll(() => whole.stop());

describe.each(CASES)('$list', ({ list, one, name, fields, expected }) => {
  it('lists', async () => {
    const { data, errors } = await whole.ask<Record<string, { nodes: { metadata: { name: string } }[] }>>(
      `{ ${list}(agentId: "1", namespace: "kinds") { totalCount counts { status count } freshAsOf nodes { metadata { name } ${fields} } } }`,
    );
    expect(errors).toBeUndefined();
    const node = data?.[list]?.nodes.find(({ metadata }) => metadata.name === name);
    expect(node).toMatchObject(expected);
  });

  it('finds one by name, and null for none', async () => {
    const query = `query ($name: String!) { ${one}(agentId: "1", namespace: "kinds", name: $name) { __typename ${fields} } }`;
    expect((await whole.ask(query, { name })).data).toMatchObject({ [one]: expected });
    expect(await whole.ask(query, { name: 'nothing' })).toEqual({ data: { [one]: null } });
  });

  it('is live', async () => {
    const live = followField<Update>(
      whole,
      list,
      `subscription { ${list}(agentId: "1", namespace: "kinds") { type total upserted { metadata { name labels } } removed } }`,
    );
    await live.until('the snapshot', (message) => message?.type === 'SNAPSHOT');
    const object = whole.store.get(resourceOf(list), 'kinds', name);
    whole.store.patch(resourceOf(list), 'kinds', name, { metadata: { labels: { touched: one } } });
    await live.until('the change', (message) => message?.type === 'CHANGES');
    expect(object).toBeDefined();
    expect(live.messages.at(-1)?.upserted).toMatchObject([{ metadata: { name, labels: { touched: one } } }]);
    live.stop();
  });
});

interface Update {
  readonly type: string;
  readonly upserted: { readonly metadata: object }[];
}

function resourceOf(field: string): string {
  return field.replace(/^(k8s|flux)/, '').toLowerCase();
}

it('takes the names of all of them in reconnectToCluster', async () => {
  for (const { list } of CASES) {
    const { errors } = await whole.ask(
      `mutation { reconnectToCluster(agentId: "1", namespace: "kinds", resource: "${list}") { status } }`,
    );
    expect(errors).toBeUndefined();
  }
});

function createObjects(): void {
  const { store } = whole;
  const { old } = createFamily(store, 'kinds', 'web', { broken: true });
  // Holds nothing up: its template is not the current one.
  const containers = [{ name: 'app', waiting: 'CrashLoopBackOff' }];
  store.create(makePod({ name: 'web-1-old', namespace: 'kinds', ownerReferences: [ownedBy(old)], containers }));
  store.create(
    makeWorkload('apps/v1', 'StatefulSet', 'kinds', 'db', {
      spec: { replicas: 2, updateStrategy: { type: 'RollingUpdate' } },
      status: {
        observedGeneration: 1,
        replicas: 2,
        readyReplicas: 2,
        updatedReplicas: 2,
        availableReplicas: 2,
        currentRevision: 'db-1',
        updateRevision: 'db-1',
      },
    }),
  );
  store.create(
    makeWorkload('apps/v1', 'DaemonSet', 'kinds', 'agent', {
      status: {
        observedGeneration: 1,
        desiredNumberScheduled: 3,
        currentNumberScheduled: 3,
        numberReady: 3,
        updatedNumberScheduled: 3,
        numberAvailable: 3,
      },
    }),
  );
  const cronJob = store.create({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'report', namespace: 'kinds' },
    spec: {
      schedule: '*/5 * * * *',
      timeZone: 'Europe/Berlin',
      suspend: true,
      jobTemplate: { spec: { template: { spec: CONTAINERS } } },
    },
    status: { active: [{ name: 'report-1' }], lastScheduleTime: '2026-11-20T08:00:00Z' },
  });
  store.create({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'report-1', namespace: 'kinds', ownerReferences: [ownedBy(cronJob)] },
    spec: { completions: 1, parallelism: 1, template: { spec: CONTAINERS } },
    status: {
      startTime: '2026-11-20T08:00:00Z',
      completionTime: '2026-11-20T08:00:12Z',
      succeeded: 1,
      conditions: [{ type: 'Complete', status: 'True' }],
    },
  });
  const sourceRef = { kind: 'HelmRepository', name: 'charts' };
  const suspension = { 'kascade.dev/suspended-by': 'ada', 'kascade.dev/suspend-reason': 'freeze' };
  for (const object of [
    makeFlux(KUSTOMIZE, 'Kustomization', 'kinds', 'apps', {
      spec: { path: './apps', suspend: true, sourceRef: { kind: 'GitRepository', name: 'repo' } },
      status: { lastAppliedRevision: 'main@sha1:1', lastHandledReconcileAt: 'token-1' },
      metadata: { annotations: suspension },
    }),
    makeFlux(HELM, 'HelmRelease', 'kinds', 'ledger', {
      spec: { chart: { spec: { chart: 'ledger', version: '1.x', sourceRef } } },
      status: { history: [snapshot(1, '1.1.0', 'superseded'), snapshot(2, '1.2.0', 'deployed')] },
    }),
    makeFlux(SOURCE, 'GitRepository', 'kinds', 'repo', {
      spec: { url: 'https://gitlab.example.com/shop.git' },
      ...artifact('main@sha1:1'),
    }),
    makeFlux(SOURCE, 'OCIRepository', 'kinds', 'image', {
      spec: { url: 'oci://registry.example.com/shop' },
      ...artifact('sha256:1'),
    }),
    makeFlux(SOURCE, 'HelmRepository', 'kinds', 'charts', { spec: { url: 'https://charts.example.com' } }),
    makeFlux(SOURCE, 'HelmChart', 'kinds', 'kinds-ledger', {
      spec: { chart: 'ledger', sourceRef },
      ...artifact('1.2.0'),
    }),
    makeFlux(SOURCE, 'Bucket', 'kinds', 'files', { spec: { endpoint: 'minio.example.com' }, ...artifact('sha256:2') }),
  ]) {
    store.create(object);
  }
}

function snapshot(version: number, chartVersion: string, status: string) {
  return { version, chartName: 'ledger', chartVersion, status };
}

function artifact(revision: string) {
  return { status: { artifact: { revision } } };
}
