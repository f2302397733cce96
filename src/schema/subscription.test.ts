import { describe, expect, it } from 'vitest';
import assert from 'node:assert/strict';
import { ApiError } from '../errors.ts';
import type { Update } from '../pubsub/updates.ts';
import { toGraphQLError } from './errors.ts';
import { FakeGate, FRESH_AS_OF } from './testing/fake-gate.ts';
import { pod } from './testing/objects.ts';
import { collect, open } from './testing/run.ts';

const PODS = /* GraphQL */ `
  subscription ($agentId: ID = "7", $namespace: String, $filter: K8sFilter, $resume: String, $maxRate: Float) {
    k8sPods(agentId: $agentId, namespace: $namespace, filter: $filter, resume: $resume, maxRate: $maxRate) {
      type
      upserted {
        id
        displayStatus
      }
      removed
      cursor
      resyncReason
      total
      freshAsOf
    }
  }
`;

const EMPTY: Update = {
  type: 'SNAPSHOT',
  upserted: [],
  removed: [],
  cursor: 'c1',
  resyncReason: undefined,
  total: 0,
  freshAsOf: FRESH_AS_OF,
};

describe('a subscription', () => {
  it("passes the gate's updates on, the empty snapshot too", async () => {
    const gate = new FakeGate();
    gate.updates = [
      EMPTY,
      { ...EMPTY, type: 'CHANGES', upserted: [pod('web')], removed: ['uid-old'], cursor: 'c2', total: 1 },
      { ...EMPTY, resyncReason: 'SLOW_CONSUMER', cursor: 'c3' },
    ];
    const freshAsOf = new Date(FRESH_AS_OF).toISOString();
    const empty = {
      type: 'SNAPSHOT',
      upserted: [],
      removed: [],
      cursor: 'c1',
      resyncReason: null,
      total: 0,
      freshAsOf,
    };
    expect(await collect(gate, PODS, { namespace: 'default', resume: 'c0', maxRate: 2.5 })).toEqual([
      { data: { k8sPods: empty } },
      {
        data: {
          k8sPods: {
            ...empty,
            type: 'CHANGES',
            upserted: [{ id: 'uid-web', displayStatus: 'Running' }],
            removed: ['uid-old'],
            cursor: 'c2',
            total: 1,
          },
        },
      },
      { data: { k8sPods: { ...empty, cursor: 'c3', resyncReason: 'SLOW_CONSUMER' } } },
    ]);
    expect(gate.calls).toEqual([['subscribe', '7', 'default', 'k8sPods', undefined, 'c0', 2.5]]);
  });

  it('hands its filter to the gate', async () => {
    const gate = new FakeGate();
    await collect(gate, PODS, { filter: { labelSelector: 'app=web' } });
    expect(gate.lastFilter?.matches(pod('a', { metadata: { labels: { app: 'web' } } }))).toBe(true);
    expect(gate.lastFilter?.matches(pod('b'))).toBe(false);
  });

  it.each([{ namespace: '..' }, { agentId: 'a/../b' }, { filter: { labelSelector: '!' } }])(
    'refuses %o before it asks the gate',
    async (variables) => {
      const gate = new FakeGate();
      expect(await collect(gate, PODS, variables)).toMatchObject([
        { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] },
      ]);
      expect(gate.calls).toEqual([]);
    },
  );

  it('is refused when the gate refuses', async () => {
    const gate = new FakeGate();
    gate.failure = new ApiError('FORBIDDEN', 'You may not watch pods.');
    expect(await collect(gate, PODS)).toMatchObject([
      { errors: [{ message: 'You may not watch pods.', path: ['k8sPods'], extensions: { code: 'FORBIDDEN' } }] },
    ]);
  });

  it('lets go of the gate at once, also while it waits for an update', async () => {
    const gate = new FakeGate();
    const source = waiting();
    gate.stream = source;
    const stream = await open(gate, PODS);
    assert(Symbol.asyncIterator in stream);
    const pending = stream.next();
    await stream.return(undefined);
    expect(source.returned).toBe(1);
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  it('ends with the error that the gate ends it with', async () => {
    const gate = new FakeGate();
    const revoked = new ApiError('ACCESS_REVOKED', 'You may no longer watch pods.');
    gate.stream = { ...waiting(), next: () => Promise.reject(revoked) };
    const stream = await open(gate, PODS);
    assert(Symbol.asyncIterator in stream);
    const thrown: unknown = await stream.next().catch((error: unknown) => error);
    expect(toGraphQLError(thrown).toJSON()).toMatchObject({
      message: 'You may no longer watch pods.',
      extensions: { code: 'ACCESS_REVOKED' },
    });
  });
});

/** A stream on which nothing happens until it is left. */
function waiting() {
  const { promise, resolve } = Promise.withResolvers<IteratorResult<Update>>();
  return {
    returned: 0,
    next: () => promise,
    return(): Promise<IteratorResult<Update>> {
      this.returned += 1;
      resolve({ done: true, value: undefined });
      return promise;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
