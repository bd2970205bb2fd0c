/**
 * The HTTP API: one Fastify server that binds each request to its trace and its tenant, checks its shape and scope, and
 * hands it to the resource's file. Requests for another tenant's thing answer as if it did not exist: every query runs
 * in the scope of the key's own tenant.
 */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { HeadgateError } from '../platform/base/errors.ts';
import { formatTraceparent, parseTraceparent } from '../platform/telemetry/trace-context.ts';
import { withSpan } from '../platform/telemetry/tracing.ts';
import { withWork } from '../platform/telemetry/work-context.ts';
import { acknowledgementRoutes } from './acknowledgements.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { arrivalDecisionRoutes } from './arrival-decisions.ts';
import { authenticate, ownerOf } from './authentication.ts';
import { batchRoutes } from './batches.ts';
import { blockedKeyRoutes } from './blocked-keys.ts';
import { createConnectionErrors, requireHost } from './connection-errors.ts';
import { deadLetterDecisionRoutes } from './dead-letter-decisions.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { definitionRoutes } from './definitions.ts';
import { eventRoutes } from './events.ts';
import { fileRoutes } from './files.ts';
import { flowRoutes } from './flows.ts';
import { healthRoutes } from './health.ts';
import { jobDecisionRoutes } from './job-decisions.ts';
import { jobExportRoutes } from './job-export.ts';
import { jobRoutes } from './jobs.ts';
import { takeJson } from './json-body.ts';
import { keyRoutes } from './keys.ts';
import { problemHandler, sendProblem } from './problems.ts';
import { recordRoutes } from './records.ts';
import { headerBytesMax, traceHeader } from './request-headers.ts';
import { checkShapes, limitBodyTime, refuseTransferCodings } from './request-shape.ts';
import { namedSchemas } from './schemas.ts';
import { sourceEventRoutes } from './source-events.ts';
import { targetHealthRoutes } from './target-health.ts';
import { targetRoutes } from './targets.ts';
import { limitTenantRequests } from './tenant-places.ts';
import { limitUnknownConnections } from './unknown-connections.ts';
import { uploadRoutes } from './uploads.ts';

/** Of the pages at /docs, which load nothing from elsewhere, and nothing over TLS where they came without it. */
const descriptionPolicy =
  "default-src 'self'; base-uri 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'; script-src-attr 'none'";

const resources = [
  uploadRoutes,
  fileRoutes,
  acknowledgementRoutes,
  arrivalDecisionRoutes,
  jobRoutes,
  jobDecisionRoutes,
  jobExportRoutes,
  recordRoutes,
  batchRoutes,
  deadLetterRoutes,
  deadLetterDecisionRoutes,
  blockedKeyRoutes,
  flowRoutes,
  sourceEventRoutes,
  definitionRoutes,
  targetHealthRoutes,
  targetRoutes,
  eventRoutes,
  keyRoutes,
];

export async function createApiServer(parts: ApiParts): Promise<FastifyInstance> {
  const { settings, ports } = parts;
  const connectionErrors = createConnectionErrors(parts.logger);
  const server = fastify({
    logger: false,
    bodyLimit: settings.requestBytesMax,
    requestTimeout: 0,
    connectionTimeout: 0,
    keepAliveTimeout: 60_000,
    forceCloseConnections: 'idle',
    http: {
      headersTimeout: settings.requestTimeoutMs,
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(5_000, settings.requestTimeoutMs),
      maxHeaderSize: headerBytesMax,
      // Told by requireHost, with a code.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: 500 },
    clientErrorHandler: connectionErrors.answerBrokenRequest,
    frameworkErrors: connectionErrors.answerBadAddress,
    // Each answers as its GET does, without the body; those that stream make none.
    exposeHeadRoutes: true,
  });
  server.server.maxConnections = settings.httpConnectionsMax;
  const unknown = limitUnknownConnections(server.server, settings.httpConnectionsMax);
  connectionErrors.answerUnserved(server.server);
  server.removeContentTypeParser('text/plain');
  takeJson(server);
  refuseTransferCodings(server);
  checkShapes(server);
  limitBodyTime(server, ports.sleep, settings.requestTimeoutMs);
  server.setErrorHandler(problemHandler(parts.logger));
  server.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, new HeadgateError(apiErrors.E_NOT_FOUND, 'there is nothing at this address')),
  );
  server.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.isStream) connectionErrors.beginUpload(reply);
  });
  bindTraces(server);
  secureAnswers(server);
  requireHost(server);
  countRequests(server, parts);
  for (const schema of namedSchemas) server.addSchema(schema);
  await describeApi(server, parts);
  await server.register(healthRoutes(parts));
  await server.register(
    async (api) => {
      api.addHook('onRequest', refuseBeforeStart(parts));
      api.addHook('onRequest', authenticate(parts));
      // All that follows logs the tenant's name.
      api.addHook('onRequest', (request, _reply, done) => withWork({ tenant: ownerOf(request).tenantName }, done));
      api.addHook('onRequest', async (request) => unknown.know(request.raw.socket));
      limitTenantRequests(api, settings.tenantConnectionsMax);
      for (const routes of resources) await api.register(routes(parts));
    },
    { prefix: '/v1' },
  );
  return server;
}

/** Continues the caller's trace (W3C `traceparent`) for everything the request does, and returns it. */
function bindTraces(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    const header = request.headers.traceparent;
    const parent = typeof header === 'string' ? parseTraceparent(header) : undefined;
    withSpan('api.request', { parent: parent ?? null, kind: 'server' }, (span) => {
      reply.header('traceparent', formatTraceparent(span.context));
      return new Promise<void>((resolve) => {
        reply.raw.once('close', () => {
          span.set({ tenant: request.owner?.tenantName, outcome: String(reply.statusCode) });
          resolve();
        });
        done();
      });
    }).catch(() => undefined);
  });
}

/** While the process waits for its database, every resource answers with what it waits for; the wait is logged elsewhere. */
function refuseBeforeStart({ health }: ApiParts) {
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const code = health.waitsFor();
    if (code === null) return undefined;
    const details = [{ code, message: 'the start waits for this to pass' }];
    return sendProblem(reply, new HeadgateError(apiErrors.E_NOT_READY, 'this process has not started yet', { details }));
  };
}

/** Nothing of the API is to be shown, framed, sniffed or kept by a browser; the page at /docs brings its own policy. */
function secureAnswers(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('x-frame-options', 'DENY');
    if (request.url.startsWith('/docs')) return;
    reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
    reply.header('cache-control', 'no-store');
  });
}

function countRequests(server: FastifyInstance, { metrics }: ApiParts): void {
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.add('headgate_http_requests_total', { method: request.method, route, status: String(reply.statusCode) });
    metrics.observe('headgate_http_request_seconds', { method: request.method, route }, reply.elapsedTime / 1000);
  });
}

async function describeApi(server: FastifyInstance, parts: ApiParts): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Headgate',
        version: parts.codeVersion,
        description: 'Every file, record and amount accounted for.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key, hg_live_…; it decides the tenant.' } },
      },
      security: [{ key: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) => (typeof json.$id === 'string' ? json.$id : `schema-${index}`),
    },
    transform: ({ schema, url, route }) => {
      const { scope, describedBody } = route.config ?? {};
      if (!scope) return { url, schema } as never;
      const headers = schema?.headers as { readonly properties: object } | undefined;
      const described = {
        ...schema,
        headers: { ...headers, type: 'object', properties: { ...headers?.properties, traceparent: traceHeader } },
        ...(describedBody && { body: describedBody }),
        security: [{ key: [scope] }],
      };
      return { url, schema: described } as never;
    },
  });
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', deepLinking: true },
    theme: { title: 'Headgate API' },
    staticCSP: descriptionPolicy,
  });
}
