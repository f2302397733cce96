import * as fc from 'fast-check';
import {
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  parse,
  validateSubscriptionArgs,
} from 'graphql';
import type { GraphQLNamedType, ValidatedSubscriptionArgs } from 'graphql';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { PODS } from '../../src/kubernetes/resources.ts';
import { Feed } from '../../src/pubsub/feed.ts';
import { LiveUpdates } from '../../src/pubsub/live-updates.ts';
import { schema } from '../../src/schema/index.ts';
import { isShareable, shapeKey } from '../../src/transport/fanout/shape.ts';

/** A wrong key is a leak: one client would get what was made for another. */

interface Wish {
  readonly name: string;
  readonly fields: string;
  readonly filter: { labelSelector: string } | { search: string } | null;
  readonly more: boolean;
}

interface Way {
  readonly spaced: boolean;
  readonly resume: string | null;
  readonly maxRate: number | null;
  readonly resumeName: string;
}

const wishes: fc.Arbitrary<Wish> = fc.record({
  name: fc.constantFrom('', 'A', 'B'),
  fields: fc.constantFrom('total', 'removed', 'total removed', 'total upserted { id }', 'n: total'),
  filter: fc.constantFrom(null, { labelSelector: 'a=b' }, { labelSelector: 'a=c' }, { search: 'a=b' }),
  more: fc.boolean(),
});
const ways: fc.Arbitrary<Way> = fc.record({
  spaced: fc.boolean(),
  resume: fc.constantFrom(null, 'x', 'y'),
  maxRate: fc.constantFrom(null, 1, 2),
  resumeName: fc.constant('resume'),
});

const feed = new Feed({ agentId: '1', namespace: 'shop', resource: PODS }, systemClock);

function argsOf(wish: Wish, way: Way): ValidatedSubscriptionArgs {
  const { resumeName } = way;
  const lines = [
    `subscription ${wish.name}($filter: K8sFilter, $more: Boolean!, $${resumeName}: String, $maxRate: Float) {`,
    `k8sPods(agentId: "1", filter: $filter, resume: $${resumeName}, maxRate: $maxRate) {`,
    `${wish.fields} cursor @include(if: $more) } }`,
  ];
  const document = parse(lines.join(way.spaced ? '\n  # a comment\n' : ' '));
  const { filter, more } = wish;
  const variableValues = { filter, more, [resumeName]: way.resume, maxRate: way.maxRate };
  return validated(validateSubscriptionArgs({ schema, document, variableValues }));
}

function validated(args: ReturnType<typeof validateSubscriptionArgs>): ValidatedSubscriptionArgs {
  if (!('schema' in args)) throw args[0] ?? new Error('invalid');
  return args;
}

function keyOf(args: ValidatedSubscriptionArgs): string {
  return shapeKey(args, new LiveUpdates(feed, systemClock, {}, () => {}));
}

describe('the key of a shape', () => {
  it('is the same exactly when everybody wants the same, however they begin and write it', () => {
    fc.assert(
      fc.property(wishes, ways, wishes, ways, (wish, way, other, otherWay) => {
        const isSame = JSON.stringify(wish) === JSON.stringify(other);
        expect(keyOf(argsOf(wish, way)) === keyOf(argsOf(other, otherWay))).toBe(isSame);
        expect(keyOf(argsOf(wish, way))).toBe(keyOf(argsOf(wish, otherWay)));
      }),
      { numRuns: 300 },
    );
  });

  it('counts a variable that is used for anything else than where to begin and how fast to go', () => {
    const keys = ['a', 'b'].map((resume) => {
      const document = parse(`subscription ($resume: String) {
        k8sPods(agentId: "1", resume: $resume, filter: { search: $resume }) { total }
      }`);
      return keyOf(validated(validateSubscriptionArgs({ schema, document, variableValues: { resume } })));
    });
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('tells the operations of one document apart, and filters of one text', () => {
    const document = parse(`
      subscription A { k8sPods(agentId: "1") { total } }
      subscription B { k8sPods(agentId: "1") { cursor } }`);
    const keys = ['A', 'B'].map((operationName) =>
      keyOf(validated(validateSubscriptionArgs({ schema, document, operationName }))),
    );
    expect(keys[0]).not.toBe(keys[1]);
    const args = validated(validateSubscriptionArgs({ schema, document, operationName: 'A' }));
    const filter = { key: 'labels a=b', matches: () => true };
    expect(shapeKey(args, new LiveUpdates(feed, systemClock, { filter }, () => {}))).not.toBe(keys[0]);
  });
});

describe('what can be shared', () => {
  it('is every plain value of an object in a live collection: only what leads to other objects looks at who asks', () => {
    const seen = new Set<GraphQLNamedType>();
    const personal: string[] = [];
    const visit = (type: GraphQLNamedType) => {
      if (seen.has(type) || !(isObjectType(type) || isInterfaceType(type))) return;
      seen.add(type);
      for (const field of Object.values(type.getFields())) {
        const isPersonal = (field.resolve?.length ?? 0) > 2;
        if (isPersonal && isLeafType(getNamedType(field.type))) personal.push(`${type.name}.${field.name}`);
        else if (!isPersonal) visit(getNamedType(field.type));
      }
    };
    const pods = schema.getSubscriptionType()?.getFields()['k8sPods'];
    if (pods) visit(getNamedType(pods.type));
    expect(seen.size).toBeGreaterThan(3);
    expect(personal).toEqual([]);
  });

  it('is what asks for `__typename`, as clients with a cache do everywhere', () => {
    const document = parse(`subscription { k8sPods(agentId: "1") {
      __typename type upserted { __typename id ... on K8sObject { kind: __typename } metadata { __typename name } }
    } }`);
    expect(isShareable(validated(validateSubscriptionArgs({ schema, document })))).toBe(true);
  });

  it('is nothing whose resolver takes the context', () => {
    const event = new GraphQLObjectType({
      name: 'Event',
      fields: {
        same: { type: GraphQLString, resolve: () => 'x' },
        mine: { type: GraphQLString, resolve: (_source, _args, context: { viewer: string }) => context.viewer },
      },
    });
    const own = new GraphQLSchema({
      query: event,
      subscription: new GraphQLObjectType({ name: 'Subscription', fields: { event: { type: event } } }),
    });
    const shareable = (fields: string) => {
      const document = parse(`subscription { event { ...F } } fragment F on Event { ${fields} }`);
      return isShareable(validated(validateSubscriptionArgs({ schema: own, document })));
    };
    expect([shareable('same'), shareable('same m: mine')]).toEqual([true, false]);
  });
});
