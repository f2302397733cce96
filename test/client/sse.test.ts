import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sse, toKascadeError } from '../../client/index.ts';
import { SseParser } from '../../client/sse-parser.ts';
import { eventually } from '../support/eventually.ts';

let answer: (response: ServerResponse) => void;
let url: string;
const server = createServer((_request, response) => answer(response));

beforeEach(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function subscribe(silenceMs = 10_000) {
  const heard: string[] = [];
  const stop = sse({ url, silenceMs })(
    { query: 'subscription { a }' },
    {
      next: ({ data }) => heard.push(JSON.stringify(data)),
      error: (error) => heard.push(`${toKascadeError(error).code}: ${toKascadeError(error).message}`),
      complete: () => heard.push('complete'),
    },
  );
  return { heard, stop };
}

function stream(response: ServerResponse, ...parts: string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const part of parts) response.write(part);
}

it('puts events together from pieces cut anywhere, and drops pings', () => {
  const text = ':\n\nevent: next\ndata: {"data":{"a":"ä"}}\n\n: ping\n\nevent: complete\ndata:\n\n';
  for (let cut = 0; cut < text.length; cut += 1) {
    const parser = new SseParser();
    expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]).toEqual([
      { event: 'next', data: '{"data":{"a":"ä"}}' },
      { event: 'complete', data: '' },
    ]);
  }
});

it('carries messages and the end', async () => {
  answer = (response) => stream(response, 'event: next\ndata: {"data":{"a":1}}\n\nevent: complete\ndata:\n\n');
  const { heard } = subscribe();
  await eventually('the end', () => heard.length === 2, 5_000);
  expect(heard).toEqual(['{"a":1}', 'complete']);
});

it('tells a cut from an end', async () => {
  answer = (response) => {
    stream(response, 'event: next\ndata: {"data":{"a":1}}\n\n');
    response.end();
  };
  const { heard } = subscribe();
  await eventually('the cut', () => heard.length === 2, 5_000);
  expect(heard[1]).toBe('NETWORK: The connection was cut.');
});

it('gives up on a server that fell silent', async () => {
  answer = (response) => stream(response, ':\n\n');
  const { heard } = subscribe(50);
  await eventually('giving up', () => heard.length === 1, 5_000);
  expect(heard[0]).toBe('NETWORK: The server fell silent.');
});

it('reports what the server said instead of a stream', async () => {
  answer = (response) => {
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end('{"errors":[{"message":"No.","extensions":{"code":"FORBIDDEN","retryable":false}}]}');
  };
  const { heard } = subscribe();
  await eventually('the refusal', () => heard.length === 1, 5_000);
  expect(heard).toEqual(['FORBIDDEN: No.']);
});

it('is silent after it was stopped, and lets go of the connection', async () => {
  let gone = false;
  answer = (response) => {
    response.on('close', () => (gone = true));
    stream(response, ':\n\n');
  };
  const { heard, stop } = subscribe();
  await new Promise<void>((resolve) => {
    server.once('request', () => resolve());
  });
  stop();
  await eventually('the connection is closed', () => gone, 5_000);
  expect(heard).toEqual([]);
});
