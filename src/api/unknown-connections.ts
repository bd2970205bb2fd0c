/**
 * Connections that have not shown a valid key yet take at most half of the room: where more come, the one that has been
 * silent for the longest is closed. Whoever opens thousands and says nothing keeps nobody out who asks at once.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface UnknownConnections {
  /** Its key was good. */
  know(socket: Socket): void;
}

export function limitUnknownConnections(server: Server, connectionsMax: number): UnknownConnections {
  const unknownMax = Math.max(1, Math.floor(connectionsMax / 2));
  // In the order in which they came.
  const unknown = new Set<Socket>();
  server.on('connection', (socket) => {
    unknown.add(socket);
    socket.once('close', () => unknown.delete(socket));
    if (unknown.size <= unknownMax) return;
    const [oldest] = unknown;
    unknown.delete(oldest!);
    oldest!.destroy();
  });
  return { know: (socket) => void unknown.delete(socket) };
}
