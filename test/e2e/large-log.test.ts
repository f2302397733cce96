import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { eventually } from '../support/eventually.ts';
import { WholeServer } from '../support/whole-server.ts';

/** 100 MB unless told; `KASCADE_LOG_BYTES=1073741824` for a gibibyte. */
const BYTES = Number(process.env['KASCADE_LOG_BYTES'] ?? 100_000_000);
const VIEWERS = 50;
/** Of the whole process: server, cluster and all fifty clients. What the log adds to it does not depend on its length. */
const MOST_GROWTH = 400 * 1024 * 1024;

interface Batch {
  readonly text: string;
  readonly skipped: number;
  readonly ended: boolean;
}

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start({ MAX_SOCKETS_PER_VIEWER: '100' });
});

afterAll(() => whole.stop());

function* lines(total: number, counted: { lines: number }): Generator<Buffer, void> {
  const padding = 'x'.repeat(150);
  for (let sent = 0; sent < total;) {
    const part: string[] = [];
    for (let index = 0; index < 300; index += 1) {
      part.push(`2026-03-01T12:00:00.${String(counted.lines % 1e9).padStart(9, '0')}Z ${counted.lines} ${padding}\n`);
      counted.lines += 1;
    }
    const chunk = Buffer.from(part.join(''));
    sent += chunk.length;
    yield chunk;
  }
}

it(`carries ${BYTES} bytes to ${VIEWERS} viewers over one stream, in bounded memory`, async () => {
  whole.store.create(makePod({ name: 'large', namespace: 'logs' }));
  const counted = { lines: 0 };
  const api = whole.kas.agent(1).api;
  let isOpen = false;
  api.faults.add({
    match: { subresource: 'log' },
    effect: {
      logBytes: () => {
        isOpen = true;
        return lines(BYTES, counted);
      },
      delayHeadersMs: 2_000, // until all viewers are there
    },
  });
  const seen = Array.from({ length: VIEWERS }, () => ({
    lines: 0,
    skipped: 0,
    last: 0,
    completed: false,
    error: undefined as unknown,
  }));
  const clients = await connected(VIEWERS);
  for (const [index, viewer] of seen.entries()) {
    // Some read line by line, most as text.
    const lines = index % 10 === 0 ? 'lines { number content } ' : '';
    clients[index]?.subscribe<{ k8sLogs: Batch }>(
      {
        query: `subscription { k8sLogs(agentId: "1", namespace: "logs", podName: "large", containerName: "app") { ${lines}text skipped ended } }`,
      },
      {
        next: ({ data }) => {
          const text = data?.k8sLogs.text ?? '';
          viewer.lines += text.split('\n').length - 1;
          viewer.skipped += data?.k8sLogs.skipped ?? 0;
          viewer.last = Number(/(\d+) x+\n$/.exec(text.slice(-300))?.[1] ?? viewer.last);
        },
        error: (error) => (viewer.error = error),
        complete: () => (viewer.completed = true),
      },
    );
  }
  await eventually('the stream', () => isOpen, 10_000);
  const before = memory();
  let most = 0;
  const sampling = setInterval(() => (most = Math.max(most, memory() - before)), 20);
  await eventually(
    'all ends',
    () => seen.every(({ completed, error }) => completed || error !== undefined),
    240_000,
    () => seen.filter(({ completed }) => !completed),
  );
  clearInterval(sampling);
  expect(seen.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(whole.kas.counts({ subresource: 'log' })).toBe(1);
  expect(counted.lines).toBeGreaterThan(BYTES / 250);
  for (const viewer of seen) {
    expect(viewer.lines + viewer.skipped).toBe(counted.lines);
    expect(viewer.last).toBe(counted.lines - 1);
  }
  expect(most).toBeLessThan(MOST_GROWTH);
  process.stdout.write(`large log: ${counted.lines} lines, at most ${Math.round(most / 1e6)} MB more\n`);
}, 360_000);

/** Clients whose sockets are open before the flood begins: all of this runs in one process. */
async function connected(count: number) {
  let open = 0;
  const clients = Array.from({ length: count }, () => whole.client());
  for (const client of clients) {
    client.subscribe(
      { query: 'subscription { k8sConnection(agentId: "1", namespace: "logs") { status } }' },
      { next: () => (open += 1), error: () => undefined, complete: () => undefined },
    );
  }
  await eventually(
    'all sockets',
    () => open >= count,
    20_000,
    () => open,
  );
  return clients;
}

function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
