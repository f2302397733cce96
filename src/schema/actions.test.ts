import { describe, expect, it } from 'vitest';
import { FakeGate } from './testing/fake-gate.ts';
import { pod } from './testing/objects.ts';
import { run } from './testing/run.ts';

const DELETE = /* GraphQL */ `
  mutation ($namespace: String = "default", $name: String = "web", $uid: ID) {
    deleteK8sPod(agentId: "7", namespace: $namespace, name: $name, uid: $uid) {
      id
      name
      namespace
    }
  }
`;

const RECONNECT = /* GraphQL */ `
  mutation ($namespace: String, $resource: String) {
    reconnectToCluster(agentId: "7", namespace: $namespace, resource: $resource) {
      status
      reason
    }
  }
`;

describe('deleteK8sPod', () => {
  it('says which pod it deleted', async () => {
    const gate = new FakeGate([pod('web')]);
    const payload = { data: { deleteK8sPod: { id: 'uid-web', name: 'web', namespace: 'default' } } };
    expect(await run(gate, DELETE)).toEqual(payload);
    expect(await run(gate, DELETE, { uid: 'uid-web' })).toEqual(payload);
    expect(gate.calls.at(-1)).toEqual(['delete', '7', 'default', 'k8sPods', 'web', 'uid-web']);
  });

  it.each([
    [{ name: 'gone' }, 'NOT_FOUND'],
    [{ uid: 'uid-of-its-forerunner' }, 'CONFLICT'],
  ])('passes on why it could not (%o)', async (variables, code) => {
    expect(await run(new FakeGate([pod('web')]), DELETE, variables)).toMatchObject({
      data: null,
      errors: [{ path: ['deleteK8sPod'], extensions: { code } }],
    });
  });

  it.each([
    { name: '..' },
    { name: 'a/log' },
    { namespace: '%2e%2e' },
    { uid: '' },
    { uid: '{"a":1}' },
    { uid: 'x'.repeat(300) },
  ])('refuses %o before it asks the gate', async (variables) => {
    const gate = new FakeGate([pod('web')]);
    expect((await run(gate, DELETE, variables)).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(gate.calls).toEqual([]);
  });
});

describe('reconnectToCluster', () => {
  it('answers with the connection', async () => {
    const gate = new FakeGate();
    const answer = { data: { reconnectToCluster: { status: 'DISCONNECTED', reason: 'IDLE' } } };
    expect(await run(gate, RECONNECT)).toEqual(answer);
    expect(await run(gate, RECONNECT, { namespace: 'app', resource: 'k8sPods' })).toEqual(answer);
    expect(gate.calls).toEqual([
      ['reconnect', '7', undefined, undefined],
      ['reconnect', '7', 'app', 'k8sPods'],
    ]);
  });

  it.each([{ namespace: '..' }, { resource: 'k8sSecrets' }, { resource: '' }])(
    'refuses %o before it asks the gate',
    async (variables) => {
      const gate = new FakeGate();
      expect((await run(gate, RECONNECT, variables)).errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT' } },
      ]);
      expect(gate.calls).toEqual([]);
    },
  );
});
