import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { podColumns } from '../kubernetes/pod-columns.ts';
import { PODS } from '../kubernetes/resources.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { Kind } from './kind.ts';
import { orderOf, type OrderInput } from './order.ts';
import { pageOf, pageRequest } from './paging.ts';
import { pod } from './testing/objects.ts';
import { unchecked } from './testing/unchecked.ts';

const KIND: Kind = {
  resource: PODS,
  typeName: 'K8sPod',
  one: 'k8sPod',
  noun: { one: 'pod', many: 'pods' },
  status: { name: 'displayStatus', of: (object) => podColumns(object).displayStatus },
  restarts: (object) => podColumns(object).restarts,
};

/** More than any run needs. */
const MAX_PAGES = 200;
const FIELDS = ['NAME', 'NAMESPACE', 'AGE', 'STATUS', 'RESTARTS', 'HEALTH'] as const;
const orders: fc.Arbitrary<OrderInput | undefined> = fc.option(
  fc.record({ field: fc.constantFrom(...FIELDS), direction: fc.constantFrom('ASC' as const, 'DESC' as const, null) }),
  { nil: undefined },
);

/** Odd pods: few names, so that there are ties; any JSON where spec and status should be. */
const pods: fc.Arbitrary<KubernetesObject[]> = fc
  .array(
    fc.record({
      name: fc.constantFrom('a', 'b', 'a-1', 'ä'),
      namespace: fc.constantFrom('x', 'y', undefined),
      creationTimestamp: fc.constantFrom('2026-01-01T00:00:00Z', '2025-01-01T00:00:00Z', 'never', null),
      status: fc.oneof(
        fc.record({ phase: fc.constantFrom('Running', 'Failed', 7, null) }),
        fc.jsonValue(),
        fc.constant({ containerStatuses: [{ restartCount: 3 }, null] }),
      ),
      spec: fc.oneof(fc.constant({}), fc.jsonValue()),
    }),
    { maxLength: 40 },
  )
  .map((list) =>
    list.map(({ name, namespace, creationTimestamp, status, spec }, index) => {
      const { metadata, ...rest } = pod(name, { spec: unchecked(spec), status: unchecked(status) });
      const { namespace: _, ...common } = metadata;
      return {
        ...rest,
        metadata: {
          ...common,
          ...(namespace !== undefined && { namespace }),
          uid: `uid-${index}`,
          creationTimestamp: unchecked(creationTimestamp),
        },
      };
    }),
  );

function uids(objects: readonly KubernetesObject[]): string[] {
  return objects.map(({ metadata }) => metadata.uid);
}

describe('an order', () => {
  it('is total: no two objects tie, and it does not depend on where they stood', () => {
    fc.assert(
      fc.property(pods, orders, fc.infiniteStream(fc.nat()), (objects, input, random) => {
        const order = orderOf(input, KIND);
        const all = pageOf(objects, pageRequest(order, {})).nodes;
        const shuffled = objects.toSorted(() => (random.next().value % 3) - 1);
        expect(uids(pageOf(shuffled, pageRequest(order, {})).nodes)).toEqual(uids(all));
        const places = all.map(order.position);
        for (const [index, place] of places.entries()) {
          for (const later of places.slice(index + 1)) {
            expect(order.compare(place, later)).toBeLessThan(0);
            expect(order.compare(later, place)).toBeGreaterThan(0);
          }
          expect(order.compare(place, place)).toBe(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('has missing values last in both directions', () => {
    const old = pod('old', { metadata: { creationTimestamp: '2020-01-01T00:00:00Z' } });
    const young = pod('young');
    const unknown = pod('a', { metadata: { creationTimestamp: unchecked(null) } });
    const sorted = (direction: 'ASC' | 'DESC') =>
      pageOf([unknown, old, young], pageRequest(orderOf({ field: 'AGE', direction }, KIND), {})).nodes;
    expect(sorted('ASC')).toEqual([young, old, unknown]);
    expect(sorted('DESC')).toEqual([old, young, unknown]);
  });

  it('has no restarts where the kind has none', () => {
    const { restarts: _, ...kind } = KIND;
    const order = orderOf({ field: 'RESTARTS', direction: 'DESC' }, kind);
    expect(uids(pageOf([pod('b'), pod('a')], pageRequest(order, {})).nodes)).toEqual(['uid-a', 'uid-b']);
  });
});

describe('paging', () => {
  it('visits each object once and in order, whatever the size of a page', () => {
    fc.assert(
      fc.property(pods, orders, fc.integer({ min: 1, max: 12 }), (objects, input, first) => {
        const order = orderOf(input, KIND);
        const all = pageOf(objects, pageRequest(order, {}));
        expect(all.hasNextPage).toBe(false);
        expect(uids(visit(() => objects, input, first))).toEqual(uids(all.nodes));
      }),
      { numRuns: 100 },
    );
  });

  it('skips and repeats nothing that stays, while anything else comes and goes', () => {
    fc.assert(
      fc.property(
        pods,
        pods,
        orders,
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.boolean()),
        (some, more, input, first, coin) => {
          const staying = some.filter((_, index) => index % 2 === 0);
          const others = more.map((object) => ({
            ...object,
            metadata: { ...object.metadata, uid: `other-${object.metadata.uid}` },
          }));
          const present = () => [...staying, ...others.filter(() => coin.next().value)];
          const visited = visit(present, input, first);
          const stayed = new Set(staying);
          expect(uids(visited.filter((object) => stayed.has(object)))).toEqual(
            uids(pageOf(staying, pageRequest(orderOf(input, KIND), {})).nodes),
          );
          expect(new Set(uids(visited)).size).toBe(visited.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([0, -1, 1001, 2 ** 31 - 1])('refuses first: %i', (first) => {
    expect(() => pageRequest(orderOf(undefined, KIND), { first })).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT' }),
    );
  });
});

describe('a cursor', () => {
  const order = orderOf({ field: 'NAME', direction: 'ASC' }, KIND);
  const position = order.position(pod('web'));

  it('is the place that it was made of', () => {
    expect(decodeCursor(order, encodeCursor(order, position))).toEqual(position);
    const missing = { ...position, key: undefined };
    expect(decodeCursor(order, encodeCursor(order, missing))).toEqual(missing);
  });

  it.each([
    { field: 'NAME', direction: 'DESC' } as const,
    { field: 'NAMESPACE', direction: 'ASC' } as const,
    undefined,
  ])('does not fit another order (%o)', (input) => {
    expect(() => decodeCursor(orderOf(input, KIND), encodeCursor(order, position))).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringContaining('after') }),
    );
  });

  it.each([
    '',
    'x',
    '{}',
    '\0',
    'x'.repeat(5000),
    forged({}),
    forged([]),
    forged(['NAME ASC', 'a', 'b', 'c']),
    forged(['NAME ASC', 1, 'b', 'c', 'd']),
    forged(['NAME ASC', {}, 'b', 'c', 'd']),
    forged(['NAME ASC', 'a', 'b', 'c', null]),
    forged(null),
  ])('is refused when it is none (%o)', (cursor) => {
    expect(() => decodeCursor(order, cursor)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });

  it('is refused or understood, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.jsonValue().map(forged), fc.base64String()), (cursor) => {
        expect(refusalOf(() => decodeCursor(order, cursor))).toBeOneOf([undefined, 'BAD_USER_INPUT']);
      }),
    );
  });
});

/** All pages one after the other; `present` is asked anew for each. */
function visit(present: () => KubernetesObject[], input: OrderInput | undefined, first: number): KubernetesObject[] {
  const order = orderOf(input, KIND);
  const visited: KubernetesObject[] = [];
  let after: string | null = null;
  for (let pages = 0; pages <= MAX_PAGES; pages += 1) {
    const page = pageOf(present(), pageRequest(order, { first, after }));
    expect(page.nodes.length).toBeLessThanOrEqual(first);
    visited.push(...page.nodes);
    if (!page.hasNextPage) return visited;
    after = page.endCursor;
  }
  throw new Error('paging does not end');
}

/** The code of the ApiError that it throws; undefined when it does not throw. */
function refusalOf(task: () => unknown): string | undefined {
  try {
    task();
  } catch (error) {
    return error instanceof ApiError ? error.code : 'another error';
  }
  return undefined;
}

function forged(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
