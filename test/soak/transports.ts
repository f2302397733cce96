import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { SseParser } from '../../client/sse-parser.ts';

export interface Operation {
  readonly url: string;
  readonly token: string;
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

export interface Messages {
  next(message: { readonly data?: Record<string, unknown> | null; readonly errors?: unknown }): void;
  /** Once, unless it was closed before. */
  ended(why: string): void;
}

export interface Connection {
  /** Takes nothing from the network until `resume`. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** The graphql-ws client, with one operation. */
export function overWebSocket({ url, token, query, variables }: Operation, messages: Messages): Connection {
  let socket: WebSocket | undefined;
  let isClosed = false;
  const end = (why: string) => {
    if (!isClosed) messages.ended(why);
    isClosed = true;
  };
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: 0,
    on: { opened: (opened) => (socket = opened as WebSocket) },
  });
  client.subscribe(
    { query, variables },
    {
      next: (message) => messages.next(message as Parameters<Messages['next']>[0]),
      error: (error) => end(describe(error)),
      complete: () => end('complete'),
    },
  );
  return {
    pause: () => socket?.pause(),
    resume: () => socket?.resume(),
    close: () => {
      isClosed = true;
      socket?.resume();
      // A connection that was still being opened is a rejection of its own.
      Promise.resolve(client.dispose()).catch(() => undefined);
      socket?.terminate();
    },
  };
}

/** Server-sent events, on a connection of their own. */
export function overEvents({ url, token, query, variables }: Operation, messages: Messages): Connection {
  let response: IncomingMessage | undefined;
  let isClosed = false;
  const end = (why: string) => {
    if (!isClosed) messages.ended(why);
    isClosed = true;
  };
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'text/event-stream',
    'content-type': 'application/json',
  };
  const outgoing = request(`${url}/graphql`, { method: 'POST', headers, agent: false }, (incoming) => {
    response = incoming;
    const parser = new SseParser();
    incoming.setEncoding('utf8');
    incoming.on('data', (text: string) => {
      for (const { event, data } of parser.push(text)) {
        if (event === 'next') messages.next(JSON.parse(data) as Parameters<Messages['next']>[0]);
        if (event === 'complete') end('complete');
      }
    });
    incoming.on('error', (error) => end(describe(error)));
    incoming.on('end', () => end('end'));
  });
  outgoing.on('error', (error) => end(describe(error)));
  outgoing.end(JSON.stringify({ query, variables }));
  return {
    pause: () => void response?.pause(),
    resume: () => void response?.resume(),
    close: () => {
      isClosed = true;
      outgoing.destroy();
    },
  };
}

/** One question and its answer, on a connection of its own. Resolves with the errors, if there are any. */
export function ask({ url, token, query, variables }: Operation): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const outgoing = request(`${url}/graphql`, { method: 'POST', headers, agent: false }, (incoming) => {
      json(incoming).then((answer) => resolve((answer as { readonly errors?: unknown }).errors), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ query, variables }));
  });
}

function describe(error: unknown): string {
  if (error instanceof Error) return error.message;
  if (typeof error === 'object' && error !== null && 'code' in error) return `closed with ${String(error.code)}`;
  return JSON.stringify(error);
}
