/** Liveness, start-up, readiness, metrics and version: no key, no tenant data. */
import type { FastifyInstance } from 'fastify';
import type { ApiParts } from './api-parts.ts';

export function healthRoutes(parts: ApiParts) {
  const { health, metrics, settings } = parts;
  return async (server: FastifyInstance): Promise<void> => {
    server.get('/livez', { schema: { hide: true } }, async () => ({ status: 'ok' }));
    server.get('/startupz', { schema: { hide: true } }, async (_request, reply) => {
      if (health.isStarted()) return { status: 'ok' };
      const code = health.waitsFor();
      return reply.code(503).send({ status: 'starting', ...(code !== null && { code }) });
    });
    server.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
      const findings = await health.check();
      const isReady = findings.every((finding) => finding.isOk);
      return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'not ready', checks: findings });
    });
    server.get('/version', { schema: { hide: true } }, async () => ({
      version: parts.codeVersion,
      cell: settings.cell,
      region: settings.region,
      node: process.version,
    }));
    server.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
      if (!settings.metrics) return reply.code(404).send({ status: 'metrics are switched off' });
      const { contentType, body } = await metrics.render();
      return reply.type(contentType).send(body);
    });
  };
}
