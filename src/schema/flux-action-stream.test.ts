import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Update } from '../pubsub/updates.ts';
import { encodeActionId, type FluxActionId } from './flux-action-id.ts';
import { FakeGate } from './testing/fake-gate.ts';
import { collect } from './testing/run.ts';

const TOKEN = '2026-03-01T12:00:00.000Z';
const FOLLOW = 'subscription ($id: ID!) { fluxAction(agentId: "1", actionId: $id) { state message } }';

const ID: FluxActionId = {
  verb: 'suspend',
  kind: 'KUSTOMIZATION',
  namespace: 'apps',
  name: 'shop',
  uid: 'u',
  token: TOKEN,
  generation: 4,
};

function kustomization(generation: number, suspend: boolean, status = {}): KubernetesObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: {
      name: 'shop',
      namespace: 'apps',
      uid: 'u',
      resourceVersion: String(generation),
      generation,
      creationTimestamp: TOKEN,
    },
    spec: { suspend },
    status,
  };
}

function update(type: Update['type'], object: KubernetesObject): Update {
  return { type, upserted: [object], removed: [], cursor: '', resyncReason: undefined, total: 1, freshAsOf: 0 };
}

async function states(id: string, ...objects: KubernetesObject[]): Promise<unknown[]> {
  const gate = new FakeGate();
  gate.updates = objects.map((object, index) => update(index === 0 ? 'SNAPSHOT' : 'CHANGES', object));
  const answers = await collect(gate, FOLLOW, { id });
  return answers.map(({ data, errors }) => errors ?? (data as { fluxAction: { state: string } }).fluxAction.state);
}

const withParts = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');

describe('fluxAction, while the shared feed has not seen the change yet', () => {
  it('is no failure of a suspension', async () => {
    const seen = await states(encodeActionId(ID), kustomization(3, false), kustomization(4, true));
    expect(seen).toEqual(['REQUESTED', 'SUCCEEDED']);
  });

  it('is no failure of a resumption', async () => {
    const handled = {
      lastHandledReconcileAt: TOKEN,
      conditions: [{ type: 'Ready', status: 'True', observedGeneration: 4 }],
    };
    const id = encodeActionId({ ...ID, verb: 'resume' });
    const seen = await states(id, kustomization(3, true), kustomization(4, false, handled));
    expect(seen).toEqual(['REQUESTED', 'SUCCEEDED']);
  });

  it('is a failure as soon as somebody else has taken it back', async () => {
    const seen = await states(encodeActionId(ID), kustomization(3, false), kustomization(5, false));
    expect(seen).toEqual(['REQUESTED', 'FAILED']);
  });
});

describe('the id of an action', () => {
  const { verb, kind, namespace, name, uid, token } = ID;

  it('of the form without a generation is still followed', async () => {
    const id = withParts(verb, kind, namespace, name, uid, token);
    expect(await states(id, kustomization(4, true))).toEqual(['SUCCEEDED']);
  });

  it.each([['x'], [-1], [1.5], [1e300], [{}], [4, 5]])('with %j in it is BAD_USER_INPUT', async (...more) => {
    const id = withParts(verb, kind, namespace, name, uid, token, ...more);
    const [errors] = await states(id, kustomization(4, true));
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});
