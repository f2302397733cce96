import type { Socket } from 'node:net';

/**
 * Bytes that are the same for many sockets but for their tails, which are of one length.
 *
 * The kernel copies what it takes. So as long as it takes all at once, which it does unless a peer is slow, one buffer
 * does for everybody: only the tail in it is exchanged, and each socket costs one plain write, as with a broadcast of
 * ready-made bytes. The first socket that keeps the buffer, because a part of it has still to be sent, ends that for
 * this message: to the others it goes in two parts, of which the large one is still the same memory.
 */
export class SharedWrite {
  readonly #whole: Buffer;
  readonly #head: Buffer;
  #isKept = false;

  /** `head`: what precedes the tail, in parts. */
  constructor(head: readonly Buffer[], tailLength: number) {
    this.#whole = Buffer.concat([...head, Buffer.alloc(tailLength)]);
    this.#head = this.#whole.subarray(0, this.#whole.length - tailLength);
  }

  /**
   * To a socket that has taken all that was written to it before this frame. If another operation on it has just filled
   * it, this one waits as well: then the buffer is kept from that operation on, or from this one.
   */
  to(tcp: Socket, tail: Buffer): void {
    if (this.#isKept) writeBoth(tcp, this.#head, tail);
    else {
      this.#whole.set(tail, this.#head.length);
      tcp.write(this.#whole);
      this.#isKept = tcp.writableLength > 0;
    }
  }
}

/** In one system call. */
function writeBoth(tcp: Socket, head: Buffer, tail: Buffer): void {
  tcp.cork();
  tcp.write(head);
  tcp.write(tail);
  tcp.uncork();
}
