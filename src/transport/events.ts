import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { ExecutionResult } from 'graphql';
import type { Clock, Timer } from '../clock.ts';
import type { Counters } from '../counters.ts';
import type { Execution, OperationRequest, PreparedOperation } from './execution.ts';
import type { Frame } from './fanout/frame.ts';
import type { Outlet } from './fanout/outlet.ts';
import { liveResults } from './live.ts';
import { shownError } from './shown-error.ts';

const BEAT_MS = 12_000;
const BEAT = ':\n\n';
const HEADERS = {
  'content-type': 'text/event-stream',
  connection: 'keep-alive',
  'cache-control': 'no-cache',
  'content-encoding': 'none',
};

/** The operation in a request's body, or for GET in its address, if it can be read at all. */
export function operationOf(url: URL, body: Uint8Array | undefined): OperationRequest | undefined {
  try {
    const { query, operationName, variables } =
      body === undefined ? fromAddress(url.searchParams) : (JSON.parse(Buffer.from(body).toString()) as Asked);
    if (typeof query !== 'string' || !isTextOrNothing(operationName) || !isObjectOrNothing(variables)) return undefined;
    return { query, operationName, variables };
  } catch {
    return undefined;
  }
}

interface Asked {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
}

function fromAddress(parameters: URLSearchParams): Asked {
  const variables = parameters.get('variables');
  return {
    query: parameters.get('query'),
    operationName: parameters.get('operationName'),
    variables: variables === null ? null : (JSON.parse(variables) as unknown),
  };
}

function isTextOrNothing(value: unknown): value is string | null | undefined {
  return value == null || typeof value === 'string';
}

function isObjectOrNothing(value: unknown): value is Record<string, unknown> | null | undefined {
  return value == null || (typeof value === 'object' && !Array.isArray(value));
}

/**
 * A subscription as server-sent events (graphql-sse, distinct connections), until it ends or its client goes. What is
 * shared with others is written as finished bytes, by way of the outlet; what is not, here, as fast as it is taken.
 */
export async function serveEvents(
  response: ServerResponse,
  operation: PreparedOperation,
  { clock, execution, counters }: { readonly clock: Clock; readonly execution: Execution; readonly counters: Counters },
): Promise<void> {
  const delivered = counters.series('deliveries', { transport: 'sse', mode: 'plain' });
  const result = await operation.run(new EventOutlet(response));
  if (response.destroyed) {
    if (Symbol.asyncIterator in result) await liveResults(result).return(undefined);
    return;
  }
  response.writeHead(200, HEADERS);
  response.write(BEAT); // some browsers show nothing, headers included, before a first byte
  const stopBeating = beat(response, clock);
  response.once('close', stopBeating);
  if (Symbol.asyncIterator in result) await writeAll(response, result, execution, () => (delivered.value += 1));
  else await write(response, result);
  if (!response.destroyed) response.end('event: complete\ndata:\n\n');
  stopBeating();
}

async function writeAll(
  response: ServerResponse,
  source: AsyncIterable<ExecutionResult>,
  execution: Execution,
  onDelivery: () => void,
): Promise<void> {
  const results = liveResults(source);
  response.once('close', () => void results.return(undefined));
  try {
    for await (const result of results) {
      await write(response, result);
      onDelivery();
    }
  } catch (error) {
    await write(response, { errors: [execution.clientError(error)] });
  }
}

async function write(response: ServerResponse, { errors, ...rest }: ExecutionResult): Promise<void> {
  if (response.destroyed) return;
  const data = JSON.stringify(errors === undefined ? rest : { errors: errors.map(shownError), ...rest });
  if (response.write(`event: next\ndata: ${data}\n\n`) || response.destroyed) return;
  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).catch(() => undefined);
  stop.abort();
}

function beat(response: ServerResponse, clock: Clock): () => void {
  let timer: Timer = clock.after(BEAT_MS, next);
  function next(): void {
    if (response.writableLength === 0) response.write(BEAT);
    timer = clock.after(BEAT_MS, next);
  }
  return () => timer.cancel();
}

class EventOutlet implements Outlet {
  readonly transport = 'sse';
  readonly deflates = false;
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get free(): boolean {
    const response = this.#response;
    return response.headersSent && response.writableLength === 0 && !response.writableEnded && !response.destroyed;
  }

  write(frame: Frame): void {
    this.#response.write(frame.event);
  }

  onFree(listener: () => void): () => void {
    this.#response.on('drain', listener);
    return () => this.#response.off('drain', listener);
  }
}
