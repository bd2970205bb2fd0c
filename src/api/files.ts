/** Files and arrivals: lists, single ones, and what a person decides about an arrival that was held. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { ofKnownFlow } from '../control/flows/applying/flow-views.ts';
import { arrivalStates } from '../pipeline/arrivals/arrival-state.ts';
import { findArrival, findFile, listArrivals, listFiles, type UnsentState, unsentStates } from '../pipeline/arrivals/arrival-views.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, describe, found, id, idParameter, line, named, pageOfItems, query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';
import { pageOf, pageQuery, readCursor } from './paging.ts';

interface ListQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly flow?: string;
  readonly state?: string;
  readonly container?: string;
  readonly acknowledgement?: UnsentState;
}

const flowFilter = { flow: Type.Optional(line(120)) };

export function fileRoutes({ db, plans }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: ListQuery }>(
      '/files',
      {
        config: { scope: 'files:read' },
        schema: describe({
          operationId: 'listFiles',
          summary: 'Lists accepted files',
          tag: 'files',
          querystring: query({ ...pageQuery, ...flowFilter, acknowledgement: Type.Optional(choice(unsentStates)) }),
          answers: { 200: pageOfItems(named('File')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor, limit, flow, acknowledgement } = request.query;
        const page = { before: readCursor(request, cursor), limit: limit + 1, flow, acknowledgement };
        const rows = await withTenant(db, ownerOf(request).tenantId, async (tx) => ofKnownFlow(tx, flow, await listFiles(tx, page)), {
          readOnly: true,
        });
        return pageOf(request, rows, limit, (file) => file.fileId);
      },
    );
    api.get<{ Params: { id: string } }>(
      '/files/:id',
      {
        config: { scope: 'files:read' },
        schema: describe({
          operationId: 'getFile',
          summary: 'One accepted file',
          tag: 'files',
          params: idParameter,
          answers: { 200: named('FileDetails') },
          problems: [404],
        }),
      },
      async (request) =>
        found(await withTenant(db, ownerOf(request).tenantId, (tx) => findFile(tx, request.params.id), { readOnly: true })),
    );
    api.get<{ Querystring: ListQuery }>(
      '/arrivals',
      {
        config: { scope: 'files:read' },
        schema: describe({
          operationId: 'listArrivals',
          summary: 'Lists arrivals, accepted or not',
          tag: 'files',
          querystring: query({ ...pageQuery, ...flowFilter, state: Type.Optional(choice(arrivalStates)), container: Type.Optional(id) }),
          answers: { 200: pageOfItems(named('Arrival')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor, limit, flow, state, container } = request.query;
        const page = { before: readCursor(request, cursor), limit: limit + 1, flow, state, container };
        const rows = await withTenant(db, ownerOf(request).tenantId, async (tx) => ofKnownFlow(tx, flow, await listArrivals(tx, page)), {
          readOnly: true,
        });
        return pageOf(request, rows, limit, (arrival) => arrival.arrivalId);
      },
    );
    api.get<{ Params: { id: string } }>(
      '/arrivals/:id',
      {
        config: { scope: 'files:read' },
        schema: describe({
          operationId: 'getArrival',
          summary: 'One arrival',
          tag: 'files',
          params: idParameter,
          answers: { 200: named('Arrival') },
          problems: [404],
        }),
      },
      async (request) =>
        found(await withTenant(db, ownerOf(request).tenantId, (tx) => findArrival(tx, request.params.id, plans), { readOnly: true })),
    );
  };
}
