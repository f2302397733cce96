import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { ReadableStreamDefaultReader } from 'node:stream/web';
import type { ERROR_CODES } from '../errors.ts';

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

export interface Refusal {
  readonly code: (typeof ERROR_CODES)[number] | 'UNAVAILABLE';
  readonly message: string;
  /** What whoever asked can do about it. */
  readonly remedy: string;
}

/** One shape for all refusals, GraphQL's own: clients need no second way to read errors. */
export function sendRefusal(response: ServerResponse, status: number, { code, message, remedy }: Refusal): void {
  sendJson(response, status, { errors: [{ message, extensions: { code, retryable: status === 503, remedy } }] });
}

export function refuseWhileDraining(response: ServerResponse): void {
  response.setHeader('retry-after', '5').setHeader('connection', 'close');
  sendRefusal(response, 503, {
    code: 'UNAVAILABLE',
    message: 'This replica is stopping. Try again: another one answers.',
    remedy: 'Try again in a few seconds.',
  });
}

/** Sends an answer of the Fetch API no faster than the client takes it, and cancels it when the client goes. */
export async function sendFetchResponse(response: ServerResponse, answer: Response): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  const reader = answer.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
  response.once('close', () => void reader?.cancel().catch(() => undefined));
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    if (response.closed) return;
    if (!response.write(part.value) && !response.closed) await drained(response);
  }
  response.end();
}

async function drained(response: ServerResponse): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).catch(() => undefined);
  stop.abort();
}
