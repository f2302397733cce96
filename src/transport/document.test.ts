import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { buildSchema, parse } from 'graphql';
import type { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import { documentValidator } from './document.ts';

const LIMITS = { maxTokens: 100, maxDepth: 5, maxAliases: 5, maxRootFields: 5 };

/** Whoever sends a document: a connection, with all that belongs to it. */
class Sender {
  send(): readonly GraphQLError[] {
    return documentValidator(true, LIMITS)(buildSchema('type Query { a: Int }'), parse('{ b }'));
  }
}

test('the errors of a document, which are remembered with it, hold nothing of who sent it', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const sent = (() => {
    const sender = new Sender();
    return { errors: sender.send(), sender: new WeakRef(sender) };
  })();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  collectGarbage();
  expect(sent.errors).toHaveLength(1);
  expect(sent.sender.deref()).toBeUndefined();
});
