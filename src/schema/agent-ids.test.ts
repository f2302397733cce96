import { isObjectType, type GraphQLField } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import { schema } from './index.ts';
import { FakeGate } from './testing/fake-gate.ts';
import { unchecked } from './testing/unchecked.ts';

const ROOTS = { query: schema.getQueryType(), mutation: schema.getMutationType() };

function takesAgentId({ args }: GraphQLField<unknown, unknown>): boolean {
  return args.some(({ name }) => name === 'agentId');
}

const FIELDS = [
  ...Object.entries(ROOTS).flatMap(([root, type]) =>
    Object.values(type?.getFields() ?? {}).map((field) => ({ root, field, start: field.resolve })),
  ),
  ...Object.values(schema.getSubscriptionType()?.getFields() ?? {}).map((field) => ({
    root: 'subscription',
    field,
    start: field.subscribe,
  })),
].filter(({ field }) => takesAgentId(field));

describe('what is no agent ID', () => {
  it.each(FIELDS.map(({ root, field, start }) => [`${root} ${field.name}`, start] as const))(
    'is refused before anything else by %s',
    async (_name, start) => {
      const gate = new FakeGate();
      const context = {
        gate,
        viewer: () => {
          throw new Error('The resolver has run.');
        },
      };
      for (const agentId of ['', 'x', '../1', '1\r\nevil: 1', '01', '1e3']) {
        const answer = Promise.resolve(start?.(undefined, { agentId }, context, unchecked({})));
        const error: unknown = await answer.catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(ApiError);
        expect(error).toMatchObject({
          code: 'BAD_USER_INPUT',
          message: expect.stringMatching(/^agentId must be a numeric agent ID of at most 18 digits, not "/),
        });
      }
      expect(gate.calls).toEqual([]);
    },
  );

  it('can be given nowhere else', () => {
    const others = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type))
      .flatMap((type) => Object.values(type.getFields()))
      .filter(takesAgentId);
    expect(others).toHaveLength(FIELDS.length);
    expect(FIELDS.length).toBeGreaterThan(60);
  });
});
