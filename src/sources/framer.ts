import { JsonScanner } from './json-scanner.ts';
import { UpstreamError } from './upstream-error.ts';

/** The largest document accepted, in bytes. An object in etcd is at most 1.5 MB; its JSON can be several times that. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Cuts a stream of bytes into JSON documents, which are objects or arrays. API servers write one document a line, and
 * a line that came in one piece is the fast path; a document that goes over several lines or pieces, or shares a line
 * with others, is read just as well, and is there as soon as its last byte is. Anything that is not JSON throws: nothing
 * is skipped. What is incomplete when the stream ends was torn and is forgotten.
 */
export class Framer {
  readonly #lines = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** For what arrives in pieces: it keeps the first bytes of a character until the others come. */
  readonly #pieces = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** The document that is not complete yet. */
  #scanner: JsonScanner | undefined;
  #text = '';
  #bytes = 0;
  #isLineOpen = false;
  #isFirst = true;

  /** The documents completed by `chunk`, in order. Throws an UpstreamError `malformed`. */
  *push(chunk: Uint8Array): Generator {
    for (let start = 0; start < chunk.length;) {
      const lineFeed = chunk.indexOf(LINE_FEED, start);
      const end = lineFeed < 0 ? chunk.length : lineFeed + 1;
      const isWhole = lineFeed >= 0 && !this.#isLineOpen && this.#scanner === undefined;
      yield* isWhole ? this.#line(chunk.subarray(start, end)) : this.#piece(chunk.subarray(start, end));
      this.#isLineOpen = lineFeed < 0;
      start = end;
    }
  }

  *#line(bytes: Uint8Array): Generator {
    const line = this.#decode(this.#lines, bytes, false);
    if (line === '\n' || line === '\r\n') return;
    const document = bytes.length > MAX_DOCUMENT_BYTES ? undefined : tryParse(line);
    if (document === undefined) yield* this.#scan(line);
    else yield document;
  }

  *#piece(bytes: Uint8Array): Generator {
    yield* this.#scan(this.#decode(this.#pieces, bytes, true));
  }

  /** The slow path, for what is not exactly one document a line. */
  *#scan(text: string): Generator {
    for (let start = 0; start < text.length;) {
      if (this.#scanner === undefined) {
        start = endOfSpace(text, start);
        if (start === text.length) return;
        this.#scanner = new JsonScanner();
      }
      const result = this.#scanner.push(text, start);
      if (result.kind === 'invalid') throw notJson();
      const end = result.kind === 'complete' ? result.end : text.length;
      this.#keep(text.slice(start, end));
      start = end;
      if (result.kind === 'complete') yield this.#take();
    }
  }

  #keep(text: string): void {
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > MAX_DOCUMENT_BYTES) {
      throw new UpstreamError('malformed', `The watch sent a document of more than ${MAX_DOCUMENT_BYTES} bytes.`);
    }
    this.#text += text;
  }

  #take(): unknown {
    const document = tryParse(this.#text);
    this.#scanner = undefined;
    this.#text = '';
    this.#bytes = 0;
    if (document === undefined) throw notJson();
    return document;
  }

  #decode(decoder: TextDecoder, bytes: Uint8Array, stream: boolean): string {
    let text: string;
    try {
      text = decoder.decode(bytes, { stream });
    } catch (cause) {
      throw new UpstreamError('malformed', 'The watch sent bytes that are not UTF-8.', { cause });
    }
    if (!this.#isFirst || text === '') return text;
    this.#isFirst = false;
    return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  }
}

/** Undefined for what is no document. */
function tryParse(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // not one whole document: the scanner finds out why
  }
}

/** The index of the first character at or after `start` that JSON does not take for space. */
function endOfSpace(text: string, start: number): number {
  let index = start;
  while (index < text.length && ' \n\r\t'.includes(text.charAt(index))) index += 1;
  return index;
}

function notJson(): UpstreamError {
  return new UpstreamError('malformed', 'The watch sent something that is not JSON.');
}
