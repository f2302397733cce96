import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { valueAt } from '../../demo/apiserver/json.ts';
import { conflict } from '../../demo/apiserver/status.ts';
import { grant, makeDeployment } from '../../demo/apiserver/objects.ts';
import type { ApiObject } from '../../demo/apiserver/object.ts';
import { decodeActionId } from '../../src/schema/flux-action-id.ts';
import { eventually } from '../support/eventually.ts';
import { follow } from '../support/live.ts';
import { WholeServer } from '../support/whole-server.ts';

/** Actions over a whole server: what they change, what they refuse, and what is seen of them afterwards. */

const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';
const NS = 'acts';

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start();
  whole.kas.user('joe', { token: 'glpat-joe' });
});

afterAll(() => whole.stop());

const api = () => whole.kas.agent(1).api;
const patches = (name: string) => whole.kas.counts({ verb: 'patch', name });

function deployment(name: string): ApiObject {
  return whole.store.create(makeDeployment({ name, namespace: NS, replicas: 2 }));
}

function target(kind: string, name: string, uid?: string) {
  return { kind, namespace: NS, name, ...(uid === undefined ? {} : { uid }) };
}

describe('restartK8sWorkload', () => {
  const RESTART = `mutation ($target: K8sObjectRef!) {
    restartK8sWorkload(agentId: "1", target: $target) { id kind name namespace requestedAt replicas object { metadata { name } } }
  }`;

  it("changes the pod template's annotation, as kubectl does", async () => {
    const { metadata } = deployment('restarted');
    const { data, errors } = await whole.ask(RESTART, { target: target('Deployment', 'restarted', metadata.uid) });
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({
      restartK8sWorkload: {
        id: metadata.uid,
        kind: 'Deployment',
        name: 'restarted',
        replicas: null,
        object: { metadata: { name: 'restarted' } },
      },
    });
    const template = whole.store.get('deployments', NS, 'restarted')?.spec?.['template'];
    const at = valueAt(template, 'metadata', 'annotations', 'kubectl.kubernetes.io/restartedAt');
    expect(Date.parse(typeof at === 'string' ? at : '')).toBeGreaterThan(0);
  });

  it('refuses other kinds, another object of the name, and what is paused', async () => {
    deployment('namesake');
    deployment('paused');
    whole.store.patch('deployments', NS, 'paused', { spec: { paused: true } });
    const codes = [];
    for (const each of [
      target('Service', 'namesake'),
      target('ReplicaSet', 'namesake'),
      { ...target('Deployment', 'namesake'), apiVersion: 'example.com/v1' },
      target('Deployment', 'namesake', 'another-uid'),
      target('Deployment', 'paused'),
      target('Deployment', 'nowhere'),
    ]) {
      codes.push((await whole.ask(RESTART, { target: each })).errors?.[0]?.extensions['code']);
    }
    expect(codes).toEqual(['BAD_USER_INPUT', 'BAD_USER_INPUT', 'BAD_USER_INPUT', 'CONFLICT', 'REFUSED', 'NOT_FOUND']);
  });

  it('is never tried twice', async () => {
    deployment('once');
    api().faults.add({ match: { verb: 'patch', name: 'once' }, effect: { reset: true } });
    const { errors } = await whole.ask(RESTART, { target: target('Deployment', 'once') });
    expect(errors).toMatchObject([{ extensions: { code: 'AGENT_UNREACHABLE' } }]);
    expect(patches('once')).toBe(1);
  });

  it("names the right that is missing, with the caller's own credentials", async () => {
    deployment('guarded');
    const headers = { authorization: 'Bearer glpat-joe' };
    const { errors } = await whole.ask(RESTART, { target: target('Deployment', 'guarded') }, headers);
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect(errors?.[0]?.message).toContain('get deployments.apps "guarded"');
  });
});

describe('scaleK8sWorkload', () => {
  const SCALE = `mutation ($target: K8sObjectRef!, $replicas: Int!) {
    scaleK8sWorkload(agentId: "1", target: $target, replicas: $replicas) { id replicas object { spec } }
  }`;
  const scale = (ref: unknown, replicas: number) => whole.ask(SCALE, { target: ref, replicas });

  it('sets the number, to none too', async () => {
    const { metadata } = deployment('scaled');
    const { data } = await scale(target('Deployment', 'scaled', metadata.uid), 7);
    expect(data).toMatchObject({ scaleK8sWorkload: { id: metadata.uid, replicas: 7 } });
    expect(whole.store.get('deployments', NS, 'scaled')?.spec).toMatchObject({ replicas: 7 });
    await scale(target('Deployment', 'scaled'), 0);
    expect(whole.store.get('deployments', NS, 'scaled')?.spec).toMatchObject({ replicas: 0 });
  });

  it('refuses what cannot be, and what is not the one meant', async () => {
    const codes = [];
    for (const [ref, replicas] of [
      [target('Deployment', 'scaled'), -1],
      [target('Deployment', 'scaled'), 10_001],
      [target('DaemonSet', 'scaled'), 1],
      [target('Deployment', 'scaled', 'another'), 1],
      [{ ...target('Deployment', 'scaled'), name: '../x' }, 1],
    ] as const) {
      codes.push((await scale(ref, replicas)).errors?.[0]?.extensions['code']);
    }
    expect(codes).toEqual(['BAD_USER_INPUT', 'BAD_USER_INPUT', 'BAD_USER_INPUT', 'CONFLICT', 'BAD_USER_INPUT']);
    expect(whole.store.get('deployments', NS, 'scaled')?.spec).toMatchObject({ replicas: 0 });
  });

  it('shows the object as it is since then, also when the shared watch is behind', async () => {
    const namespace = 'lagging';
    whole.store.create(makeDeployment({ name: 'web', namespace, replicas: 2 }));
    const match = { verb: 'watch', resource: 'deployments', namespace };
    api().faults.add({ match, effect: { silent: true, initialEvents: 'refuse' } });
    const READ = '{ k8sDeployments(agentId: "1", namespace: "lagging") { nodes { spec } } }';
    const watching = follow<{ upserted: unknown[] }>(
      whole,
      'subscription { k8sDeployments(agentId: "1", namespace: "lagging") { upserted { spec } } }',
    );
    await eventually('the shared watch', () => watching.messages.length === 1, 5_000);
    const { data } = await scale({ kind: 'Deployment', namespace, name: 'web' }, 5);
    expect((await whole.ask(READ)).data).toMatchObject({ k8sDeployments: { nodes: [{ spec: { replicas: 2 } }] } });
    expect(data).toMatchObject({ scaleK8sWorkload: { replicas: 5, object: { spec: { replicas: 5 } } } });
    watching.stop();
  });

  it('is done also for those who may not get the object', async () => {
    whole.store.create(makeDeployment({ name: 'web', namespace: 'scaled-only', replicas: 2 }));
    grant(whole.store, 'joe', 'scaled-only', ['get', 'patch'], ['deployments/scale']);
    const variables = { target: { kind: 'Deployment', namespace: 'scaled-only', name: 'web' }, replicas: 4 };
    const { data } = await whole.ask(SCALE, variables, { authorization: 'Bearer glpat-joe' });
    expect(data).toMatchObject({ scaleK8sWorkload: { replicas: 4, object: null } });
  });

  it('does not overwrite a change of the same moment', async () => {
    const { metadata } = deployment('contended');
    api().faults.add({
      match: { verb: 'patch', name: 'contended' },
      effect: { respond: { status: 409, body: conflict({ group: 'apps', plural: 'deployments' }, 'contended') } },
    });
    const { errors } = await scale(target('Deployment', 'contended', metadata.uid), 3);
    expect(errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
    expect(patches('contended')).toBe(1);
  });
});

const ready = (status: string, reason = 'ReconciliationSucceeded', message = 'Applied revision: main@sha1:1') => ({
  conditions: [
    { type: 'Ready', status, reason, message, observedGeneration: 1, lastTransitionTime: '2026-03-01T00:00:00Z' },
  ],
});

function kustomization(name: string, metadata: Record<string, string> = {}): ApiObject {
  return whole.store.create({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: NS, ...metadata },
    spec: { interval: '1m', path: './', sourceRef: { kind: 'GitRepository', name: `${name}-source` } },
    status: { observedGeneration: 1, ...ready('True') },
  });
}

const at = (name: string) => ({ kind: 'KUSTOMIZATION', namespace: NS, name });
const annotationsOf = (name: string) => whole.store.get('kustomizations', NS, name)?.metadata.annotations ?? {};
const setStatus = (name: string, status: Record<string, unknown>) =>
  whole.store.patch('kustomizations', NS, name, { status: status as ApiObject });

describe('Flux', () => {
  const PAYLOAD = '{ actionId state requestedAt message object { metadata { name annotations } } }';
  const RECONCILE = `mutation ($target: FluxObjectRef!, $withSource: Boolean) {
    reconcileFluxResource(agentId: "1", target: $target, withSource: $withSource) ${PAYLOAD}
  }`;
  const SUSPEND = `mutation ($target: FluxObjectRef!, $reason: String) {
    suspendFluxResource(agentId: "1", target: $target, reason: $reason) ${PAYLOAD}
  }`;
  const RESUME = `mutation ($target: FluxObjectRef!) { resumeFluxResource(agentId: "1", target: $target) ${PAYLOAD} }`;
  const ACTION = `subscription ($id: ID!) { fluxAction(agentId: "1", actionId: $id) { actionId state requestedAt message object { metadata { name } } } }`;

  interface Payload {
    readonly actionId: string;
    readonly state: string;
    readonly requestedAt: string;
    readonly message: string | null;
  }

  async function reconcile(name: string, variables: Record<string, unknown> = {}): Promise<Payload> {
    const { data, errors } = await whole.ask<{ reconcileFluxResource: Payload }>(RECONCILE, {
      target: at(name),
      ...variables,
    });
    if (!data) throw new Error(JSON.stringify(errors));
    return data.reconcileFluxResource;
  }

  it('reconciles an object without any annotation, and reports handled, not merely asked', async () => {
    kustomization('bare');
    expect(whole.store.get('kustomizations', NS, 'bare')?.metadata.annotations).toBeUndefined();
    const payload = await reconcile('bare');
    expect(payload.state).toBe('REQUESTED');
    expect(annotationsOf('bare')).toEqual({ [REQUESTED_AT]: payload.requestedAt });

    const seen = follow<Payload>(whole, ACTION, { variables: { id: payload.actionId } });
    await eventually(
      'REQUESTED',
      () => seen.messages.length === 1,
      5_000,
      () => seen.errors,
    );
    const lists = whole.kas.counts({ resource: 'kustomizations', verb: 'list' });
    setStatus('bare', { conditions: [{ type: 'Reconciling', status: 'True', reason: 'Progressing' }] });
    setStatus('bare', {
      lastHandledReconcileAt: payload.requestedAt,
      conditions: [
        { type: 'Reconciling', status: 'True', reason: 'Progressing', message: 'building' },
        { type: 'Ready', status: 'Unknown', reason: 'Progressing', message: 'building' },
      ],
    });
    await eventually('HANDLED', () => seen.messages.length === 2, 5_000);
    setStatus('bare', ready('True'));
    await eventually('the end', () => seen.completed, 5_000);
    expect(seen.messages.map(({ state }) => state)).toEqual(['REQUESTED', 'HANDLED', 'SUCCEEDED']);
    expect(seen.messages.at(-1)).toMatchObject({
      requestedAt: payload.requestedAt,
      message: 'Applied revision: main@sha1:1',
    });
    expect(whole.kas.counts({ resource: 'kustomizations', verb: 'list' })).toBe(lists);
  });

  it('sends the same again when it meets a conflict', async () => {
    kustomization('contended-ks');
    const fault = api().faults.add({
      match: { verb: 'patch', name: 'contended-ks' },
      times: 2,
      effect: {
        respond: {
          status: 409,
          body: conflict({ group: 'kustomize.toolkit.fluxcd.io', plural: 'kustomizations' }, 'contended-ks'),
        },
      },
    });
    const payload = await reconcile('contended-ks');
    expect(fault.hits).toBe(2);
    expect(patches('contended-ks')).toBe(3);
    expect(annotationsOf('contended-ks')).toEqual({ [REQUESTED_AT]: payload.requestedAt });
  });

  it('fails with what the controller says', async () => {
    kustomization('broken');
    const { actionId, requestedAt } = await reconcile('broken');
    const seen = follow<Payload>(whole, ACTION, { variables: { id: actionId } });
    await eventually('REQUESTED', () => seen.messages.length === 1, 5_000);
    setStatus('broken', { lastHandledReconcileAt: requestedAt, ...ready('False', 'BuildFailed', 'no such path') });
    await eventually('the end', () => seen.completed, 5_000);
    expect(seen.messages.map(({ state, message }) => [state, message])).toEqual([
      ['REQUESTED', null],
      ['FAILED', 'no such path'],
    ]);
  });

  it('is over when the object is deleted, also for those who come later', async () => {
    kustomization('doomed-ks');
    const { actionId } = await reconcile('doomed-ks');
    whole.store.delete('kustomizations', NS, 'doomed-ks');
    kustomization('doomed-ks'); // another one
    const seen = follow<Payload>(whole, ACTION, { variables: { id: actionId } });
    await eventually(
      'the end',
      () => seen.completed,
      5_000,
      () => seen.messages,
    );
    expect(seen.messages).toMatchObject([{ state: 'FAILED', object: null }]);
  });

  it('reconciles the source first, when asked to', async () => {
    kustomization('sourced');
    whole.store.create({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'sourced-source', namespace: NS },
      spec: { url: 'https://example.com' },
    });
    const { requestedAt } = await reconcile('sourced', { withSource: true });
    const [first, second] = whole.kas.requests
      .filter(({ method, url }) => method === 'PATCH' && url.includes('/sourced'))
      .slice(-2);
    expect([first?.url, second?.url].map((url) => url?.includes('gitrepositories'))).toEqual([true, false]);
    expect(whole.store.get('gitrepositories', NS, 'sourced-source')?.metadata.annotations).toEqual({
      [REQUESTED_AT]: requestedAt,
    });
    await whole.ask(SUSPEND, { target: { kind: 'GIT_REPOSITORY', namespace: NS, name: 'sourced-source' } });
    const refused = await whole.ask(RECONCILE, { target: at('sourced'), withSource: true });
    expect(refused.errors).toMatchObject([{ extensions: { code: 'REFUSED' } }]);
    expect(annotationsOf('sourced')).toEqual({ [REQUESTED_AT]: requestedAt });
  });

  it('suspends with who and why, refuses to reconcile then, and resumes', async () => {
    kustomization('paused-ks');
    const suspended = await whole.ask<{ suspendFluxResource: Payload }>(SUSPEND, {
      target: at('paused-ks'),
      reason: 'release freeze',
    });
    expect(suspended.data).toMatchObject({ suspendFluxResource: { state: 'SUCCEEDED' } });
    const generation = whole.store.get('kustomizations', NS, 'paused-ks')?.metadata.generation;
    expect(decodeActionId(suspended.data?.suspendFluxResource.actionId ?? '')).toMatchObject({ generation });
    expect(whole.store.get('kustomizations', NS, 'paused-ks')?.spec).toMatchObject({ suspend: true });
    expect(annotationsOf('paused-ks')).toEqual({
      'kascade.dev/suspended-by': expect.stringContaining('ada') as string,
      'kascade.dev/suspend-reason': 'release freeze',
    });
    const before = patches('paused-ks');
    for (const mutation of [RECONCILE, SUSPEND]) {
      const { errors } = await whole.ask(mutation, { target: at('paused-ks') });
      expect(errors).toMatchObject([{ extensions: { code: 'REFUSED', retryable: false } }]);
      expect(errors?.[0]?.message).toMatch(/is suspended.* by .*ada.*: release freeze/);
    }
    expect(patches('paused-ks')).toBe(before);
    whole.store.patch('kustomizations', NS, 'paused-ks', {
      metadata: {
        annotations: { 'metadata.weave.works/suspended-by': 'x', 'metadata.weave.works/suspended-comment': 'y' },
      },
    });
    const resumed = await whole.ask<{ resumeFluxResource: Payload }>(RESUME, { target: at('paused-ks') });
    const token = resumed.data?.resumeFluxResource.requestedAt;
    expect(resumed.data).toMatchObject({ resumeFluxResource: { state: 'REQUESTED' } });
    expect(annotationsOf('paused-ks')).toEqual({ [REQUESTED_AT]: token });
    expect(whole.store.get('kustomizations', NS, 'paused-ks')?.spec).toMatchObject({ suspend: false });
    const again = await whole.ask(RESUME, { target: at('paused-ks') });
    expect(again.errors).toMatchObject([{ extensions: { code: 'REFUSED' } }]);
  });

  it('says since when, where the cluster knows', async () => {
    kustomization('since');
    whole.store.patch('kustomizations', NS, 'since', { spec: { suspend: true } });
    const { metadata } = whole.store.get('kustomizations', NS, 'since') as ApiObject;
    const entry = {
      manager: 'flux',
      operation: 'Update',
      time: '2026-02-03T04:05:06Z',
      fieldsV1: { 'f:spec': { 'f:suspend': {} } },
    };
    api().faults.add({
      match: { verb: 'get', name: 'since' },
      effect: {
        respond: {
          status: 200,
          body: { kind: 'Kustomization', metadata: { ...metadata, managedFields: [entry] }, spec: { suspend: true } },
        },
      },
    });
    const { errors } = await whole.ask(RECONCILE, { target: at('since') });
    expect(errors?.[0]?.message).toContain('is suspended since 2026-02-03T04:05:06Z');
  });

  it('checks the id, the name and the action', async () => {
    kustomization('checked');
    const codes = [
      await whole.ask(RECONCILE, { target: { ...at('checked'), uid: 'another' } }),
      await whole.ask(RECONCILE, { target: { ...at('..') } }),
      await whole.ask(RECONCILE, { target: at('missing') }),
      await whole.ask(SUSPEND, { target: at('checked'), reason: 'x'.repeat(1_001) }),
    ].map(({ errors }) => errors?.[0]?.extensions['code']);
    expect(codes).toEqual(['CONFLICT', 'BAD_USER_INPUT', 'NOT_FOUND', 'BAD_USER_INPUT']);
    for (const id of [
      '',
      'x',
      Buffer.from('["reconcile","KUSTOMIZATION","..","n","u","t"]').toString('base64url'),
      'A'.repeat(2_000),
    ]) {
      const seen = follow<Payload>(whole, ACTION, { variables: { id } });
      await eventually('the refusal', () => seen.errors.length === 1, 5_000);
      expect(seen.errors[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
    }
  });
});
