import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import type { execute, subscribe } from 'graphql';
import { WebSocketServer } from 'ws';
import { Gate } from '../src/access/gate.ts';
import { Viewer } from '../src/access/viewer.ts';
import { credentialsFromHeaders } from '../src/access/credentials.ts';
import { systemClock } from '../src/clock.ts';
import { Counters } from '../src/counters.ts';
import { createLog } from '../src/log.ts';
import { Feed } from '../src/pubsub/feed.ts';
import { Hub } from '../src/pubsub/hub.ts';
import { UpdateReader } from '../src/pubsub/updates.ts';
import type { KubernetesObject } from '../src/kubernetes/object.ts';
import { PODS } from '../src/kubernetes/resources.ts';
import { schema } from '../src/schema/index.ts';
import type { Context } from '../src/schema/context.ts';
import { createExecution } from '../src/transport/execution.ts';
import { SocketServer } from '../src/transport/websocket.ts';
import { FakeSource } from '../test/support/fake-source.ts';
import { answer } from './child.ts';
import { makePods, podAt } from './pods.ts';

/**
 * The server under measurement: Kascade's own transport, schema and gate over a feed that is written to directly, or
 * what it is measured against. One process serves one of them.
 */

const source = new FakeSource();
const hub = new Hub({ source, clock: systemClock, lingerMs: 60_000 });
const gate = new Gate({
  hub,
  source,
  clock: systemClock,
  reviews: { allowMs: 3_600_000, denyMs: 10_000 },
  sharing: 'authorized',
  feedsPerViewer: 1_000,
  subscriptionsPerViewer: 1_000_000,
  lingerMs: 60_000,
  counters: new Counters(),
  audit: () => undefined,
});
const log = createLog('silent');
const server = createServer();
const delay = monitorEventLoopDelay({ resolution: 1 });

let version = 1;
let cpu = process.cpuUsage();
let startedAt = performance.now();
const changes: KubernetesObject[][] = [];
const rawSockets = new Set<Socket>();

function viewerOf(authorization: string | undefined): Viewer {
  const credentials = credentialsFromHeaders(authorization === undefined ? {} : { authorization });
  if (credentials === undefined) throw new Error('no credentials');
  return new Viewer(credentials);
}

function serveKascade(): void {
  const execution = createExecution({
    schema,
    contextFor: (credentials): Context => {
      let viewer: Viewer | undefined;
      const made = () => {
        const known = credentials();
        if (known === undefined) throw new Error('no credentials');
        return new Viewer(known);
      };
      return { viewer: () => (viewer ??= made()), gate, clock: systemClock };
    },
    introspection: true,
    maxTokens: 2_000,
    maxDepth: 12,
    maxAliases: 30,
    maxRootFields: 20,
    maxRequestSeconds: 30,
    clock: systemClock,
    counters: new Counters(),
    log,
  });
  const sockets = new SocketServer({
    execution,
    basePath: '/',
    allowedOrigins: [],
    maxMessageBytes: 65_536,
    maxSocketsPerViewer: Number.MAX_SAFE_INTEGER,
    maxSocketsPerAddress: 0,
    maxUpgradesPerSecond: 0,
    maxSocketSeconds: 0,
    maxOperationsPerSocket: 50,
    counters: new Counters(),
    clock: systemClock,
    log,
  });
  server.on('upgrade', (request, tcp, head) => sockets.upgrade(request, tcp, head));
}

/** yoga and graphql-ws as their documentation wires them, over the same feed. */
function servePlain(): void {
  const yoga = createYoga<{ authorization?: string }>({
    schema,
    context: ({ authorization }): Context => ({ viewer: () => viewerOf(authorization), gate, clock: systemClock }),
    logging: false,
    graphiql: false,
  });
  interface Root {
    execute: typeof execute;
    subscribe: typeof subscribe;
  }
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  useServer(
    {
      execute: (args) => (args.rootValue as Root).execute(args),
      subscribe: (args) => (args.rootValue as Root).subscribe(args),
      onSubscribe: async ({ connectionParams }, _id, params) => {
        const authorization = String(connectionParams?.['authorization']);
        const enveloped = yoga.getEnveloped({ authorization });
        const document = enveloped.parse(params.query);
        const errors = enveloped.validate(enveloped.schema, document);
        if (errors.length > 0) return errors;
        return {
          schema: enveloped.schema,
          operationName: params.operationName,
          document,
          variableValues: params.variables,
          contextValue: await enveloped.contextFactory(),
          rootValue: { execute: enveloped.execute, subscribe: enveloped.subscribe },
        };
      },
    },
    sockets,
  );
  server.on('upgrade', (request, tcp, head) =>
    sockets.handleUpgrade(request, tcp, head, (socket) => sockets.emit('connection', socket, request)),
  );
}

/** The floor: a finished frame, made once by ws itself, written to each socket. */
function serveRaw(): void {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('upgrade', (request, tcp, head) =>
    sockets.handleUpgrade(request, tcp, head, (socket) => {
      rawSockets.add(request.socket);
      socket.on('message', () => socket.send('{"type":"connection_ack"}'));
      socket.on('close', () => rawSockets.delete(request.socket));
    }),
  );
}

function broadcast(text: string): void {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(payload.length < 65_536 ? 4 : 10);
  header.writeUInt16BE(payload.length < 65_536 ? 0x817e : 0x817f, 0);
  if (payload.length < 65_536) header.writeUInt16BE(payload.length, 2);
  else header.writeBigUInt64BE(BigInt(payload.length), 2);
  const frame = Buffer.concat([header, payload]);
  for (const socket of rawSockets) socket.write(frame);
}

function sink() {
  const [reflection] = source.open;
  if (reflection === undefined) throw new Error('nobody looks');
  return reflection.sink;
}

answer({
  async listen(kind: 'kascade' | 'plain' | 'raw'): Promise<number> {
    ({ kascade: serveKascade, plain: servePlain, raw: serveRaw })[kind]();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4_096, resolve));
    return (server.address() as AddressInfo).port;
  },

  /** Opens the feed, by a subscription of our own, and fills it. */
  async fill(pods: number): Promise<void> {
    if (source.open.length === 0) {
      await gate.subscribe(viewerOf('Bearer glpat-bench'), { agentId: '1', namespace: 'shop', resource: PODS }, {});
    }
    sink().replace(makePods(pods), '1', 'kept');
  },

  /** Makes events ready that change the first `count` pods: what a cluster would do is not measured here. */
  prepare(count: number, events: number): void {
    for (let event = 0; event < events; event += 1) {
      version += 1;
      changes.push(Array.from({ length: count }, (_, index) => podAt(index, version)));
    }
    globalThis.gc?.(); // tens of megabytes were made: what of it is garbage is no part of what is measured
  },

  /** One of those, within one turn of the loop: one message to everyone. */
  change(): void {
    for (const pod of changes.shift() ?? []) sink().upsert(pod);
  },

  broadcast,

  startMeasuring(): void {
    delay.reset();
    delay.enable();
    cpu = process.cpuUsage();
    startedAt = performance.now();
  },

  measured() {
    delay.disable();
    const { user, system } = process.cpuUsage(cpu);
    return {
      cpuMicros: user + system,
      systemMicros: system,
      wallMs: performance.now() - startedAt,
      delayP99Ms: delay.percentile(99) / 1e6,
      delayMaxMs: delay.max / 1e6,
    };
  },

  async memory() {
    for (let round = 0; round < 4; round += 1) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heapUsed };
  },

  /** Bytes of heap that a cached pod takes, of `count`. */
  async podBytes(count: number): Promise<number> {
    globalThis.gc?.();
    const feed = new Feed({ agentId: '9', namespace: 'shop', resource: PODS }, systemClock);
    const before = process.memoryUsage().heapUsed;
    feed.replace(makePods(count), '1', 'kept');
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc?.();
    return (process.memoryUsage().heapUsed - before) / feed.size;
  },

  /** Microseconds to store one upstream event and read it as one message, among so many objects. */
  eventMicros(objects: number): number {
    const feed = new Feed({ agentId: '9', namespace: 'shop', resource: PODS }, systemClock);
    feed.replace(makePods(objects), '1', 'kept');
    const reader = new UpdateReader(feed, undefined, undefined);
    reader.read();
    const events = Array.from({ length: 4_000 }, (_, index) => podAt(index % 100, 2 + Math.floor(index / 100)));
    const from = process.cpuUsage();
    for (const event of events) {
      feed.upsert(event);
      reader.read();
    }
    const { user, system } = process.cpuUsage(from);
    return (user + system) / events.length;
  },
});
