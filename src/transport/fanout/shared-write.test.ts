import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { SharedWrite } from './shared-write.ts';

let cleanups: (() => void)[] = [];

afterEach(() => {
  for (const clean of cleanups) clean();
  cleanups = [];
});

/** Both ends of connections whose far ends do not read before they are told to. */
async function connections(count: number): Promise<{ near: Socket; far: Socket }[]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  const pairs = [];
  for (let index = 0; index < count; index += 1) {
    const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [near] = (await once(server, 'connection')) as [Socket];
    cleanups.push(
      () => far.destroy(),
      () => near.destroy(),
    );
    pairs.push({ near, far });
  }
  return pairs;
}

async function read(socket: Socket, bytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await eventually('all of it', () => chunks.reduce((sum, { length }) => sum + length, 0) >= bytes, 5_000);
  return Buffer.concat(chunks).toString('latin1');
}

it.each([
  ['the kernel takes at once', 1_000, false],
  ['the kernel takes in parts', 20_000_000, true],
])('ends with its own tail for everybody, when it is what %s', async (_what, length, waits) => {
  const pairs = await connections(4);
  const body = Buffer.alloc(length, 'x');
  const message = new SharedWrite([Buffer.from('<'), body], 3);
  for (const [index, { near }] of pairs.entries()) message.to(near, Buffer.from(`[${index}]`));
  expect(pairs.some(({ near }) => near.writableLength > 0)).toBe(waits);
  for (const [index, { far }] of pairs.entries()) {
    expect((await read(far, length + 4)) === `<${body.toString()}[${index}]`).toBe(true);
  }
});

it('ends with its own tail for each operation of one socket, though the first has filled it', async () => {
  const [pair] = await connections(1);
  if (pair === undefined) throw new Error('no connection');
  const body = Buffer.alloc(20_000_000, 'x');
  const short = new SharedWrite([body], 3);
  const long = new SharedWrite([body], 5);
  const tails = ['[0]', '[1]', '[234]', '[567]', '[2]'];
  for (const tail of tails) (tail.length === 3 ? short : long).to(pair.near, Buffer.from(tail));
  const expected = tails.map((tail) => `${body.toString()}${tail}`).join('');
  expect((await read(pair.far, expected.length)) === expected).toBe(true);
});
