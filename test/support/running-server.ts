/**
 * The product as it serves, in this process: real database, real storage in a folder, real loops, real HTTP. Every answer
 * that goes through `request` is held against the OpenAPI document: its status, media type and shape must be described.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, vi } from 'vitest';
import { applyDocument } from '../../src/control/flows/applying/apply-document.ts';
import { startServer } from '../../src/main/server.ts';
import { createApiKey, type Scope, usualScopes } from '../../src/platform/access/api-keys.ts';
import { ensureTenant } from '../../src/platform/access/tenants.ts';
import { resolveSettings } from '../../src/platform/base/settings.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { createLogger, type Logger, silentLogger } from '../../src/platform/telemetry/logger.ts';
import { withTenant } from '../../src/platform/tenancy/tenant-scope.ts';
import type { TestDatabase } from './postgres.ts';

export interface ApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly { readonly key: readonly string[] }[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema: object }[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Readonly<Record<string, unknown>> }>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly type: string;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of any shape
  readonly json: any;
}

export interface RequestOptions {
  readonly key?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  /** For requests that are not meant to be answered as described. */
  readonly isUndescribed?: boolean;
}

export interface TestTenant {
  readonly name: string;
  readonly tenantId: string;
  /** With the usual scopes. */
  readonly key: string;
  makeKey(scopes: readonly Scope[], expiresAt?: Date): Promise<string>;
  /** Documents are YAML; `TENANT` in them stands for the tenant's name. */
  apply(...documents: readonly string[]): Promise<void>;
}

export type RunningTestServer = Awaited<ReturnType<typeof startTestServer>>;

export async function startTestServer(
  database: TestDatabase,
  flags: Readonly<Record<string, unknown>> = {},
  logger?: Logger,
  /** Where secrets are looked up, and settings that are none for a command line. */
  env: Readonly<Record<string, string>> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-server-'));
  const out = join(folder, 'out');
  mkdirSync(out);
  const settings = resolveSettings({
    flags: { dataDir: join(folder, 'data'), port: '0', workerThreads: '1', ...flags } as never,
    env: { ...env, HEADGATE_DATABASE_URL: database.url },
  });
  const server = await startServer({
    settings,
    env,
    logger: logger ?? (process.env['HEADGATE_TEST_LOG'] ? createLogger({ level: 'info' }) : silentLogger),
  });
  const document = (await (await fetch(`${server.url}/docs/json`)).json()) as ApiDocument;
  const check = answerChecker(document);

  async function request(path: string, options: RequestOptions = {}): Promise<Answer> {
    const { key, method = 'GET', headers = {}, body, isUndescribed } = options;
    const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
    const response = await fetch(server.url + path, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(!isRaw && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: (isRaw ? body : JSON.stringify(body)) as never,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    } as RequestInit);
    const text = await response.text();
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    const json = type.endsWith('json') ? JSON.parse(text) : undefined;
    const answer: Answer = { status: response.status, headers: response.headers, type, body: text, json };
    if (!isUndescribed) check(method, path, answer);
    return answer;
  }

  async function tenant(name: string): Promise<TestTenant> {
    const tenantId = await ensureTenant(database.db, systemPorts.ids, { name, cell: settings.cell, region: settings.region });
    const makeKey = async (scopes: readonly Scope[], expiresAt?: Date) =>
      (await withTenant(database.db, tenantId, (tx) => createApiKey(tx, systemPorts, { name: 'test', scopes, expiresAt, actor: 'test' })))
        .key;
    return {
      name,
      tenantId,
      key: await makeKey(usualScopes),
      makeKey,
      async apply(...documents) {
        for (const text of documents)
          await withTenant(database.db, tenantId, (tx) =>
            applyDocument(tx, systemPorts.ids, text.replaceAll('TENANT', name), { tenant: name, actor: 'test' }),
          );
      },
    };
  }

  return {
    url: server.url!,
    port: Number(new URL(server.url!).port),
    sftpPort: server.sftpPort,
    /** Exists; for targets. */
    out,
    settings,
    document,
    request,
    tenant,
    upload: (
      key: string,
      options: { readonly flow: string; readonly name: string; readonly body: unknown; readonly headers?: Record<string, string> },
    ) =>
      request(`/v1/files?${new URLSearchParams({ flow: options.flow, name: options.name })}`, {
        key,
        method: 'POST',
        body: options.body,
        headers: { 'content-type': 'application/octet-stream', ...options.headers },
      }),
    /** Until the job is closed or held. */
    async settle(key: string, jobId: string): Promise<Answer['json']> {
      return vi.waitUntil(
        async () => {
          const { json } = await request(`/v1/jobs/${jobId}`, { key });
          return json.closedAt !== null || json.state === 'held' ? json : null;
        },
        { timeout: 60_000, interval: 30 },
      );
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Fails unless the document describes the answer. */
function answerChecker(document: ApiDocument) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addFormat('date-time', /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$/);
  ajv.addFormat('binary', true);
  ajv.addSchema({ ...document, $id: 'api' } as object);
  // Compiled once: tests ask for the same thing until it is as they wait for.
  const validators = new Map<string, ReturnType<typeof ajv.compile>>();
  const templates = Object.keys(document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
  }));
  return (method: string, path: string, { status, type, json, headers }: Answer): void => {
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    const { pathname } = new URL(path, 'http://host');
    const fitting = templates.filter(({ pattern }) => pattern.test(pathname)).map(({ template }) => template);
    // As the router does: what is written out goes before what is any text.
    const template = fitting.find((one) => one === pathname) ?? fitting[0];
    if (template === undefined) return;
    const operation = method.toLowerCase();
    const content = document.paths[template]?.[operation]?.responses[status]?.content;
    expect(Object.keys(content ?? {}), `${method} ${template} answered ${status}`).toContain(type);
    if (json === undefined) return;
    const steps = ['paths', template, operation, 'responses', String(status), 'content', type, 'schema'];
    const reference = `api#/${steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
    const validate = validators.get(reference) ?? ajv.compile({ $ref: reference });
    validators.set(reference, validate);
    const isValid = validate(json);
    expect(ajv.errorsText(validate.errors), `${method} ${template} ${status}: ${JSON.stringify(json).slice(0, 500)}`).toBe('No errors');
    expect(isValid).toBe(true);
  };
}

/** A flow for uploads of `id,amount` lines to a folder. */
export const testFlow = (
  options: { readonly name?: string; readonly root?: string; readonly acceptance?: string; readonly more?: string } = {},
) => [
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: out }
spec: { type: folder, root: ${JSON.stringify(options.root ?? '/nowhere')} }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: ${options.name ?? 'payments'}, version: 1.0.0, owner: ops }
spec:
  sources:
    - { id: upload, type: http${options.more ?? ''} }
  format: { type: delimited, delimiter: ",", header: true }
  schema:
    record:
      key: [id]
      fields:
        id: { type: string, required: true, pattern: "^P[0-9]+$" }
        account: { type: string, required: true, class: account, mask: last4 }
        amount: { type: decimal, scale: 2, required: true, sum: true }
  acceptance: ${options.acceptance ?? '{ mode: partial, maxInvalidRatio: 0.9 }'}
  transform:
    - id: shape
      set: { id: "record.id", account: "record.account", amount: "record.amount" }
  routes:
    default: { to: [out] }
  targets:
    out: { type: file, connection: out, path: out, format: ndjson }
`,
];

export const testRows = (valid: number, invalid = 0, seed = 0) =>
  `id,account,amount\n${Array.from({ length: valid }, (_, row) => `P${seed}${String(row).padStart(5, '0')},62${String(row).padStart(8, '0')},${row}.50\n`).join('')}${Array.from({ length: invalid }, (_, row) => `X${seed}${row},1,none\n`).join('')}`;
