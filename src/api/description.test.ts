import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type Operation, type RunningTestServer, startTestServer } from '../../test/support/running-server.ts';
import { scopes } from '../platform/access/api-keys.ts';
import { headerOf } from './request-headers.ts';

let database: TestDatabase;
let server: RunningTestServer;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 2 });
  server = await startTestServer(database, { roles: 'api' });
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const operations = (): { at: string; path: string; method: string; operation: Operation }[] =>
  Object.entries(server.document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ at: `${method} ${path}`, path, method, operation })),
  );

/** Every value in the document with where it stands. */
function* walk(value: unknown, at = '#'): Generator<{ at: string; value: Record<string, unknown> }> {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value)) yield { at, value: value as Record<string, unknown> };
  for (const [key, inner] of Object.entries(value)) yield* walk(inner, `${at}/${key}`);
}

describe('the description of the API', () => {
  it('is OpenAPI 3.1 whose parts are all there', () => {
    const { document } = server;
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document).toMatchObject({
      info: { title: 'Headgate', version: expect.any(String) },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    });
    expect(operations().length).toBeGreaterThan(25);
  });

  it('points only to what it holds', () => {
    const schemas = Object.keys(server.document.components.schemas);
    const references = [...walk(server.document)].flatMap(({ value }) => (typeof value['$ref'] === 'string' ? [value['$ref']] : []));
    expect(references.length).toBeGreaterThan(100);
    for (const reference of new Set(references)) expect(schemas.map((name) => `#/components/schemas/${name}`)).toContain(reference);
  });

  it('has schemas that compile', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ ...server.document, $id: 'api' } as object);
    const names = Object.keys(server.document.components.schemas);
    expect(names).toEqual(
      expect.arrayContaining(['Problem', 'Job', 'Record', 'File', 'Arrival', 'Flow', 'Event', 'Key', 'Receipt', 'DeadLetter']),
    );
    for (const name of names) expect(() => ajv.compile({ $ref: `api#/components/schemas/${name}` }), name).not.toThrow();
  });

  it('tells of every route what it does, who may, what it takes and what it answers', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { at, path, method, operation } of operations()) {
      expect(operation.summary, at).toMatch(/^[A-Z].{5,}[^.]$/);
      expect(operation.tags.length, at).toBe(1);
      expect(operation.security.length, at).toBe(1);
      expect(scopes, at).toContain(operation.security[0]!.key[0]);
      const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
      const described = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(described.map(({ name, required }) => [name, required]).sort(), at).toEqual(inPath.map((name) => [name, true]).sort());
      const types = operation.operationId === 'uploadFile' ? ['application/octet-stream', '*/*'] : ['application/json'];
      if (method === 'post') expect(Object.keys(operation.requestBody?.content ?? {}), at).toEqual(types);
    }
  });

  const headersOf = ({ parameters = [] }: Operation) => parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name);

  it('tells how a file is uploaded: its bytes as the body, and the headers that are read with them', () => {
    const { operation } = operations().find((each) => each.operation.operationId === 'uploadFile')!;
    expect(operation.requestBody!.required).toBe(true);
    for (const { schema } of Object.values(operation.requestBody!.content))
      expect(schema).toEqual({ type: 'string', format: 'binary', maxLength: server.settings.uploadBytesMax });
    const told = ['idempotency-key', 'repr-digest', 'content-digest', 'content-encoding', 'traceparent'];
    expect(headersOf(operation).sort()).toEqual(told.sort());
    for (const parameter of operation.parameters!)
      if (parameter.in === 'header') expect(parameter).toMatchObject({ required: false, description: expect.stringMatching(/.{20}/) });
  });

  it('tells of every route that has effects how it is repeated safely', () => {
    // What is told is looked for again, and what is probed is probed again.
    const repeatable = ['tellSource', 'probeHealth'];
    const posts = operations().filter(({ method }) => method === 'post');
    const without = posts.filter(({ operation }) => !headersOf(operation).includes('idempotency-key'));
    expect(without.map(({ operation }) => operation.operationId).sort()).toEqual(repeatable.sort());
    for (const { at, operation } of operations()) expect(headersOf(operation), at).toContain('traceparent');
  });

  it('tells of every header that is read', () => {
    const folder = import.meta.dirname;
    const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
    const reads = sources.flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/\.headers(?:\.(\w+)|\[([^\]]+)\])/g)].map(
        ([, word, quoted]) => `${name}: ${word ?? quoted}`,
      ),
    );
    expect(reads.sort()).toEqual([
      // The one that fails where the route does not describe what it reads.
      'api-server.ts: traceparent',
      'authentication.ts: authorization',
      'request-headers.ts: name',
      "request-shape.ts: 'transfer-encoding'",
      "uploads.ts: 'content-length'",
      "uploads.ts: 'content-type'",
      // Of what comes behind the body nothing is read.
      "uploads.ts: 'trailer'",
    ]);
    const read = (headers: object) => headerOf({ routeOptions: { schema: { headers } }, headers: { 'x-new': 'a' } } as never, 'x-new');
    expect(read({ properties: { 'x-new': {} } })).toBe('a');
    expect(() => read({ properties: { 'x-old': {} } })).toThrow('reads the header x-new and does not describe it');
  });

  it('names the problems of every route, as problem+json', () => {
    for (const { at, path, operation } of operations()) {
      const statuses = Object.keys(operation.responses);
      expect(statuses, at).toEqual(expect.arrayContaining(['400', '401', '403', '429', '503']));
      if (path.includes('{')) expect(statuses, at).toContain('404');
      expect(
        statuses.some((status) => status.startsWith('2')),
        at,
      ).toBe(true);
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        expect(description, `${at} ${status}`).toMatch(/\.$/);
        if (Number(status) >= 400) expect(Object.keys(content!), `${at} ${status}`).toContain('application/problem+json');
        else expect(content, `${at} ${status}`).toBeDefined();
      }
    }
  });

  it('names what is answered to a request that is too large, too slow or of another type', () => {
    for (const { at, operation } of operations()) {
      const statuses = Object.keys(operation.responses);
      expect(statuses, at).toEqual(expect.arrayContaining(['408', '431']));
      if (operation.requestBody !== undefined) expect(statuses, at).toEqual(expect.arrayContaining(['413', '415']));
    }
  });

  it('lets no unknown field into a body or an address', () => {
    for (const { at, operation } of operations()) {
      const body = operation.requestBody?.content['application/json']?.schema as { additionalProperties?: boolean } | undefined;
      // What services of others tell, they say in words of their own.
      if (body && operation.operationId !== 'tellSource') expect(body.additionalProperties, at).toBe(false);
    }
  });

  it('bounds every text and list that comes in', () => {
    const incoming = operations().flatMap(({ at, operation }) => [
      ...(operation.parameters ?? []).map(({ schema }) => ({ at, schema })),
      ...Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => ({ at, schema })),
    ]);
    for (const { at, schema } of incoming)
      for (const { value } of walk(schema)) {
        if (value['type'] === 'string')
          expect(
            [value['maxLength'], value['pattern'], value['enum']].some((bound) => bound !== undefined),
            at,
          ).toBe(true);
        if (value['type'] === 'array') expect(value['maxItems'], at).toBeDefined();
        if (value['type'] === 'integer') expect(value['maximum'], at).toBeDefined();
      }
  });

  it('is shown at /docs by pages that load nothing from elsewhere', async () => {
    const page = await fetch(`${server.url}/docs`);
    expect([page.status, page.headers.get('content-type')?.split(';')[0]]).toEqual([200, 'text/html']);
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/https:|swagger\.io|upgrade-insecure-requests/);
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    const text = await page.text();
    expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(text).toContain('<title>Headgate API</title>');
  });
});
