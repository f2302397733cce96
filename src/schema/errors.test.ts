import { GraphQLError, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import { isMasked, toGraphQLError } from './errors.ts';
import { schema } from './index.ts';
import { FakeGate } from './testing/fake-gate.ts';
import { pod } from './testing/objects.ts';
import { run } from './testing/run.ts';
import { unchecked } from './testing/unchecked.ts';

const MASKED = { message: 'Unexpected error.', extensions: { code: 'INTERNAL', retryable: false } };
const SECRET = 'Bearer glpat-secret';

describe('toGraphQLError', () => {
  it('tells the user what an ApiError says', () => {
    const error = toGraphQLError(
      new ApiError('UPSTREAM_ERROR', 'The cluster failed.', { upstream: { status: 500, traceId: 't' }, cause: SECRET }),
    );
    expect(error.toJSON()).toEqual({
      message: 'The cluster failed.',
      extensions: {
        code: 'UPSTREAM_ERROR',
        retryable: true,
        remedy: expect.any(String),
        upstream: { status: 500, traceId: 't' },
      },
    });
  });

  it('keeps where it happened, however often it was wrapped', () => {
    const inner = new GraphQLError('x', { originalError: new ApiError('NOT_FOUND', 'Gone.') });
    const outer = new GraphQLError('x', { path: ['k8sPods', 0], originalError: inner });
    expect(toGraphQLError(outer).toJSON()).toMatchObject({
      message: 'Gone.',
      path: ['k8sPods', 0],
      extensions: { code: 'NOT_FOUND' },
    });
  });

  it('leaves upstream out where there is none', () => {
    expect(toGraphQLError(new ApiError('NOT_FOUND', 'Gone.')).extensions).not.toHaveProperty('upstream');
  });

  it.each([
    new Error(SECRET),
    new TypeError(SECRET),
    SECRET,
    undefined,
    null,
    { message: SECRET, extensions: { code: 'FORBIDDEN' } },
    Object.assign(new Error(SECRET), { extensions: { code: 'FORBIDDEN', token: SECRET } }),
  ])('masks anything else (%o)', (thrown) => {
    for (const wrapped of [thrown, new GraphQLError('x', { path: ['a'], originalError: unchecked<Error>(thrown) })]) {
      if (wrapped instanceof GraphQLError && !(thrown instanceof Error)) continue;
      const error = toGraphQLError(wrapped);
      expect(error.toJSON()).toMatchObject(MASKED);
      expect(JSON.stringify(error)).not.toContain('secret');
      expect(isMasked(error)).toBe(true);
      expect(error.cause).toBe(thrown);
    }
  });

  it('calls what GraphQL itself refuses the mistake of the client', () => {
    for (const problem of [...validate(schema, parse('{ nothing }')), syntaxError()]) {
      expect(toGraphQLError(problem)).toMatchObject({
        message: problem.message,
        locations: problem.locations,
        extensions: { code: 'BAD_USER_INPUT' },
      });
    }
  });

  it('leaves errors alone that have a code already', () => {
    const error = new GraphQLError('Too deep.', { extensions: { code: 'LIMIT_EXCEEDED' } });
    expect(toGraphQLError(error)).toBe(error);
  });
});

describe('in an operation', () => {
  it('masks a defect', async () => {
    const gate = new FakeGate();
    gate.failure = new TypeError(SECRET);
    const { errors } = await run(gate, '{ k8sConnection(agentId: 7) { status } }');
    expect(errors).toMatchObject([{ ...MASKED, path: ['k8sConnection'] }]);
  });

  it('masks a result that does not fit its type', async () => {
    const gate = new FakeGate([pod('web', { metadata: { deletionTimestamp: SECRET } })]);
    const { errors } = await run(gate, '{ k8sPods(agentId: 7) { nodes { metadata { deletionTimestamp } } } }');
    expect(errors).toMatchObject([MASKED]);
    expect(JSON.stringify(errors)).not.toContain('secret');
  });

  it.each([{}, { agentId: null }, { agentId: {} }])('blames the client for its variables (%o)', async (variables) => {
    const document = 'query ($agentId: ID!) { k8sPods(agentId: $agentId) { totalCount } }';
    const { errors } = await run(new FakeGate(), document, variables);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it('blames the client for null where an argument needs a value', async () => {
    const document = 'query ($agentId: ID = 7) { k8sPods(agentId: $agentId) { totalCount } }';
    const { errors } = await run(new FakeGate(), document, { agentId: null });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

function syntaxError(): GraphQLError {
  try {
    parse('{');
  } catch (error) {
    return unchecked(error);
  }
  throw new Error('unreachable');
}
