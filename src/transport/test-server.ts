import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { Counters } from '../counters.ts';
import { createLog } from '../log.ts';
import { createExecution } from './execution.ts';
import type { GraphiQLDefaults } from './graphiql.ts';
import { graphiqlPage } from './graphiql.ts';
import { createHttpServer } from './http.ts';
import { sendAway } from './send-away.ts';
import { TestSource, Touches, testSchema } from './test-schema.ts';
import { SocketServer } from './websocket.ts';

/** For the tests of this folder: both transports over a tiny schema, on a real port. */
export interface TestServer extends AsyncDisposable {
  readonly http: string;
  readonly ws: string;
  readonly port: number;
  readonly sockets: SocketServer;
  readonly counters: Counters;
  /** As when the process is told to end, over so many seconds. */
  readonly drain: (seconds?: number) => Promise<void>;
  /** Stops listening; resolves when every connection is gone. */
  readonly close: () => Promise<void>;
  readonly source: TestSource;
  readonly touches: Touches;
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
  const touches = new Touches();
  const counters = new Counters();
  const clock = options.clock ?? systemClock;
  const execution = createExecution({
    schema: testSchema(source, touches),
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
  const http = createHttpServer({
    ...shared,
    maxBodyBytes: options.maxBodyBytes ?? 131_072,
    graphiql: options.graphiql === false ? undefined : graphiqlPage(options.graphiql ?? {}),
    notes: () => [],
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
  http.server.on('upgrade', (request, tcp, head) => sockets.upgrade(request, tcp, head));
  http.server.listen(0, '127.0.0.1');
  await once(http.server, 'listening');
  const { port } = http.server.address() as AddressInfo;
  const drain = (seconds = 0) => {
    http.refuseMore();
    sockets.refuseMore();
    return sendAway([...sockets.farewells(), ...http.farewells()], seconds * 1_000, clock);
  };
  const path = `${options.basePath ?? ''}/graphql`;
  return Object.assign(server, {
    http: `http://127.0.0.1:${port}${path}`,
    ws: `ws://127.0.0.1:${port}${path}`,
    port,
    sockets,
    counters,
    drain,
    close: http.close,
    source,
    touches,
    logged,
    async [Symbol.asyncDispose]() {
      sockets.terminate();
      http.server.closeAllConnections();
      await http.close();
    },
  });
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
