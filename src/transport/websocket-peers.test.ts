import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ManualClock, eventually, startTestServer } from './test-server.ts';
import { rawSocket, UPGRADE } from './test-socket.ts';

test('a reader that takes nothing for 30 s is closed with 1013; a slow one and an idle one are not', async () => {
  const clock = new ManualClock();
  await using server = await startTestServer({ clock });
  await using idle = await rawSocket(server);
  await using slow = await rawSocket(server);
  await using stuck = await rawSocket(server);
  for (const raw of [stuck, slow])
    raw.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { flood(bytes: 262144) }' } });
  await eventually(() => stuck.messages.length > 2 && slow.messages.length > 2);
  stuck.socket.pause();
  const start = clock.monotonic();
  const isCut = () => server.logged.some((line) => line.includes('reads nothing'));
  while (!isCut() && clock.monotonic() - start < 60_000) {
    const before = slow.messages.length;
    await eventually(() => slow.messages.length > before + 1);
    await new Promise((done) => setTimeout(done, 10)); // the kernel's buffers for the stuck one fill up
    clock.pass(1_000);
  }
  expect(clock.monotonic() - start).toBeGreaterThanOrEqual(30_000);
  expect(isCut()).toBe(true);
  expect(server.counters.value('slow_consumers_cut', { transport: 'websocket' })).toBe(1);
  expect(server.sockets.queuedBytes).toBeGreaterThan(262_144);
  stuck.socket.resume();
  expect((await stuck.closed)[0]).toBe(1013);
  expect(slow.socket.readyState).toBe(WebSocket.OPEN);
  expect(idle.socket.readyState).toBe(WebSocket.OPEN);
});

test('a client that only asks and never reads is not read from for ever', async () => {
  const clock = new ManualClock();
  await using server = await startTestServer({ clock });
  await using raw = await rawSocket(server);
  raw.socket.pause();
  const payload = { filler: randomBytes(45_000).toString('base64') }; // which compression does not make small
  for (let count = 0; count < 2_000; count += 1) raw.send({ type: 'ping', payload });
  let waiting = Number.POSITIVE_INFINITY;
  while (raw.socket.bufferedAmount < waiting) {
    waiting = raw.socket.bufferedAmount;
    await new Promise((done) => setTimeout(done, 200));
  }
  expect(waiting).toBeGreaterThan(10_000_000); // what was not read waits at the client
  raw.socket.terminate();
});

test('a peer that answers no ping is dropped', async () => {
  const clock = new ManualClock();
  await using server = await startTestServer({ clock });
  await using alive = await rawSocket(server);
  await using dead = await rawSocket(server);
  dead.socket.pong = () => undefined;
  Object.assign(dead.socket, { _autoPong: false });
  for (let beat = 0; beat < 3; beat += 1) {
    clock.pass(12_000);
    await new Promise((done) => setTimeout(done, 20));
  }
  expect((await dead.closed)[0]).toBe(1006);
  expect(alive.socket.readyState).toBe(WebSocket.OPEN);
});

test('a client that is torn off in the middle of a message is no defect', async () => {
  await using server = await startTestServer();
  for (let client = 0; client < 10; client += 1) {
    const tcp = connect(server.port, '127.0.0.1');
    tcp.on('error', () => undefined);
    let received = '';
    let bytes = 0;
    tcp.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes < 10_000) received += chunk.toString('latin1');
    });
    tcp.write(UPGRADE('/graphql'));
    tcp.write(frameOf({ type: 'connection_init' }));
    await eventually(() => received.includes('connection_ack'));
    tcp.write(frameOf({ id: '1', type: 'subscribe', payload: { query: 'subscription { flood(bytes: 65536) }' } }));
    await eventually(() => bytes > 500_000);
    tcp.resetAndDestroy();
    await eventually(() => server.sockets.size === 0);
  }
  expect(server.logged.filter((line) => line.includes('"level":"error"'))).toEqual([]);
});

/** A masked text frame, with a mask of zeros. */
function frameOf(message: object): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]);
}
