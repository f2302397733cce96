import { once } from 'node:events';
import { WebSocket } from 'ws';
import { tokenOf } from '../test/support/whole-server.ts';
import type { Child } from './child.ts';
import { VARIABLES, podsDocument } from './pods.ts';

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Milliseconds from a write in the cluster to its arrival at a client, at twenty writes a second. */
export async function latency(whole: Child, url: string, writes: number): Promise<Percentiles> {
  const { took, leave } = await arrivals(url);
  for (let write = 0; write < writes; write += 1) {
    await whole.ask('change');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  leave();
  return percentiles(took);
}

interface Arrivals {
  /** How long each change took, in milliseconds: filled as they come. */
  readonly took: readonly number[];
  readonly leave: () => void;
}

/** A subscriber of this server. */
export async function arrivals(url: string): Promise<Arrivals> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${tokenOf('ada')}` } }));
  await once(socket, 'message');
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: podsDocument(), variables: VARIABLES } }));
  await once(socket, 'message');
  const took: number[] = [];
  socket.on('message', (data: Buffer) => {
    const now = performance.timeOrigin + performance.now();
    const writtenAt = /"at":"([\d.]+)"/.exec(data.toString())?.[1];
    if (writtenAt !== undefined) took.push(now - Number(writtenAt));
  });
  return { took, leave: () => socket.terminate() };
}

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}
