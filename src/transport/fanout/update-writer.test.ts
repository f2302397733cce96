import * as fc from 'fast-check';
import {
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  executeSubscriptionEvent,
  getNamedType,
  isLeafType,
  isObjectType,
  parse,
  validateSubscriptionArgs,
} from 'graphql';
import type { GraphQLField, ValidatedSubscriptionArgs } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeDeployment, makePod, makeService } from '../../../demo/apiserver/objects.ts';
import { trim } from '../../kubernetes/trim.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Update } from '../../pubsub/updates.ts';
import { schema } from '../../schema/index.ts';
import { UpdateWriter } from './update-writer.ts';

/** What is written is what graphql's own executor answers, to the byte; it is the reference for all of these tests. */

beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-20T12:00:00Z') }));
afterAll(() => void vi.useRealTimers());

function argsOf(text: string, variableValues: Record<string, unknown> = {}, of = schema): ValidatedSubscriptionArgs {
  const args = validateSubscriptionArgs({ schema: of, document: parse(text), variableValues });
  if (!('schema' in args)) throw args[0] ?? new Error('invalid');
  return args;
}

function written(args: ValidatedSubscriptionArgs, update: Update): string {
  const writer = new UpdateWriter(args);
  return writer.message(update, writer.objects(update));
}

function executed(args: ValidatedSubscriptionArgs, update: Update): string {
  return JSON.stringify(executeSubscriptionEvent({ ...args, rootValue: update }));
}

function updateOf(upserted: readonly KubernetesObject[]): Update {
  return {
    type: 'CHANGES',
    upserted,
    removed: ['gone-1', '"'],
    cursor: 'c',
    resyncReason: undefined,
    total: 7,
    freshAsOf: Date.now(),
  };
}

function stored(made: object, index: number): KubernetesObject {
  const { metadata, ...more } = JSON.parse(JSON.stringify(made)) as { metadata: object };
  return trim({ ...more, metadata: { ...metadata, uid: `uid-${index}`, resourceVersion: String(index + 1) } });
}

const namespace = 'shop';
const OBJECTS: readonly KubernetesObject[] = [
  makePod({ name: 'ok', namespace, labels: { text: '€😀"\\\n\u2028\ud800' } }),
  makePod({ name: 'pending', namespace, phase: 'Pending', node: '' }),
  makePod({ name: 'failed', namespace, phase: 'Failed', reason: 'Evicted', message: 'no <memory>' }),
  makeService({ name: 'web', namespace, type: 'LoadBalancer', ports: [{ port: 80 }, { name: 'x', port: 81 }] }),
  makeDeployment({ name: 'web', namespace }),
].map(stored);

const SUBSCRIPTIONS = ['k8sPods', 'k8sServices', 'k8sDeployments', 'fluxKustomizations'] as const;

function fail(message: string): never {
  throw new Error(message);
}

/** Fields whose resolvers ask for nothing but parent and arguments; YAML may come later, and so is no part of this. */
function plainFields(type: GraphQLObjectType): GraphQLField<unknown, unknown>[] {
  return Object.values(type.getFields()).filter(({ name, resolve, type: of }) => {
    const named = getNamedType(of);
    return (resolve?.length ?? 0) < 3 && name !== 'yaml' && (isLeafType(named) || isObjectType(named));
  });
}

/** A valid selection of this type: aliases, fields twice, fragments with and without a type, conditions, `__typename`. */
function selections(type: GraphQLObjectType): fc.Arbitrary<string> {
  const field = fc.constantFrom(...plainFields(type)).chain((each) => {
    const named = getNamedType(each.type);
    const below = isObjectType(named) ? selections(named) : fc.constant('');
    return fc
      .tuple(below, fc.constantFrom('', '', ` @include(if: $yes)`, ' @skip(if: $yes)'), fc.boolean())
      .map(([inside, condition, isAliased]) => {
        // One alias a field, so that no two fields claim the same name.
        return `${isAliased ? `as_${each.name}: ` : ''}${each.name}${condition}${inside && ` { ${inside} }`}`;
      });
  });
  const around = fc.constantFrom(
    '',
    '...',
    `... on ${type.name}`,
    ...type.getInterfaces().map(({ name }) => `... on ${name}`),
  );
  const group = fc.tuple(around, fc.array(field, { minLength: 1, maxLength: 4 })).map(([fragment, fields]) => {
    // Interfaces have only some of the fields.
    const on = type.getInterfaces().find(({ name }) => fragment === `... on ${name}`);
    const inside = on ? fields.filter((each) => Object.keys(on.getFields()).includes(nameOf(each))) : fields;
    if (fragment === '' || inside.length === 0) return fields.join(' ');
    return `${fragment} { ${inside.join(' ')} }`;
  });
  return fc
    .array(fc.oneof(group, fc.constant('__typename')), { minLength: 1, maxLength: 3 })
    .map((all) => all.join(' '));
}

function nameOf(selection: string): string {
  return /^(?:as_\w+: )?(\w+)/.exec(selection)?.[1] ?? '';
}

function typeOf(subscription: string): GraphQLObjectType {
  const type = getNamedType(schema.getSubscriptionType()?.getFields()[subscription]?.type);
  if (!isObjectType(type)) throw new Error(subscription);
  return type;
}

describe('an update as it is written', () => {
  it.each(SUBSCRIPTIONS)('is what graphql answers, whatever is selected of %s', (subscription) => {
    fc.assert(
      fc.property(selections(typeOf(subscription)), fc.shuffledSubarray([...OBJECTS]), (inside, upserted) => {
        const args = argsOf(
          `subscription S($yes: Boolean!) { ${subscription}(agentId: "1") { ${inside} ...Rest } }
           fragment Rest on ${typeOf(subscription).name} { total type @include(if: $yes) }`,
          { yes: true },
        );
        expect(written(args, updateOf(upserted))).toBe(executed(args, updateOf(upserted)));
      }),
      { numRuns: 150 },
    );
  });

  it('obeys a fragment on another type of the same interface, which holds for none of the objects', () => {
    const args = argsOf(`subscription { pods: k8sPods(agentId: "1") {
      a: upserted { ... on K8sObject { id ... on K8sService { clusterIP } } } b: upserted { kind }
    } }`);
    expect(written(args, updateOf(OBJECTS))).toBe(executed(args, updateOf(OBJECTS)));
    expect(written(args, updateOf(OBJECTS))).not.toContain('clusterIP');
  });

  it('holds the objects that it is given, in place of its own', () => {
    const args = argsOf('subscription { k8sPods(agentId: "1") { upserted { metadata { name } } total } }');
    const writer = new UpdateWriter(args);
    const [first = []] = writer.objects(updateOf(OBJECTS.slice(0, 1)));
    expect(writer.message(updateOf([]), [first])).toBe(executed(args, updateOf(OBJECTS.slice(0, 1))));
  });
});

describe('what only graphql can answer', () => {
  const Item = new GraphQLObjectType({
    name: 'Item',
    fields: {
      value: {
        type: GraphQLInt,
        args: { plus: { type: GraphQLInt, defaultValue: 1 } },
        resolve: (item: { value: () => unknown }) => item.value(),
      },
      must: { type: new GraphQLNonNull(GraphQLString), resolve: (item: { value: () => unknown }) => item.value() },
    },
  });
  const Updates = new GraphQLObjectType({
    name: 'Updates',
    fields: { upserted: { type: new GraphQLNonNull(new GraphQLList(Item)) } },
  });
  const items = new GraphQLSchema({
    query: Updates,
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: { items: { type: new GraphQLNonNull(Updates), resolve: (update: unknown) => update } },
    }),
  });

  it.each([
    ['what comes later', 'value', () => Promise.resolve(1), 'by graphql'],
    ['a thrown error', 'value', () => fail('broken'), 'broken'],
    ['a returned error', 'value', () => new Error('broken'), 'by graphql'],
    ['a value of another type', 'value', () => 'text', 'Int cannot represent'],
    ['null where none may be', 'must', () => null, 'by graphql'],
  ])('%s is not written', (_what, field, value, message) => {
    const writer = new UpdateWriter(argsOf(`subscription { items { upserted { ${field} } } }`, {}, items));
    expect(() => writer.objects({ ...updateOf([]), upserted: [{ value }] as never })).toThrow(message);
  });

  it('null where it may be is', () => {
    const writer = new UpdateWriter(argsOf('subscription { items { upserted { value(plus: 2) } } }', {}, items));
    const update = { ...updateOf([]), upserted: [{ value: () => null }, null] as never };
    expect(writer.objects(update)).toEqual([['{"value":null}'], ['null']]);
  });
});
