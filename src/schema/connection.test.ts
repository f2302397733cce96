import { describe, expect, it } from 'vitest';
import type { Connection } from '../access/gate.ts';
import { FakeGate } from './testing/fake-gate.ts';
import { collect, run } from './testing/run.ts';

const FIELDS = /* GraphQL */ `
  k8sConnection(agentId: "7", namespace: "default") {
    agentId
    namespace
    status
    reason
    resources {
      resource
      status
      since
      freshAsOf
      reason
      message
      attempts
      nextRetryAt
      transport
      hops { name status reason since }
    }
  }
`;

const BROKEN: Connection = {
  agentId: '7',
  namespace: 'default',
  status: 'DISCONNECTED',
  reason: 'AGENT_NOT_CONNECTED',
  resources: [
    {
      resource: 'k8sPods',
      status: {
        state: 'DISCONNECTED',
        since: 0,
        freshAsOf: undefined,
        reason: 'AGENT_NOT_CONNECTED',
        message: 'No agent.',
        attempts: 3,
        nextRetryAt: 1500,
        transport: undefined,
        hops: [{ name: 'agent', status: 'DISCONNECTED', reason: 'AGENT_NOT_CONNECTED', since: 0 }],
      },
    },
  ],
};

const BROKEN_ANSWER = {
  data: {
    k8sConnection: {
      agentId: '7',
      namespace: 'default',
      status: 'DISCONNECTED',
      reason: 'AGENT_NOT_CONNECTED',
      resources: [
        {
          resource: 'k8sPods',
          status: 'DISCONNECTED',
          since: '1970-01-01T00:00:00.000Z',
          freshAsOf: null,
          reason: 'AGENT_NOT_CONNECTED',
          message: 'No agent.',
          attempts: 3,
          nextRetryAt: '1970-01-01T00:00:01.500Z',
          transport: null,
          hops: [
            { name: 'agent', status: 'DISCONNECTED', reason: 'AGENT_NOT_CONNECTED', since: '1970-01-01T00:00:00.000Z' },
          ],
        },
      ],
    },
  },
};

const IDLE_ANSWER = {
  data: {
    k8sConnection: { agentId: '7', namespace: 'default', status: 'DISCONNECTED', reason: 'IDLE', resources: [] },
  },
};

describe('k8sConnection', () => {
  it('tells how it is', async () => {
    const gate = new FakeGate();
    expect(await run(gate, `{ ${FIELDS} }`)).toEqual(IDLE_ANSWER);
    gate.connections = [BROKEN];
    expect(await run(gate, `{ ${FIELDS} }`)).toEqual(BROKEN_ANSWER);
  });

  it('tells how it changes', async () => {
    const gate = new FakeGate();
    gate.connections = [{ ...BROKEN, reason: 'IDLE', resources: [] }, BROKEN];
    expect(await collect(gate, `subscription { ${FIELDS} }`)).toEqual([IDLE_ANSWER, BROKEN_ANSWER]);
    expect(gate.calls).toEqual([['watchConnection', '7', 'default']]);
  });

  it.each(['', 'subscription'])('refuses bad names before it asks the gate (%s)', async (operation) => {
    const gate = new FakeGate();
    const document = `${operation} { k8sConnection(agentId: "7", namespace: "a/../b") { status } }`;
    const answers = operation === '' ? [await run(gate, document)] : await collect(gate, document);
    expect(answers).toMatchObject([{ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] }]);
    expect(gate.calls).toEqual([]);
  });
});
