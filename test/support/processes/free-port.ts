import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Where ports are taken from: below those that systems hand out to outgoing connections (Linux from 32,768 on), so that
 * none is taken by a client between the look and the start, or while a server that is to come back is away. A node of a
 * Redis Cluster takes the one 10,000 above as well, which stays below, too.
 */
const FIRST = 10_000;
const COUNT = 12_000;
const ATTEMPTS = 100;

/** A port of 127.0.0.1 that nobody listens on now: for programs that must be told theirs. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port is free from ${FIRST} on: ${ATTEMPTS} were tried`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
