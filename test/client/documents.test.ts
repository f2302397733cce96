import { buildSchema, parse, validate } from 'graphql';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generated, written } from '../../client/generate.ts';
import * as documents from '../../client/generated.ts';

it('client/generated.ts says what the schema and the documents say (npm run client:documents)', () => {
  expect(written()).toBe(generated());
});

it('each document is whole, and valid by itself', () => {
  const schema = buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));
  for (const document of Object.values(documents)) expect(validate(schema, parse(document))).toEqual([]);
});
