import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buildSchema } from 'graphql';
import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { Counters } from '../counters.ts';
import { ApiError } from '../errors.ts';
import { createLog } from '../log.ts';
import type { Credentials } from '../sources/credentials.ts';
import { createExecution } from './execution.ts';
import type { CredentialsOf } from './execution.ts';
import type { GraphiQLDefaults } from './graphiql.ts';
import { graphiqlPage } from './graphiql.ts';
import { createHttpServer } from './http.ts';
import { SocketServer } from './websocket.ts';

/** For the tests of this folder: both transports over a tiny schema, on a real port. */
export interface TestServer extends AsyncDisposable {
  readonly http: string;
  readonly ws: string;
  readonly port: number;
  readonly sockets: SocketServer;
  readonly counters: Counters;
  readonly cutStreams: () => void;
  readonly source: TestSource;
  /** All that was logged. */
  readonly logged: string[];
  notReady: string[];
}

export interface TestServerOptions {
  readonly basePath?: string;
  readonly allowedOrigins?: readonly string[];
  readonly maxBodyBytes?: number;
  readonly maxMessageBytes?: number;
  readonly maxOperationsPerSocket?: number;
  readonly maxSocketsPerViewer?: number;
  readonly maxSocketsPerAddress?: number;
  readonly maxUpgradesPerSecond?: number;
  readonly maxSocketSeconds?: number;
  readonly maxRequestSeconds?: number;
  readonly introspection?: boolean;
  readonly graphiql?: GraphiQLDefaults | false;
  readonly clock?: Clock;
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const logged: string[] = [];
  const log = createLog('debug', { write: (line) => void logged.push(line) });
  const source = new TestSource();
  const counters = new Counters();
  const clock = options.clock ?? systemClock;
  const execution = createExecution({
    schema: testSchema(source),
    contextFor: (credentials) => ({ credentials }),
    introspection: options.introspection ?? true,
    maxTokens: 2_000,
    maxDepth: 12,
    maxAliases: 30,
    maxRootFields: 20,
    maxRequestSeconds: options.maxRequestSeconds ?? 30,
    clock,
    counters,
    log,
  });
  const shared = {
    execution,
    counters,
    maxSocketSeconds: options.maxSocketSeconds ?? 0,
    basePath: options.basePath ?? '/',
    allowedOrigins: options.allowedOrigins ?? [],
    clock,
    log,
  };
  const server = {
    notReady: [] as string[],
  };
  const { server: http, cutStreams } = createHttpServer({
    ...shared,
    maxBodyBytes: options.maxBodyBytes ?? 131_072,
    graphiql: options.graphiql === false ? undefined : graphiqlPage(options.graphiql ?? {}),
    notReady: () => server.notReady,
  });
  const sockets = new SocketServer({
    ...shared,
    maxMessageBytes: options.maxMessageBytes ?? 65_536,
    maxOperationsPerSocket: options.maxOperationsPerSocket ?? 50,
    maxSocketsPerViewer: options.maxSocketsPerViewer ?? 10,
    maxSocketsPerAddress: options.maxSocketsPerAddress ?? 0,
    maxUpgradesPerSecond: options.maxUpgradesPerSecond ?? 0,
  });
  http.on('upgrade', (request, tcp, head) => sockets.upgrade(request, tcp, head));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const path = `${options.basePath ?? ''}/graphql`;
  return Object.assign(server, {
    http: `http://127.0.0.1:${port}${path}`,
    ws: `ws://127.0.0.1:${port}${path}`,
    port,
    sockets,
    counters,
    cutStreams,
    source,
    logged,
    async [Symbol.asyncDispose]() {
      await sockets.stop();
      http.closeAllConnections();
      http.close();
    },
  });
}

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

function testSchema(source: TestSource): GraphQLSchema {
  const schema = buildSchema(`
    type Query { hello: String! never: String whoami: String! refused: String defect: String node: Node! big(bytes: Int!): String! }
    type Mutation { touch: String! }
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
  resolve(schema, 'Mutation', { touch: () => 'done' });
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
  return credentials.kind === 'bearer' ? credentials.token : `${credentials.cookie}+${credentials.csrfToken}`;
}

/** Time that passes when it is told to. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #tasks = new Set<{ due: number; task: () => void }>();

  now = () => this.#now;
  monotonic = () => this.#now;
  random = () => 0.5;

  after(milliseconds: number, task: () => void) {
    const entry = { due: this.#now + milliseconds, task };
    this.#tasks.add(entry);
    return { cancel: () => void this.#tasks.delete(entry) };
  }

  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let next = this.#nextUntil(end); next; next = this.#nextUntil(end)) {
      this.#now = next.due;
      this.#tasks.delete(next);
      next.task();
    }
    this.#now = end;
  }

  #nextUntil(end: number) {
    const due = [...this.#tasks].filter((entry) => entry.due <= end);
    return due.reduce<(typeof due)[number] | undefined>(
      (first, entry) => (first && first.due <= entry.due ? first : entry),
      undefined,
    );
  }
}

/** Waits for something that another process or the event loop will do in a moment. */
export async function eventually(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 400 && !holds(); attempt += 1) await new Promise((done) => setTimeout(done, 5));
  if (!holds()) throw new Error(`It did not happen in time: ${String(holds)}`);
}
