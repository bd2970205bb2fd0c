/** Bounds connections and requests of a tenant: one that opens connection after connection leaves room for the others. */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { HeadgateError } from '../platform/base/errors.ts';
import { createPlaces } from '../platform/base/places.ts';
import { apiErrors } from './api-errors.ts';
import { ownerOf } from './authentication.ts';

interface Connection {
  tenantId: string;
  leave: () => void;
  /** Of its requests that have no whole answer yet; several only where a client sends ahead. */
  readonly open: Set<() => void>;
}

/**
 * After authentication and before any of the body is read: a connection belongs to the tenant that used it last, and a tenant
 * that has its share of connections or of requests under way is answered 429 on any further one, which is then closed.
 */
export function limitTenantRequests(api: FastifyInstance, tenantMax: number): void {
  const limits = { tenantMax, processMax: Number.MAX_SAFE_INTEGER };
  const [requests, connections] = [createPlaces(limits), createPlaces(limits)];
  const known = new WeakMap<Socket, Connection>();

  function connectionOf(socket: Socket, tenantId: string): Connection | undefined {
    const before = known.get(socket);
    if (before?.tenantId === tenantId) return before;
    const leave = connections.take(tenantId);
    if (leave === undefined) return undefined;
    if (before !== undefined) {
      before.leave();
      return Object.assign(before, { tenantId, leave });
    }
    const connection: Connection = { tenantId, leave, open: new Set() };
    known.set(socket, connection);
    socket.once('close', () => {
      connection.leave();
      for (const end of connection.open) end();
    });
    return connection;
  }
  api.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw;
    // Closed while its key was looked up: nothing would tell us that it ends.
    if (socket.destroyed) throw new HeadgateError(apiErrors.E_REQUEST, 'the sender went away');
    const { tenantId } = ownerOf(request);
    const connection = connectionOf(socket, tenantId);
    const end = connection && requests.take(tenantId);
    if (end === undefined) {
      reply.header('connection', 'close');
      throw new HeadgateError(apiErrors.E_TOO_MANY_REQUESTS, `${tenantMax} connections or requests of this tenant are open already`);
    }
    connection!.open.add(end);
    reply.raw.once('close', () => {
      connection!.open.delete(end);
      end();
    });
  });
}
