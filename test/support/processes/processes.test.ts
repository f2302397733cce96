import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { eventually, pause } from '../eventually.ts';
import { hasRedis, RedisServer } from './redis-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** The tools of fault tests are trusted, so they are tested too. */

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it('a child, even a stopped one, ends when the process that started it is killed', async () => {
  const childModule = new URL('./child.ts', import.meta.url).href;
  const script = `
    import { Child } from '${childModule}';
    const child = new Child({ name: 'sleeper', command: 'sh', args: ['-c', 'echo $$; exec sleep 600'] });
    console.log(await child.line(() => true));
    child.signal('SIGSTOP');
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await eventually('the child has ended', () => !isAlive(pid), 5_000);
});

it.skipIf(!hasRedis('what redis-servers of tests can do'))('a redis-server stops, goes on, and forgets', async () => {
  const redis = await RedisServer.start();
  try {
    await redis.command('SET', 'a', '1');
    redis.pause();
    const answer = redis.command('GET', 'a');
    await pause(100);
    redis.resume();
    expect(await answer).toBe('1');
    await redis.kill();
    await expect(redis.command('GET', 'a')).rejects.toThrow('closed');
    await redis.restart();
    expect(await redis.keys()).toEqual([]);
  } finally {
    await redis.close();
  }
});

/** A server that sends back what it gets, through a proxy; and one client of it. */
async function echo() {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await TcpProxy.start((server.address() as AddressInfo).port);
  const client = await through(proxy);
  const close = async () => {
    client.socket.destroy();
    await proxy[Symbol.asyncDispose]();
    server.close();
  };
  return { proxy, client, close };
}

async function through(proxy: TcpProxy) {
  const socket = connect(proxy.port, '127.0.0.1');
  const client = { socket, heard: '', ending: '' };
  socket.on('data', (chunk: Buffer) => (client.heard += chunk.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => (client.ending = error.code ?? ''));
  socket.on('close', () => (client.ending ||= 'end'));
  await eventually('an answer', () => !socket.connecting, 2_000);
  return client;
}

it('a proxy passes, holds back, delays, loses, cuts in the middle, refuses, and heals', async () => {
  const { proxy, client, close } = await echo();
  const hears = (text: string) =>
    eventually(
      text,
      () => client.heard === text,
      2_000,
      () => client,
    );
  client.socket.write('a');
  await hears('a');
  expect(proxy.connections[0]?.said).toBe('a');

  proxy.disturb({ kind: 'blackHole' });
  client.socket.write('b');
  await pause(50);
  expect(client.heard).toBe('a');
  proxy.heal();
  await hears('ab');

  proxy.disturb({ kind: 'latency', ms: 50 });
  const at = performance.now();
  client.socket.write('c');
  client.socket.write('d');
  await hears('abcd');
  expect(performance.now() - at).toBeGreaterThanOrEqual(99);
  proxy.heal();

  const dropped = proxy.connections[0]?.dropNext((piece) => piece.includes('e'));
  client.socket.write('e');
  await dropped;
  client.socket.write('f');
  await hears('abcdf');

  proxy.disturb({ kind: 'resetAfter', bytes: 3 });
  client.socket.write('12345');
  await eventually(
    'a reset',
    () => client.ending === 'ECONNRESET',
    2_000,
    () => client,
  );
  expect(client.heard).toBe('abcdf123');

  proxy.refuse();
  const refused = await through(proxy);
  await eventually('another reset', () => refused.ending === 'ECONNRESET', 2_000);
  proxy.heal();
  const again = await through(proxy);
  again.socket.end('g');
  await eventually('the end', () => again.ending === 'end', 2_000);
  expect(again.heard).toBe('g');
  await close();
});
