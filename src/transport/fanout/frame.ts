import { constants, deflateRaw, deflateRawSync } from 'node:zlib';
import { promisify } from 'node:util';
import { SharedWrite } from './shared-write.ts';

/**
 * One message, finished for everyone who gets it. JSON has no order of keys, so the operation's id goes last: all
 * before it is the same for all, the header of the WebSocket frame included, and each socket adds but its own tail.
 */
export class Frame {
  readonly #message: Buffer;
  #deflated: Buffer | undefined;
  #event: Buffer | undefined;
  /** By length of the tail: it is a part of the header. Ids of one client library have one length. */
  readonly #plain = new Map<number, SharedWrite>();
  readonly #compressed = new Map<number, SharedWrite>();

  /** `result`: an execution result as JSON. */
  constructor(result: string) {
    this.#message = Buffer.from(`${BEGIN}${result}${END}`);
  }

  get bytes(): number {
    return this.#message.length;
  }

  /** Once for all, before it is written to those who take it compressed. Not worth it for the shortest. */
  async deflate(): Promise<void> {
    if (this.#deflated !== undefined || this.#message.length < LEAST_DEFLATED_BYTES) return;
    this.#deflated =
      this.#message.length < MOST_DEFLATED_AT_ONCE_BYTES
        ? deflateRawSync(this.#message, DEFLATE)
        : await promisify(deflateRaw)(this.#message, DEFLATE);
  }

  get isDeflated(): boolean {
    return this.#deflated !== undefined;
  }

  /** Before plain tails of this length. */
  plain(tailLength: number): SharedWrite {
    return shared(this.#plain, FIN_TEXT, this.#message, tailLength);
  }

  /** The same before tails made by `deflatedTail`. */
  compressed(tailLength: number): SharedWrite {
    return shared(this.#compressed, FIN_TEXT_DEFLATED, this.#deflated ?? this.#message, tailLength);
  }

  /** As a server-sent event. */
  get event(): Buffer {
    const result = this.#message.subarray(BEGIN.length, -END.length);
    return (this.#event ??= Buffer.concat([EVENT_BEGIN, result, EVENT_END]));
  }
}

/** The rest of the message: the id is the client's text. */
export function plainTail(id: string): Buffer {
  return Buffer.from(`${JSON.stringify(id).slice(1)}}`);
}

/**
 * The same for a compressed message: a stored block, which needs no compressor and no state (RFC 1951, 3.2.4). The
 * shared part ends on a byte boundary (Z_SYNC_FLUSH); the last byte begins the empty block whose other four bytes
 * RFC 7692 leaves out at a message's end. Undefined for an id too long for one block.
 */
export function deflatedTail(tail: Buffer): Buffer | undefined {
  const { length } = tail;
  if (length > 0xffff) return undefined;
  const block = Buffer.alloc(length + 6);
  block.writeUInt16LE(length, 1);
  block.writeUInt16LE(0xffff - length, 3);
  tail.copy(block, 5);
  return block;
}

const BEGIN = '{"type":"next","payload":';
const END = ',"id":"';
const EVENT_BEGIN = Buffer.from('event: next\ndata: ');
const EVENT_END = Buffer.from('\n\n');

const FIN_TEXT = 0x81;
const FIN_TEXT_DEFLATED = 0xc1;

const LEAST_DEFLATED_BYTES = 1_024;
/** More than this is given to another thread, and the loop goes on. */
const MOST_DEFLATED_AT_ONCE_BYTES = 262_144;
/** Level 1: it is done once a message, but it is done on the loop that everybody waits for. */
const DEFLATE = { level: 1, finishFlush: constants.Z_SYNC_FLUSH };
/** So many lengths of ids share a frame's bytes; others get copies, at their own cost. */
const SHARED_LENGTHS = 4;

function shared(known: Map<number, SharedWrite>, firstByte: number, body: Buffer, tailLength: number): SharedWrite {
  const hit = known.get(tailLength);
  if (hit !== undefined) return hit;
  const made = new SharedWrite([header(firstByte, body.length + tailLength), body], tailLength);
  if (known.size < SHARED_LENGTHS) known.set(tailLength, made);
  return made;
}

/** Of an unmasked frame, as servers send them (RFC 6455, 5.2). */
function header(firstByte: number, length: number): Buffer {
  if (length < 126) return Buffer.from([firstByte, length]);
  if (length < 65_536) return Buffer.from([firstByte, 126, length >> 8, length & 0xff]);
  const bytes = Buffer.alloc(10);
  bytes.writeUInt16BE((firstByte << 8) | 127, 0);
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}
