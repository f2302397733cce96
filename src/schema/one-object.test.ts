import { describe, expect, it } from 'vitest';
import { BAD_NAMES } from './testing/bad-names.ts';
import { FakeGate } from './testing/fake-gate.ts';
import { pod, service } from './testing/objects.ts';
import { run } from './testing/run.ts';
import { unchecked } from './testing/unchecked.ts';

const POD = /* GraphQL */ `
  query ($agentId: ID = "7", $namespace: String = "default", $name: String = "web") {
    k8sPod(agentId: $agentId, namespace: $namespace, name: $name) {
      id
      apiVersion
      kind
      metadata {
        namespace
        labels
        annotations
        creationTimestamp
        deletionTimestamp
        ownerReferences {
          name
          controller
        }
      }
      spec
      status
      health {
        level
      }
      phase
      displayStatus
      ready {
        ready
        total
      }
      restarts
      nodeName
    }
  }
`;

describe('a query for one object', () => {
  it('answers with defaults for what is absent', async () => {
    const bare = pod('web', unchecked({ spec: undefined, status: undefined }));
    const { data } = await run(new FakeGate([bare]), POD);
    expect(data).toMatchObject({
      k8sPod: {
        id: 'uid-web',
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          namespace: 'default',
          labels: {},
          annotations: {},
          creationTimestamp: '2026-01-01T00:00:00Z',
          deletionTimestamp: null,
          ownerReferences: [],
        },
        spec: {},
        status: {},
        phase: 'Unknown',
        ready: { ready: 0, total: 0 },
        restarts: 0,
        nodeName: null,
      },
    });
  });

  it('passes JSON on as it is', async () => {
    const spec = { nodeName: 'n1', list: [1, { deep: null }] };
    const metadata = {
      labels: { app: 'web' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'o', uid: 'u' }],
    };
    const { data } = await run(new FakeGate([pod('web', { spec, metadata })]), POD);
    expect(data).toMatchObject({
      k8sPod: {
        spec,
        nodeName: 'n1',
        metadata: { labels: { app: 'web' }, ownerReferences: [{ name: 'o', controller: false }] },
      },
    });
  });

  it('answers null when there is none', async () => {
    expect(await run(new FakeGate(), POD)).toEqual({ data: { k8sPod: null } });
  });

  it.each([...BAD_NAMES.map((name) => ({ name })), ...BAD_NAMES.map((namespace) => ({ namespace }))])(
    'refuses %o before it asks the gate',
    async (variables) => {
      const gate = new FakeGate();
      const { errors } = await run(gate, POD, variables);
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      expect(gate.calls).toEqual([]);
    },
  );

  it('works for services too', async () => {
    const gate = new FakeGate([service('web')]);
    const { data } = await run(gate, '{ k8sService(agentId: 7, namespace: "default", name: "web") { __typename id } }');
    expect(data).toEqual({ k8sService: { __typename: 'K8sService', id: 'uid-web' } });
  });
});
