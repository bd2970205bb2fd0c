/**
 * Headers that routes read: a route describes each of them, or can not read it. Those of HTTP itself (Content-Type, Content-Length,
 * Transfer-Encoding) and Authorization are no parameters of a route, and are read where they matter.
 */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';

/** A request with more in its headers never comes to a route. */
export const headerBytesMax = 16 * 1024;

/** Any text of it reaches the route, whose mistakes have codes of their own. */
export function header(description: string) {
  return Type.Optional(Type.String({ maxLength: headerBytesMax, description }));
}

/** Read for every route by the server. */
export const traceHeader = header(
  'W3C trace context: the trace that the request and all that it sets off belong to. Any other text starts a new one.',
);

/** What came several times is joined, as HTTP has it. Throws when the route does not describe it. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const described = request.routeOptions.schema?.headers as { readonly properties?: Readonly<Record<string, unknown>> } | undefined;
  if (described?.properties?.[name] === undefined) throw new Error(`the route reads the header ${name} and does not describe it`);
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
