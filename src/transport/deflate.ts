import type { PerMessageDeflateOptions, WebSocket } from 'ws';

/**
 * permessage-deflate without memory on either side: each message stands for itself, so that one compressed for many
 * can be sent to all of them. ws itself compresses nothing for us (`compress: false`): a compressor a socket costs
 * 230 kB.
 */
export const DEFLATE_OFFER: PerMessageDeflateOptions = { serverNoContextTakeover: true, clientNoContextTakeover: true };

const EXTENSION = 'permessage-deflate';

/** ws' own view of the negotiation, which it keeps to itself. */
interface Negotiated {
  readonly _extensions?: { readonly [EXTENSION]?: { readonly params: Params; cleanup(): void } };
}

interface Params {
  readonly server_max_window_bits?: number;
}

/** Whether this peer takes what was compressed for everybody: with the largest window, which it may have refused. */
export function takesDeflated(socket: WebSocket): boolean {
  const { _extensions: extensions } = socket as Negotiated;
  const extension = extensions?.[EXTENSION];
  return extension !== undefined && (extension.params.server_max_window_bits ?? 15) === 15;
}

/** Frees what ws keeps of the decompressor of the last message, 40 kB or so, for a next one that may come in an hour. */
export function forgetDecompressor(socket: WebSocket): void {
  const { _extensions: extensions } = socket as Negotiated;
  extensions?.[EXTENSION]?.cleanup();
}
