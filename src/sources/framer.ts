import { JsonScanner } from './json-scanner.ts';
import { UpstreamError } from './upstream-error.ts';

/** The largest document accepted, in bytes. An object in etcd is at most 1.5 MB; its JSON can be several times that. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Cuts a stream of bytes into JSON documents. API servers write one document a line, and that is the fast path;
 * a document that goes over several lines, or shares one with others, is read just as well. Lines are cut
 * as bytes, so that no character is ever torn. Anything that is not JSON throws: nothing is skipped.
 */
export class Framer {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** Pieces of the line that is not complete yet. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  /** Lines of the document that is not complete yet. */
  #scanner: JsonScanner | undefined;
  #lines = '';
  #isFirst = true;

  /** The documents completed by `chunk`, in order. Throws an UpstreamError `malformed`. */
  *push(chunk: Uint8Array): Generator<unknown> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      yield* this.#line(this.#take(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** At the end of the stream: what is left, if it is whole. The rest of a torn document is dropped. */
  *end(): Generator<unknown> {
    if (this.#pieceBytes === 0) return;
    const scanner = new JsonScanner();
    const text = this.#lines + this.#decode(this.#take(new Uint8Array()));
    const result = scanner.push(text);
    if (result.kind === 'complete' && text.slice(result.end).trim() === '') yield parse(text);
  }

  #keep(piece: Uint8Array): void {
    this.#pieceBytes += piece.length;
    if (this.#pieceBytes + this.#lines.length > MAX_DOCUMENT_BYTES) throw tooLarge();
    this.#pieces.push(piece);
  }

  #take(last: Uint8Array): Uint8Array {
    if (this.#pieceBytes === 0) return last;
    this.#keep(last);
    const line = Buffer.concat(this.#pieces, this.#pieceBytes);
    this.#pieces = [];
    this.#pieceBytes = 0;
    return line;
  }

  *#line(bytes: Uint8Array): Generator<unknown> {
    if (bytes.length > MAX_DOCUMENT_BYTES) throw tooLarge();
    const line = this.#decode(bytes);
    if (this.#scanner === undefined) {
      if (line === '' || line === '\r') return;
      const document = tryParse(line);
      if (document !== undefined) {
        yield document;
        return;
      }
    }
    yield* this.#scan(`${line}\n`);
  }

  /** The slow path, for what is not exactly one document a line. */
  *#scan(text: string): Generator<unknown> {
    for (let rest = text; rest.trim() !== '' || this.#scanner !== undefined;) {
      this.#scanner ??= new JsonScanner();
      const result = this.#scanner.push(rest);
      if (result.kind === 'invalid') throw new UpstreamError('malformed', 'The watch sent something that is not JSON.');
      if (result.kind === 'incomplete') {
        this.#lines += rest;
        if (this.#lines.length > MAX_DOCUMENT_BYTES) throw tooLarge();
        return;
      }
      const document = parse(this.#lines + rest.slice(0, result.end));
      this.#lines = '';
      this.#scanner = undefined;
      rest = rest.slice(result.end);
      yield document;
    }
  }

  #decode(bytes: Uint8Array): string {
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch (cause) {
      throw new UpstreamError('malformed', 'The watch sent bytes that are not UTF-8.', { cause });
    }
    if (this.#isFirst && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    this.#isFirst = false;
    return text;
  }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // not one whole document: the scanner finds out why
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new UpstreamError('malformed', 'The watch sent something that is not JSON.', { cause });
  }
}

function tooLarge(): UpstreamError {
  return new UpstreamError('malformed', `The watch sent a document of more than ${MAX_DOCUMENT_BYTES} bytes.`);
}
