import { expect, it } from 'vitest';
import { FakeGate } from './testing/fake-gate.ts';
import { pod } from './testing/objects.ts';
import { run } from './testing/run.ts';

it('an age is what kubectl prints, beside the time that it is counted from', async () => {
  const creationTimestamp = new Date(Date.now() - (2 * 24 + 3) * 3_600_000 - 60_000).toISOString();
  const old = pod('old');
  const objects = [{ ...old, metadata: { ...old.metadata, creationTimestamp } }];
  const { data } = await run(
    new FakeGate(objects),
    '{ k8sPods(agentId: "7") { nodes { metadata { age creationTimestamp } } } }',
  );
  expect(data).toEqual({ k8sPods: { nodes: [{ metadata: { age: '2d3h', creationTimestamp } }] } });
});
