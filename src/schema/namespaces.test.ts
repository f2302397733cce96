import { expect, it } from 'vitest';
import { FakeGate } from './testing/fake-gate.ts';
import { namespace } from './testing/objects.ts';
import { run } from './testing/run.ts';

const NAMESPACES =
  'query ($agentId: ID = "7") { k8sNamespaces(agentId: $agentId) { metadata { name namespace } phase } }';

it('lists namespaces by name, from a feed of the whole cluster', async () => {
  const gate = new FakeGate([namespace('kube-system', { status: { phase: 'Active' } }), namespace('app')]);
  expect(await run(gate, NAMESPACES)).toEqual({
    data: {
      k8sNamespaces: [
        { metadata: { name: 'app', namespace: null }, phase: 'Unknown' },
        { metadata: { name: 'kube-system', namespace: null }, phase: 'Active' },
      ],
    },
  });
  expect(gate.calls).toEqual([['attach', '7', undefined, 'k8sNamespaces']]);
  expect(gate.attached).toBe(0);
});

it('refuses an agent that cannot be one', async () => {
  const gate = new FakeGate();
  expect((await run(gate, NAMESPACES, { agentId: '..' })).errors).toMatchObject([
    { extensions: { code: 'BAD_USER_INPUT' } },
  ]);
  expect(gate.calls).toEqual([]);
});
