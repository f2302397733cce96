import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { documentParser, documentValidator } from './document.ts';
import { limitOf } from './limits.ts';

const LIMITS = { maxTokens: 2_000, maxDepth: 12, maxAliases: 30, maxRootFields: 20 };
const hits: string[] = [];
const onLimit = (limit: string) => void hits.push(limit);

const schema = buildSchema(`
  type Query { node: Node nodes: [Node!]! }
  type Mutation { a: String }
  type Subscription { node: Node other: Node }
  type Node { name: String names: [String!]! node: Node nodes: [Node!]! }
`);

function complaints(query: string): string[] {
  return documentValidator(true, LIMITS)(schema, parse(query)).map(
    ({ message, extensions }) => `${String(extensions['code'])}: ${message}`,
  );
}

function nested(levels: number, field = 'node'): string {
  return levels === 1 ? '{ name }' : `{ ${field} ${nested(levels - 1, field)} }`;
}

test('a document as deep as allowed is taken, one level more is not', () => {
  expect(complaints(`query ${nested(LIMITS.maxDepth)}`.replace('name', '__typename'))).toEqual([]);
  expect(complaints(`query ${nested(LIMITS.maxDepth + 1)}`)).toEqual([
    'LIMIT_EXCEEDED: The query is nested 13 levels deep, a list counting as two; at most 12 are allowed (MAX_DEPTH).',
  ]);
});

test('a list of objects counts as two levels, a list of values as one', () => {
  expect(complaints(`query { nodes { nodes { nodes { nodes { nodes { names } } } } } }`)).toEqual([]);
  expect(complaints(`query ${nested(7, 'nodes')}`)).toHaveLength(1);
});

test('depth goes through fragments', () => {
  const fragments = `fragment a on Node { node { node { node { node { ...b } } } } }
    fragment b on Node { ... on Node { node { node { node { node { name } } } } } }`;
  expect(complaints(`{ node { node { ...a } } } ${fragments}`)).toEqual([]);
  expect(complaints(`{ node { node { node { node { ...a } } } } } ${fragments}`)).toHaveLength(1);
});

test('aliases count as often as their fragment is spread', () => {
  const bomb = Array.from(
    { length: 10 },
    (_, i) => `fragment f${i} on Node { a: node { ...f${i + 1} } b: node { ...f${i + 1} } }`,
  );
  const messages = complaints(`{ node { ...f0 } } ${bomb.join(' ')} fragment f10 on Node { name }`);
  expect(messages).toEqual(['LIMIT_EXCEEDED: The query uses 2046 aliases; at most 30 are allowed (MAX_ALIASES).']);
});

function aliased(count: number): string {
  return `{ node { ${Array.from({ length: count }, (_, i) => `a${i}: name`).join(' ')} } }`;
}

test('thirty aliases are allowed', () => {
  expect(complaints(aliased(30))).toEqual([]);
  expect(complaints(aliased(31))).toHaveLength(1);
});

test('fields at the root are counted, also through fragments', () => {
  const fields = Array.from({ length: 11 }, () => 'node { name }').join(' ');
  expect(complaints(`{ ${fields} }`)).toEqual([]);
  expect(complaints(`{ ...f ...f } fragment f on Query { ${fields} }`)).toEqual([
    'LIMIT_EXCEEDED: The query asks for 22 fields at once; at most 20 are allowed (MAX_ROOT_FIELDS).',
  ]);
});

test.each([
  'subscription { node { name } other { name } }',
  'subscription { ...f } fragment f on Subscription { node { name } other { name } }',
])('a subscription has exactly one field: %s', (query) => {
  expect(complaints(query)).toEqual([expect.stringMatching(/^BAD_USER_INPUT: .*one top level field/)]);
});

test('a field that is repeated is refused before all others are compared with each other, also through fragments', () => {
  const over = ['name', 'node { name }', '...{ name }'].map((each) => `{ node { ${`${each} `.repeat(200)} } }`);
  const spread = Array.from({ length: 150 }, (_, i) => `...f${i}`).join(' ');
  const fragments = Array.from({ length: 150 }, (_, i) => `fragment f${i} on Node { name }`).join(' ');
  for (const query of [...over, `{ node { ${spread} } } ${fragments}`]) {
    expect(complaints(query)).toEqual([expect.stringMatching(/^LIMIT_EXCEEDED: .*"n\w+" is asked for \d+ times/)]);
  }
  expect(complaints(`{ node { ${'name '.repeat(100)} } }`)).toEqual([]);
});

test('a short document that unfolds to a very long one is not unfolded to its end', () => {
  const bomb = Array.from(
    { length: 60 },
    (_, i) => `fragment f${i} on Node { a: node { ...f${i + 1} } b: node { ...f${i + 1} } }`,
  );
  expect(complaints(`{ node { ...f0 } } ${bomb.join(' ')} fragment f60 on Node { name }`)).toEqual([
    'LIMIT_EXCEEDED: Fragments unfolded, the document asks for more than 10000 fields (MAX_COMPARISONS).',
  ]);
});

test('many fragments that contain each other are refused, and exhaust no stack', () => {
  const fragments = Array.from({ length: 120 }, (_, i) => {
    const spreads = [i * 7 + 1, i * 11 + 3, i + 1].map((to) => `...f${to % 120}`);
    return `fragment f${i} on Node { name ${spreads.join(' ')} }`;
  });
  expect(complaints(`{ node { ...f0 ...f1 } } ${fragments.join(' ')}`)[0]).toMatch(
    /^BAD_USER_INPUT: Cannot spread fragment/,
  );
});

test('a fragment that contains itself ends here, and is refused', () => {
  expect(complaints('{ node { ...f } } fragment f on Node { node { ...f } }')[0]).toMatch(
    /^BAD_USER_INPUT: Cannot spread fragment/,
  );
});

test('more tokens than allowed are LIMIT_EXCEEDED before anything else is looked at', () => {
  const query = `{ ${'node '.repeat(LIMITS.maxTokens)} }`;
  expect(() => documentParser(LIMITS, onLimit)(query)).toThrow(
    expect.objectContaining({ extensions: expect.objectContaining({ code: 'LIMIT_EXCEEDED' }) as unknown }),
  );
  expect(hits).toEqual(['MAX_TOKENS']);
});

test('what GraphiQL asks of the schema passes', async () => {
  const { getIntrospectionQuery } = await import('graphql');
  const query = getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true, oneOf: true });
  expect(complaints(query)).toEqual([]);
  expect(validate(schema, parse(query))).toEqual([]);
});

test('each complaint is known by the name of its variable', () => {
  const documents = [
    `query ${nested(LIMITS.maxDepth + 1)}`,
    aliased(31),
    `{ ${Array.from({ length: 21 }, () => 'node { name }').join(' ')} }`,
    `{ node { ${'name '.repeat(200)} } }`,
  ];
  const validator = documentValidator(true, LIMITS);
  expect(documents.map((document) => validator(schema, parse(document)).map(limitOf))).toEqual([
    ['MAX_DEPTH'],
    ['MAX_ALIASES'],
    ['MAX_ROOT_FIELDS'],
    ['MAX_COMPARISONS'],
  ]);
});
