import { globSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { parseTraceparent } from '../../src/tracing/trace-context.ts';
import { RightsServer } from '../rights/rights-server.ts';
import { eventually } from '../support/eventually.ts';
import { bytesAt, fieldsOf, textsIn } from './protobuf.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;
const PODS = '{ k8sPods(agentId: "1", namespace: "shop") { totalCount } }';
const HEX = /^[\da-f]{32}$/;

const started: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of started.splice(0)) await each[Symbol.asyncDispose]();
});

async function start(env: Record<string, string> = {}): Promise<RightsServer> {
  const server = await RightsServer.start({ env });
  started.push(server);
  return server;
}

async function ask(server: RightsServer, query: string, headers: Record<string, string> = {}) {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token('ada')}`, ...headers },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { errors?: { extensions: { upstream?: { traceId?: string } } }[] };
}

/** The traces of what was asked of KAS: for one viewer, and for everybody who looks. */
function tracesOf({ kas }: RightsServer) {
  const asked = kas.requests.filter(({ via }) => via === undefined);
  const traces = asked.map(({ verb, resource, traceparent }) => ({
    isShared: verb === 'list' || verb === 'watch' || verb === 'upgrade' || resource === '',
    context: parseTraceparent(traceparent),
  }));
  return {
    shared: traces.filter(({ isShared }) => isShared).map(({ context }) => context),
    viewers: traces.filter(({ isShared }) => !isShared).map(({ context }) => context),
  };
}

it("passes a request's trace on with what is asked for that viewer, and not with what is shared", async () => {
  const server = await start();
  await ask(server, PODS, { traceparent: TRACEPARENT });
  await eventually('the watch', () => server.kas.watchApi.connections.length > 0, 5_000);
  const { shared, viewers } = tracesOf(server);
  expect(viewers.length).toBeGreaterThan(0);
  expect(new Set(viewers.map((each) => each?.traceId))).toEqual(new Set([TRACE]));
  const spans = viewers.map((each) => each?.spanId);
  expect(new Set([SPAN, ...spans]).size).toBe(spans.length + 1);
  expect(shared.length).toBeGreaterThan(1);
  for (const each of shared) expect(each?.traceId).toMatch(HEX);
  expect(new Set([TRACE, ...shared.map((each) => each?.traceId)]).size).toBe(shared.length + 1);
});

it('the same over WebSocket, where it comes with connection_init', async () => {
  const server = await start();
  const raw = await server.raw('ada', { init: { traceparent: TRACEPARENT } });
  raw.send({ id: '1', type: 'subscribe', payload: { query: `subscription ${PODS.replace('totalCount', 'total')}` } });
  await eventually('a snapshot', () => raw.messages.some(({ type }) => type === 'next'), 5_000);
  const { shared, viewers } = tracesOf(server);
  expect(new Set(viewers.map((each) => each?.traceId))).toEqual(new Set([TRACE]));
  expect(shared.map((each) => each?.traceId)).not.toContain(TRACE);
});

it('a traceparent that is none is ignored', async () => {
  const server = await start();
  await ask(server, PODS, { traceparent: `00-${TRACE}-${SPAN}-01-canary` });
  const { viewers } = tracesOf(server);
  expect(viewers.length).toBeGreaterThan(0);
  for (const each of viewers) {
    expect(each?.traceId).toMatch(HEX);
    expect(each?.traceId).not.toBe(TRACE);
  }
});

it("KAS's trace ID is in the error and in the log, beside the client's", async () => {
  const server = await start();
  const { errors } = await ask(server, PODS, { authorization: 'Bearer glpat-nobody', traceparent: TRACEPARENT });
  const traceId = errors?.[0]?.extensions.upstream?.traceId;
  expect(traceId).toMatch(HEX);
  expect(traceId).not.toBe(TRACE);
  const line = server.lines.map((each) => JSON.parse(each) as Line).find(({ audit }) => audit?.event === 'deny');
  expect(line).toMatchObject({ traceId: TRACE, audit: { traceId } });
});

interface Line {
  readonly audit?: { readonly event: string };
}

/** An OpenTelemetry collector that keeps what it is sent. */
class Collector implements AsyncDisposable {
  readonly bodies: { readonly path: string; readonly type: string; readonly body: Buffer }[] = [];
  readonly #server: Server;

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    started.push(collector);
    return collector;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#take(request, response);
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = request.headers['content-type'] ?? '';
    this.bodies.push({ path: request.url ?? '', type, body: await buffer(request) });
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** resource_spans → scope_spans → spans, by the numbers of opentelemetry.proto.trace.v1. */
  get spans() {
    return this.bodies
      .flatMap(({ body }) => bytesAt(body, 1, 2, 2))
      .map((span) => {
        const fields = fieldsOf(span);
        const hex = (field: number) => fields.get(field)?.[0]?.toString('hex');
        return {
          traceId: hex(1),
          spanId: hex(2),
          parentId: hex(4),
          name: fields.get(5)?.[0]?.toString() ?? '',
          texts: textsIn(span),
        };
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

it('exports spans of operations and of requests to KAS to an OpenTelemetry collector, without credentials', async () => {
  const collector = await Collector.start();
  const server = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'kascade-here' });
  await ask(server, `query Shop ${PODS}`, { traceparent: TRACEPARENT, cookie: 'a=canary' });
  await ask(server, PODS, { authorization: 'Bearer glpat-canary', traceparent: TRACEPARENT });
  await server.server.stop(); // sends what it has

  expect(collector.bodies.map(({ path, type }) => [path, type])).toContainEqual([
    '/v1/traces',
    'application/x-protobuf',
  ]);
  const [resource] = collector.bodies.flatMap(({ body }) => bytesAt(body, 1, 1));
  expect(textsIn(resource ?? Buffer.alloc(0))).toContain('kascade-here');
  const { spans } = collector;
  const operations = spans.filter(({ name }) => name === 'GraphQL query');
  expect(operations.map(({ traceId, parentId }) => [traceId, parentId])).toEqual([
    [TRACE, SPAN],
    [TRACE, SPAN],
  ]);
  expect(operations[0]?.texts).toContain('Shop');
  expect(operations[1]?.texts).toContain('GITLAB_UNAUTHORIZED');
  const calls = spans.filter(({ parentId }) => parentId === operations[0]?.spanId);
  expect(calls.length).toBeGreaterThan(0);
  for (const { name, traceId } of calls) expect([name, traceId]).toEqual(['kas POST', TRACE]);
  // KAS is told the very spans that are exported.
  const told = server.kas.requests.flatMap(({ traceparent }) => parseTraceparent(traceparent)?.spanId ?? []);
  expect(told).toEqual(expect.arrayContaining(calls.map(({ spanId }) => spanId)));
  for (const { body } of collector.bodies) expect(body.toString('latin1')).not.toMatch(/canary|glpat|Bearer/);
});

function importing(what: string): string[] {
  return globSync('src/**/*.ts').filter((path) => readFileSync(path, 'utf8').includes(`from '${what}`));
}

it('loads OpenTelemetry only when there is something to export', () => {
  expect(importing('@opentelemetry/')).toEqual(['src/tracing/otlp.ts']);
  expect(['./otlp.ts', './tracing/otlp.ts'].flatMap(importing)).toEqual([]);
});
