import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiResource } from '../../demo/apiserver/resources.ts';
import { grant, makeDeployment, makeService } from '../../demo/apiserver/objects.ts';
import { pause } from '../support/eventually.ts';
import type { RecordedRequest } from '../../demo/kas/index.ts';
import { FAILED, makeFlux } from '../support/family.ts';
import { followField, sentSince } from '../support/follow.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

/** What Flux's objects say beyond a list: inventory, dependencies, one object live, versions, GitLab's paths. */

const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start({ MAX_FEEDS_PER_VIEWER: '200', ACCESS_DENY_SECONDS: '0' });
});

afterAll(() => whole.stop());

function kustomization(namespace: string, name: string, parts: Parameters<typeof makeFlux>[4] = {}) {
  return makeFlux(KUSTOMIZE, 'Kustomization', namespace, name, parts);
}

interface Entry {
  readonly name: string;
  readonly object: { readonly kind: string; readonly metadata: { readonly namespace: string | null } } | null;
  readonly health: { readonly level: string; readonly reason: string | null } | null;
  readonly problem: string | null;
}

describe('an inventory', () => {
  const INVENTORY = `fluxKustomization(agentId: "1", namespace: "flux", name: "apps") {
    inventory { name object { __typename kind metadata { namespace } } health { level reason } problem }
    inventoryHealth { level total healthy unseen cause { name health { reason } } }
  }`;

  beforeAll(() => {
    const { store, kas } = whole;
    kas.agent(1).api.resources.register(apiResource('example.com', 'v1beta3', 'widgets', 'Widget'));
    store.create(makeDeployment({ name: 'web', namespace: 'shop' }));
    store.create(makeService({ name: 'web', namespace: 'shop' }));
    store.create({
      apiVersion: 'example.com/v1beta3',
      kind: 'Widget',
      metadata: { name: 'one', namespace: 'lab' },
      spec: {},
    });
    store.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:shop' },
      rules: [],
    });
    const ids = [
      'shop_web_apps_Deployment',
      'shop_web__Service',
      'lab_one_example.com_Widget',
      '_system__shop_rbac.authorization.k8s.io_ClusterRole',
      'shop_gone_apps_Deployment',
      'shop_password__Secret',
      'shop_settings__ConfigMap',
      'shop_thing_unknown.example.com_Thing',
      'nonsense',
    ];
    store.create(
      kustomization('flux', 'apps', { status: { inventory: { entries: ids.map((id) => ({ id, v: 'v1' })) } } }),
    );
    whole.allow('eve', 'flux');
    grant(store, 'eve', 'shop', ['list', 'watch'], ['services']);
  });

  it('leads to live objects of any kind and namespace, and says what is wrong with the rest', async () => {
    const { data } = await whole.ask<{ fluxKustomization: { inventory: Entry[]; inventoryHealth: object } }>(
      `{ ${INVENTORY} }`,
    );
    const found = Object.fromEntries(data?.fluxKustomization.inventory.map((entry) => [entry.name, entry]) ?? []);
    const byIndex = data?.fluxKustomization.inventory ?? [];
    expect(byIndex[0]).toMatchObject({
      object: { __typename: 'K8sDeployment' },
      health: { level: 'HEALTHY' },
      problem: null,
    });
    expect(byIndex[1]).toMatchObject({ object: { __typename: 'K8sService' } });
    expect(found['one']).toMatchObject({
      object: { __typename: 'K8sGenericObject', kind: 'Widget', metadata: { namespace: 'lab' } },
    });
    expect(found['system:shop']).toMatchObject({ object: { kind: 'ClusterRole', metadata: { namespace: null } } });
    expect(found['gone']).toMatchObject({
      object: null,
      health: { level: 'DEGRADED', reason: 'Missing' },
      problem: 'does not exist',
    });
    expect(found['password']).toMatchObject({ object: null, health: null, problem: 'Kascade never shows Secrets' });
    expect(found['settings']).toMatchObject({ object: null, problem: 'Kascade never shows ConfigMaps' });
    expect(found['thing']?.problem).toContain('serves no Thing');
    expect(found['nonsense']?.problem).toContain('<namespace>_<name>');
    expect(data?.fluxKustomization.inventoryHealth).toEqual({
      level: 'DEGRADED',
      total: 9,
      healthy: 4,
      unseen: 4,
      cause: { name: 'gone', health: { reason: 'Missing' } },
    });
    expect(whole.kas.counts({ resource: 'secrets' })).toBe(0);
    expect(whole.kas.counts({ resource: 'configmaps' })).toBe(0);
  });

  it('shows each viewer what they may list and watch', async () => {
    const { data, errors } = await whole.ask<{ fluxKustomization: { inventory: Entry[]; inventoryHealth: object } }>(
      `{ ${INVENTORY} }`,
      {},
      { authorization: `Bearer ${tokenOf('eve')}` },
    );
    expect(errors).toBeUndefined();
    const [deployment, service, widget] = data?.fluxKustomization.inventory ?? [];
    expect(deployment).toMatchObject({
      object: null,
      health: null,
      problem: expect.stringContaining('may not list and watch deployments.apps') as string,
    });
    expect(service).toMatchObject({ object: { kind: 'Service' }, problem: null });
    expect(widget).toMatchObject({ object: null });
    expect(data?.fluxKustomization.inventoryHealth).toMatchObject({
      level: 'HEALTHY',
      healthy: 1,
      unseen: 8,
      cause: null,
    });
  });

  it('of all namespaces is read from one collection a kind', async () => {
    const before = whole.kas.requests.length;
    const { data } = await whole.ask<{ fluxKustomizations: { nodes: { inventory: Entry[] }[] } }>(
      '{ fluxKustomizations(agentId: "1") { nodes { inventory { name object { kind metadata { namespace } } problem } } } }',
    );
    const [first] = data?.fluxKustomizations.nodes.find(({ inventory }) => inventory.length > 0)?.inventory ?? [];
    expect(first).toMatchObject({ object: { kind: 'Deployment', metadata: { namespace: 'shop' } }, problem: null });
    const later: readonly RecordedRequest[] = whole.kas.requests.slice(before);
    const lists = later.filter(({ verb, resource }) => verb === 'list' && resource !== 'clusterroles');
    expect(lists.map(({ resource, namespace }) => `${resource} ${namespace}`).toSorted()).toEqual([
      'deployments ',
      'kustomizations ',
      'services ',
      'widgets ',
    ]);
  });

  it('in a subscription shows what is watched already, and opens nothing', async () => {
    const services = followField(
      whole,
      'k8sServices',
      'subscription { k8sServices(agentId: "1", namespace: "shop") { total } }',
    );
    await services.until('services', (message) => message !== undefined);
    await pause(1_500); // what queries opened is closed by now
    const before = whole.kas.counts({ verb: 'list', resource: 'deployments' });
    const live = followField<{ object: { inventory: Entry[]; inventoryHealth: null } }>(
      whole,
      'fluxKustomization',
      `subscription { fluxKustomization(agentId: "1", namespace: "flux", name: "apps") { object {
        inventory { name object { kind metadata { namespace } } health { level reason } problem } inventoryHealth { level }
      } } }`,
    );
    await live.until('the object', (message) => message !== undefined);
    const [deployment, service] = live.messages[0]?.object.inventory ?? [];
    expect(deployment).toMatchObject({ object: null, problem: 'not watched' });
    expect(service).toMatchObject({ object: { kind: 'Service' }, problem: null });
    expect(live.messages[0]?.object.inventoryHealth).toBeNull();
    expect(whole.kas.counts({ verb: 'list', resource: 'deployments' })).toBe(before);
    live.stop();
    services.stop();
  });
});

describe('dependencies', () => {
  const QUERY = `query ($name: String!) { fluxKustomization(agentId: "1", namespace: "deps", name: $name) {
    syncStatus dependsOn { kind namespace name syncStatus ready problem } blockedBy { namespace name ready problem }
    source { kind namespace name ready problem object { ... on FluxSource { revision } } }
  } }`;

  beforeAll(() => {
    const { store } = whole;
    store.create(kustomization('deps', 'base'));
    store.create(kustomization('infra', 'broken', { status: { conditions: FAILED } }));
    const dependsOn = [{ name: 'base' }, { name: 'broken', namespace: 'infra' }, { name: 'gone' }];
    const sourceRef = { kind: 'GitRepository', name: 'repo', namespace: 'infra' };
    store.create(kustomization('deps', 'app', { spec: { dependsOn, sourceRef } }));
    store.create(
      makeFlux('source.toolkit.fluxcd.io/v1', 'GitRepository', 'infra', 'repo', {
        status: { artifact: { revision: 'main@sha1:7' } },
      }),
    );
    whole.allow('mia', 'deps');
  });

  it('are shown with their state, and the one that blocks is named', async () => {
    const { data } = await whole.ask<{ fluxKustomization: object }>(QUERY, { name: 'app' });
    expect(data?.fluxKustomization).toEqual({
      syncStatus: 'RECONCILED',
      dependsOn: [
        {
          kind: 'Kustomization',
          namespace: 'deps',
          name: 'base',
          syncStatus: 'RECONCILED',
          ready: true,
          problem: null,
        },
        {
          kind: 'Kustomization',
          namespace: 'infra',
          name: 'broken',
          syncStatus: 'FAILED',
          ready: false,
          problem: null,
        },
        {
          kind: 'Kustomization',
          namespace: 'deps',
          name: 'gone',
          syncStatus: null,
          ready: false,
          problem: 'does not exist',
        },
      ],
      blockedBy: { namespace: 'infra', name: 'broken', ready: false, problem: null },
      source: {
        kind: 'GitRepository',
        namespace: 'infra',
        name: 'repo',
        ready: true,
        problem: null,
        object: { revision: 'main@sha1:7' },
      },
    });
  });

  it('are not told to those who may not see them', async () => {
    const { data, errors } = await whole.ask<{
      fluxKustomization: { dependsOn: { ready: boolean | null }[]; blockedBy: object };
    }>(QUERY, { name: 'app' }, { authorization: `Bearer ${tokenOf('mia')}` });
    expect(errors).toBeUndefined();
    expect(data?.fluxKustomization.dependsOn.map(({ ready }) => ready)).toEqual([true, null, false]);
    expect(data?.fluxKustomization.blockedBy).toMatchObject({ name: 'gone' });
  });
});

function byPath(version: string): string {
  return `subscription { fluxResource(agentId: "1", fluxResourcePath: "kustomize.toolkit.fluxcd.io/${version}/namespaces/solo/kustomizations/app") {
      object { id ... on FluxObject { syncStatus } } freshAsOf } }`;
}

describe('one object, live', () => {
  interface Message {
    readonly object: { readonly id: string; readonly syncStatus: string } | null;
    readonly freshAsOf: string;
  }
  const SINGLE =
    'subscription { fluxKustomization(agentId: "1", namespace: "solo", name: "app") { object { id syncStatus } freshAsOf } }';

  it.each([
    ['fluxKustomization', SINGLE],
    ['fluxResource', byPath('v1')],
    ['fluxResource', byPath('v1beta1')],
  ])('%s survives deletion and recreation, from one watch', async (field, query) => {
    const { store, kas } = whole;
    const live = followField<Message>(whole, field, query);
    await live.until('nothing', (message) => message?.object === null);
    const first = store.create(kustomization('solo', 'app'));
    await live.until('the object', (message) => message?.object?.id === first.metadata.uid);
    const before = live.messages.length;
    store.create(kustomization('solo', 'another'));
    store.delete('kustomizations', 'solo', 'another');
    store.patch('kustomizations', 'solo', 'app', { spec: { suspend: true } });
    await live.until('the change', (message) => message?.object?.syncStatus === 'SUSPENDED');
    expect(live.messages).toHaveLength(before + 1);
    store.delete('kustomizations', 'solo', 'app');
    await live.until('its deletion', (message) => message?.object === null);
    const second = store.create(kustomization('solo', 'app'));
    await live.until('its successor', (message) => message?.object?.id === second.metadata.uid);
    expect(live.errors).toEqual([]);
    expect(kas.inFlight({ verb: 'watch', resource: 'kustomizations', namespace: 'solo' }).length).toBeLessThanOrEqual(
      1,
    );
    expect(kas.counts({ verb: 'list', resource: 'kustomizations', namespace: 'solo' })).toBe(1);
    live.stop();
    store.delete('kustomizations', 'solo', 'app');
  });
});

describe('versions', () => {
  it('finds the one that is served, whatever the path says', async () => {
    const agent = whole.kas.addAgent(3);
    const { resources, store } = agent.api;
    resources.register(apiResource('kustomize.toolkit.fluxcd.io', 'v1beta2', 'kustomizations', 'Kustomization'));
    grant(store, 'ada', '', ['*'], ['*']);
    store.create(makeFlux('kustomize.toolkit.fluxcd.io/v1beta2', 'Kustomization', 'old', 'app'));
    const { data, errors } = await whole.ask(`{
      fluxKustomizations(agentId: "3", namespace: "old") { nodes { apiVersion metadata { name } } }
      fluxKustomization(agentId: "3", namespace: "old", name: "app") { apiVersion }
      fluxResource(agentId: "3", fluxResourcePath: "kustomize.toolkit.fluxcd.io/v1/namespaces/old/kustomizations/app") {
        __typename apiVersion
      }
    }`);
    expect(errors).toBeUndefined();
    const apiVersion = 'kustomize.toolkit.fluxcd.io/v1beta2';
    expect(data).toMatchObject({
      fluxKustomizations: { nodes: [{ apiVersion, metadata: { name: 'app' } }] },
      fluxKustomization: { apiVersion },
      fluxResource: { __typename: 'FluxKustomization', apiVersion },
    });
    const discoveries = whole.kas.requests.filter(
      ({ url, agent: id }) => id === 3 && /\/apis(\/[^/]+\/[^/]+)?$/.test(url),
    );
    expect(discoveries.map(({ url }) => url.replace(/^.*\/apis/, '/apis'))).toEqual([
      '/apis',
      '/apis/kustomize.toolkit.fluxcd.io/v1beta2',
    ]);
    expect(whole.kas.counts({ agent: 3, verb: 'list', resource: 'kustomizations' })).toBe(1);
  });

  it('says that Flux is not installed', async () => {
    const agent = whole.kas.addAgent(4);
    agent.api.resources.remove('kustomizations.kustomize.toolkit.fluxcd.io');
    grant(agent.api.store, 'ada', '', ['*'], ['*']);
    const { errors } = await whole.ask('{ fluxKustomizations(agentId: "4", namespace: "x") { totalCount } }');
    expect(errors).toMatchObject([
      { message: 'Flux is not installed (no kustomize.toolkit.fluxcd.io).', extensions: { code: 'NOT_FOUND' } },
    ]);
    const live = followField(
      whole,
      'x',
      'subscription { fluxHelmRelease(agentId: "1", namespace: "x", name: "y") { freshAsOf } }',
      {},
      'nobody',
    );
    await live.until('the refusal', () => live.errors.length === 1);
  });
});

it('tells those whom GitLab does not let through nothing of what others have found out', async () => {
  const stranger = { authorization: 'Bearer glpat-nobody' };
  const flux = await whole.ask('{ fluxKustomizations(agentId: "4", namespace: "x") { totalCount } }', {}, stranger);
  expect(flux.errors).toMatchObject([{ extensions: { code: 'GITLAB_UNAUTHORIZED' } }]);
  const gizmos = '{ k8sResources(agentId: "1", apiVersion: "example.com/v1beta3", resource: "gizmos") { totalCount } }';
  expect((await whole.ask(gizmos)).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  expect((await whole.ask(gizmos, {}, stranger)).errors).toMatchObject([
    { extensions: { code: 'GITLAB_UNAUTHORIZED' } },
  ]);
});

describe('a path of GitLab', () => {
  const PATH = 'kustomize.toolkit.fluxcd.io/v1/namespaces/solo/kustomizations/app';
  it.each([
    '',
    '..',
    `/${PATH}`,
    `${PATH}/`,
    `${PATH}/status`,
    `${PATH}?watch=true`,
    `${PATH}#x`,
    PATH.replace('app', '..'),
    PATH.replace('app', '%2e%2e'),
    PATH.replace('solo', '../../secrets'),
    PATH.replace('kustomizations', 'secrets'),
    PATH.replace('kustomize.toolkit.fluxcd.io', 'apps'),
    PATH.replace('v1', 'v1/../v1'),
    'v1/namespaces/solo/secrets/app',
    PATH.replace('app', 'a\u0000b'),
    'x'.repeat(1_000),
  ])('%.100j is refused, and nothing is sent', async (fluxResourcePath) => {
    const before = whole.kas.requests.length;
    const { errors } = await whole.ask(
      'query ($fluxResourcePath: String!) { fluxResource(agentId: "1", fluxResourcePath: $fluxResourcePath) { id } }',
      { fluxResourcePath },
    );
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(sentSince(whole.kas, before)).toEqual([]);
  });
});
