import { buildSchema } from 'graphql';
import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import { ApiError } from '../errors.ts';
import type { Credentials } from '../sources/credentials.ts';
import type { CredentialsOf } from './execution.ts';

/** For the tests of this folder: a tiny schema, with sources and mutations that do as they are told. */

/** A source that says nothing until it is told to, and remembers how it was ended. */
export class TestSource {
  opened = 0;
  closed = 0;
  #waiting: ((step: IteratorResult<unknown>) => void)[] = [];
  #failing: ((error: unknown) => void)[] = [];

  emit(value: unknown): void {
    for (const settle of this.#waiting.splice(0)) settle({ done: false, value });
    this.#failing = [];
  }

  fail(error: unknown): void {
    for (const reject of this.#failing.splice(0)) reject(error);
    this.#waiting = [];
  }

  subscribe(): AsyncIterableIterator<unknown> {
    this.opened += 1;
    const waiting = () =>
      new Promise<IteratorResult<unknown>>((resolve, reject) => {
        this.#waiting.push(resolve);
        this.#failing.push(reject);
      });
    return {
      next: waiting,
      return: async () => {
        this.closed += 1;
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

/** A mutation that counts, and one that takes until it is told to finish. */
export class Touches {
  begun = 0;
  readonly #later = Promise.withResolvers<string>();

  begin(when: 'now' | 'later'): string | Promise<string> {
    this.begun += 1;
    return when === 'now' ? 'done' : this.#later.promise;
  }

  finish(): void {
    this.#later.resolve('done');
  }
}

export function testSchema(source: TestSource, touches: Touches): GraphQLSchema {
  const schema = buildSchema(`
    type Query { hello: String! never: String whoami: String! refused: String defect: String node: Node! big(bytes: Int!): String! }
    type Mutation { touch: String! touchLater: String! }
    type Subscription { quiet: String! flood(bytes: Int!): String! count(to: Int!): Int! refusedAtOnce: String! }
    type Node { name: String! nodes: [Node!]! parent: Node }
  `);
  resolve(schema, 'Query', {
    hello: () => 'world',
    never: () => new Promise(() => undefined),
    whoami: (_source, _args, { credentials }) => nameOf(credentials()),
    refused: () => {
      throw new ApiError('FORBIDDEN', 'You may not list pods in namespace x.');
    },
    defect: () => {
      throw new TypeError('canary glpat-canary0123456789 is not a function');
    },
    node: () => ({ name: 'n', nodes: [] }),
    big: (_source, { bytes }) => 'x'.repeat(Number(bytes)),
  });
  resolve(schema, 'Mutation', { touch: () => touches.begin('now'), touchLater: () => touches.begin('later') });
  subscribeTo(schema, 'quiet', () => source.subscribe());
  subscribeTo(schema, 'flood', (args) => repeat('x'.repeat(Number(args['bytes'])), Number.POSITIVE_INFINITY));
  subscribeTo(schema, 'count', (args) => repeat(1, Number(args['to'])));
  subscribeTo(schema, 'refusedAtOnce', () => {
    throw new ApiError('UNAUTHENTICATED', 'There are no credentials.');
  });
  return schema;
}

type Resolver = GraphQLFieldResolver<unknown, { credentials: CredentialsOf }>;

function resolve(schema: GraphQLSchema, typeName: 'Query' | 'Mutation', resolvers: Record<string, Resolver>): void {
  const type = typeName === 'Query' ? schema.getQueryType() : schema.getMutationType();
  for (const [name, resolver] of Object.entries(resolvers))
    Object.assign(type?.getFields()[name] ?? {}, { resolve: resolver });
}

function subscribeTo(schema: GraphQLSchema, name: string, open: (args: Record<string, unknown>) => unknown): void {
  const field = schema.getSubscriptionType()?.getFields()[name];
  Object.assign(field ?? {}, {
    subscribe: (_source: unknown, args: Record<string, unknown>) => open(args),
    resolve: (value: unknown) => value,
  });
}

function repeat(value: unknown, times: number): AsyncIterableIterator<unknown> {
  let left = times;
  return {
    next: async () => (left-- > 0 ? { done: false, value } : { done: true, value: undefined }),
    return: async () => {
      left = 0;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function nameOf(credentials: Credentials | undefined): string {
  if (!credentials) throw new ApiError('UNAUTHENTICATED', 'There are no credentials.');
  if (credentials.kind === 'local') return 'everybody';
  return credentials.kind === 'bearer' ? credentials.token : `${credentials.cookie}+${credentials.csrfToken}`;
}
