import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import { FakeGate } from './testing/fake-gate.ts';
import { run } from './testing/run.ts';

const CAN = /* GraphQL */ `
  query (
    $agentId: ID = "7"
    $verb: String = "list"
    $group: String
    $resource: String = "pods"
    $subresource: String
    $namespace: String
    $name: String
  ) {
    k8sViewer(agentId: $agentId) {
      can(
        verb: $verb
        group: $group
        resource: $resource
        subresource: $subresource
        namespace: $namespace
        name: $name
      )
    }
  }
`;

describe('k8sViewer', () => {
  it('says who the cluster takes the caller for', async () => {
    const gate = new FakeGate();
    gate.identity = { username: 'gitlab:user:ada', groups: ['gitlab:user'] };
    expect(await run(gate, '{ k8sViewer(agentId: 7) { user groups } }')).toEqual({
      data: { k8sViewer: { user: 'gitlab:user:ada', groups: ['gitlab:user'] } },
    });
  });

  it('passes on why it cannot be found out', async () => {
    const gate = new FakeGate();
    gate.failure = new ApiError('AGENT_NOT_CONNECTED', 'The agent is not connected.');
    expect(await run(gate, '{ k8sViewer(agentId: 7) { user } }')).toMatchObject({
      data: null,
      errors: [{ path: ['k8sViewer', 'user'], extensions: { code: 'AGENT_NOT_CONNECTED' } }],
    });
  });

  it('asks with all that a right can be narrowed by, and many questions at once', async () => {
    const gate = new FakeGate();
    const document = `{ k8sViewer(agentId: 7) {
      read: can(verb: "list", resource: "pods", namespace: "shop")
      log: can(verb: "get", resource: "pods", subresource: "log", namespace: "shop", name: "web-1")
      scale: can(verb: "patch", group: "apps", resource: "deployments", subresource: "scale")
      all: can(verb: "*", group: "*", resource: "*")
    } }`;
    expect(await run(gate, document)).toEqual({
      data: { k8sViewer: { read: true, log: true, scale: false, all: false } },
    });
    expect(gate.calls).toMatchObject([
      ['can', '7', { verb: 'list', group: '', resource: 'pods', namespace: 'shop', version: 'v1' }],
      ['can', '7', { verb: 'get', resource: 'pods', subresource: 'log', namespace: 'shop', name: 'web-1' }],
      ['can', '7', { verb: 'patch', group: 'apps', resource: 'deployments', subresource: 'scale' }],
      ['can', '7', { verb: '*', group: '*', resource: '*' }],
    ]);
  });

  it.each([
    { agentId: '..' },
    { verb: '' },
    { verb: 'LIST' },
    { verb: 'list;delete' },
    { group: '../apps' },
    { group: 'a b' },
    { resource: '' },
    { resource: 'pods/log' },
    { resource: '**' },
    { subresource: '' },
    { subresource: '../x' },
    { namespace: '' },
    { namespace: '*' },
    { namespace: 'kube-system/..' },
    { name: '..' },
    { name: 'a\nb' },
  ])('refuses %o before it asks the gate', async (variables) => {
    const gate = new FakeGate();
    expect((await run(gate, CAN, variables)).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(gate.calls).toEqual([]);
  });
});
