import type { Seed } from '../seed.ts';

const PAGING = 'src/schema/paging.test.ts';
const FILTER = 'src/schema/filter.test.ts';

export const SCHEMA: readonly Seed[] = [
  {
    name: 'defects-shown-to-clients',
    file: 'src/schema/errors.ts',
    find: "  return located(thrown, 'Unexpected error.', DEFECT, root);",
    replace: '  return located(thrown, String(root), DEFECT, root);',
    caughtBy: { file: 'src/schema/errors.test.ts', test: 'masks a defect' },
  },
  {
    name: 'cursor-of-another-order-accepted',
    file: 'src/schema/cursor.ts',
    find: "  if (orderName !== order.name) throw badInput('after', 'the endCursor of a page in the same order (orderBy)');\n",
    replace: "  if (orderName === undefined) throw badInput('after', 'the endCursor of an earlier page');\n",
    caughtBy: { file: PAGING, test: 'does not fit another order (%o)' },
  },
  {
    name: 'pages-of-any-size',
    file: 'src/schema/paging.ts',
    find: '  if (first !== undefined && (first < 1 || first > MAX_PAGE)) {',
    replace: '  if (first !== undefined && first < 1) {',
    caughtBy: { file: PAGING, test: 'refuses first: %i' },
  },
  {
    name: 'pages-repeat-their-last-object',
    file: 'src/schema/paging.ts',
    find: 'order.compare(place, after) > 0',
    replace: 'order.compare(place, after) >= 0',
    caughtBy: { file: PAGING, test: 'visits each object once and in order, whatever the size of a page' },
  },
  {
    name: 'order-with-ties',
    file: 'src/schema/order.ts',
    find: 'compareKeys(a.key, b.key, sign) || compareIdentity(a, b)',
    replace: 'compareKeys(a.key, b.key, sign)',
    caughtBy: { file: PAGING, test: 'is total: no two objects tie, and it does not depend on where they stood' },
  },
  {
    name: 'one-condition-is-enough',
    file: 'src/schema/filter.ts',
    find: 'conditions.every(({ matches }) => matches(object))',
    replace: 'conditions.some(({ matches }) => matches(object))',
    caughtBy: { file: FILTER, test: '%o' },
  },
  {
    name: 'filters-of-one-key',
    file: 'src/schema/filter.ts',
    find: 'key: `search ${part}`',
    replace: "key: 'search'",
    caughtBy: { file: FILTER, test: 'has different keys for different meanings' },
  },
  {
    name: 'namespaces-not-checked',
    file: 'src/schema/scope.ts',
    find: 'namespace: args.namespace == null ? undefined : checkNamespace(args.namespace),',
    replace: 'namespace: args.namespace ?? undefined,',
    caughtBy: { file: 'src/schema/subscription.test.ts', test: 'refuses %o before it asks the gate' },
  },
  {
    name: 'subscriptions-open-what-they-only-look-into',
    file: 'src/schema/related.ts',
    find: 'return live ? await peek(context, key) : await join(context, key);',
    replace: 'return live && key.agentId === undefined ? await peek(context, key) : await join(context, key);',
    caughtBy: {
      file: 'test/e2e/relations.test.ts',
      test: 'in a subscription show to each viewer what is watched already, and open nothing',
    },
  },
  {
    name: 'feed-held-after-a-failed-query',
    file: 'src/schema/collection.ts',
    find: '  } finally {\n    attachment.release();\n  }',
    replace: '  } catch (error) {\n    void attachment;\n    throw error;\n  }',
    caughtBy: { file: 'src/schema/collection.test.ts', test: 'lets go of the feed when the first sync fails' },
  },
  {
    name: 'counts-of-one-page',
    file: 'src/schema/listing.ts',
    find: '    for (const object of this.#matching) {',
    replace: '    for (const object of this.page.nodes) {',
    caughtBy: { file: 'src/schema/collection.test.ts', test: 'counts over the filtered set, whatever the page' },
  },
];
