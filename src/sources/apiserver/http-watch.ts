import { isRecord, optionalInteger, record, text } from '../../kubernetes/json.ts';
import { trim } from '../../kubernetes/trim.ts';
import { Framer } from '../framer.ts';
import { Stopped } from '../stopped.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { WatchEnd, WatchEvent, WatchHandle, WatchListener } from '../upstream.ts';
import type { ApiClient, ApiRequest } from './client.ts';
import { refusalError } from './error-map.ts';
import type { Peer } from './peer.ts';

/** A watch as one HTTP response that goes on: a JSON document for each event. */
export function watchOverHttp(client: ApiClient, request: ApiRequest, listener: WatchListener): WatchHandle {
  const stream = new HttpWatch(client, request, listener);
  void stream.run();
  return stream;
}

class HttpWatch implements WatchHandle {
  readonly #client: ApiClient;
  readonly #request: ApiRequest;
  readonly #listener: WatchListener;
  readonly #framer = new Framer();
  readonly #abort = new AbortController();

  constructor(client: ApiClient, request: ApiRequest, listener: WatchListener) {
    this.#client = client;
    this.#request = request;
    this.#listener = listener;
  }

  async run(): Promise<void> {
    try {
      const { body } = await this.#client.open(this.#request, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      // Attached before anything else happens, so that the body is always drained and its failure heard.
      body.on('data', (chunk: Buffer) => this.#receive(() => this.#framer.push(chunk)));
      // A document that is not complete at the end was torn: the framer forgets it.
      body.on('end', () => this.#end({ kind: 'clean' }));
      body.on('error', (error) => this.#end({ kind: 'failed', error: this.#client.streamError(error) }));
      this.#listener.opened('HTTP_STREAM');
    } catch (error) {
      this.#end({ kind: 'failed', error: this.#client.streamError(error) });
    }
  }

  close(): void {
    this.#abort.abort(new Stopped());
  }

  #receive(documents: () => Iterable<unknown>): void {
    try {
      for (const document of documents()) {
        if (this.#abort.signal.aborted) return;
        this.#listener.event(watchEvent(document, this.#request.what, this.#client.peer));
      }
    } catch (error) {
      if (error instanceof UpstreamError) this.#end({ kind: 'failed', error });
      else throw error;
    }
  }

  #end(end: WatchEnd): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(new Stopped());
    this.#listener.ended(end);
  }
}

/** Reads one document of a watch. Throws the error that an ERROR event carries; nothing valid follows one. */
export function watchEvent(document: unknown, what: string, peer: Peer): WatchEvent {
  const { type, object } = record(document);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      try {
        return { type, object: trim(object) };
      } catch (cause) {
        throw new UpstreamError('malformed', 'The watch sent an event without a proper object.', { cause });
      }
    case 'BOOKMARK': {
      const resourceVersion = text(record(record(object)['metadata'])['resourceVersion']);
      if (resourceVersion !== '') return { type, resourceVersion };
      throw new UpstreamError('malformed', 'The watch sent a bookmark without a version.');
    }
    case 'ERROR':
      throw refusalError(
        {
          code: (isRecord(object) ? optionalInteger(object['code']) : undefined) ?? 500,
          status: object,
          gitlabUnauthorized: false,
          retryAfter: undefined,
          nowMs: 0,
        },
        what,
        peer,
      );
    default:
      throw new UpstreamError('malformed', 'The watch sent an event of an unknown type.');
  }
}
