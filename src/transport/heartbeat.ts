import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../clock.ts';

const BEAT_MS = 12_000;

/**
 * Pings every 12 s and calls `onDead` when nothing was heard since the ping before. A peer that still has bytes to
 * take cannot answer before it took them: it is left to the watch on readers, or a slow line would never get through
 * its first snapshot. Returns how to stop.
 */
export function keepAlive(socket: WebSocket, tcp: Socket, clock: Clock, onDead: () => void): () => void {
  let waitingForPong = false;
  let timer: Timer = clock.after(BEAT_MS, beat);
  const heard = () => (waitingForPong = false);

  function beat(): void {
    if (tcp.writableLength > 0) waitingForPong = false;
    if (waitingForPong) {
      onDead();
      return;
    }
    if (tcp.writableLength === 0 && socket.readyState === socket.OPEN) {
      waitingForPong = true;
      socket.ping();
    }
    timer = clock.after(BEAT_MS, beat);
  }

  socket.on('pong', heard);
  socket.on('ping', heard);
  socket.on('message', heard);
  return () => timer.cancel();
}
