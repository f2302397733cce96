import type { Socket } from 'node:net';

/** Breaks a connection with a TCP reset. Node cannot send one below TLS: there the connection ends without a farewell. */
export function resetConnection(socket: Socket | null): void {
  if (socket === null) return;
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}
