/** One file from an upload's `traceparent` to the downstream's: the spans that a collector is sent, and the log lines of the same work. */

import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { applyDocument } from '../../src/control/flows/applying/apply-document.ts';
import { createApiKey, usualScopes } from '../../src/platform/access/api-keys.ts';
import { ensureTenant } from '../../src/platform/access/tenants.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { withTenant } from '../../src/platform/tenancy/tenant-scope.ts';
import { freePort, type ServedProcess, startServing } from '../simulation/served-process.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { testFlow, testRows } from '../support/running-server.ts';

type Value = string | number | undefined;

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly lastsMs: number;
  /** Without the prefix that all have. */
  readonly attributes: Readonly<Record<string, Value>>;
}

interface ExportedSpan extends Omit<Span, 'attributes' | 'lastsMs'> {
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string; readonly intValue?: number } }[];
}

const folder = mkdtempSync(join(tmpdir(), 'headgate-telemetry-'));
const logPath = join(folder, 'log');
const uploader = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const spans: Span[] = [];
let collector: Server;
let database: TestDatabase;
let tenantId: string;
let key: string;
let port: number;
let served: ServedProcess;

beforeAll(async () => {
  mkdirSync(join(folder, 'data'), { mode: 0o700 });
  collector = createServer(async (request, response) => {
    const { resourceSpans } = JSON.parse(await text(request)) as { resourceSpans: { scopeSpans: { spans: ExportedSpan[] }[] }[] };
    for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans.map(readSpan));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  database = await createTestDatabase();
  tenantId = await ensureTenant(database.db, systemPorts.ids, { name: 'bank', cell: 'local', region: 'local' });
  key = await withTenant(
    database.db,
    tenantId,
    async (tx) => (await createApiKey(tx, systemPorts, { name: 'test', scopes: usualScopes, actor: 'test' })).key,
  );
  port = await freePort();
  served = startServing({
    port,
    logPath,
    env: {
      HEADGATE_DATA_DIR: join(folder, 'data'),
      HEADGATE_DATABASE_URL: database.url,
      HEADGATE_WORKER_THREADS: '1',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    },
  });
  expect(await served.waitUntilReady(60_000)).toBe(true);
});
afterAll(async () => {
  served?.signal('SIGKILL');
  await served?.ended;
  collector?.close();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

function readSpan({ attributes, startTimeUnixNano, endTimeUnixNano, ...span }: ExportedSpan): Span {
  const named = attributes.map(({ key, value }) => [key.replace('headgate.', ''), value.stringValue ?? value.intValue] as const);
  const lastsMs = Number((BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1_000_000n);
  return { ...span, lastsMs, attributes: Object.fromEntries(named) };
}

async function apply(...documents: readonly string[]): Promise<void> {
  await withTenant(database.db, tenantId, async (tx) => {
    for (const document of documents)
      await applyDocument(tx, systemPorts.ids, document.replaceAll('TENANT', 'bank'), { tenant: 'bank', actor: 'test' });
  });
}

it('the spans of a file are one tree below the trace of its upload, its lines of the log carry the same ids, and its downstream is told the attempt', async () => {
  const sink = await startHttpSink((_request, number) => ({ status: number === 1 ? 503 : 200 }));
  const document = (kind: string, name: string, spec: string) =>
    `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: TENANT, name: ${name} }\nspec: ${spec}\n`;
  const target = 'out: { type: http, connection: service, path: /in, retry: { initial: 50ms, cap: 100ms } }';
  await apply(
    document('TenantPolicy', 'policy', '{ egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }'),
    document('Connection', 'service', `{ type: http, baseUrl: "${sink.url}" }`),
    testFlow()[1]!.replace(/out: \{ type: file.*\}/, target),
  );
  const answer = await fetch(`http://127.0.0.1:${port}/v1/files?flow=payments&name=1.csv`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, traceparent: `00-${uploader.traceId}-${uploader.spanId}-01` },
    body: testRows(10),
  });
  expect(answer.status).toBe(201);
  const { arrivalId } = (await answer.json()) as { arrivalId: string };
  const isOurs = ({ traceId }: Span) => traceId === uploader.traceId;
  const named = (name: string) => spans.filter((span) => span.name === name);
  const parentOf = ({ parentSpanId }: Span) => spans.find(({ spanId }) => spanId === parentSpanId);
  const isWhole = () =>
    ['api.request', 'arrival', 'run chunks', 'job', 'close jobs'].every((name) => named(name).some(isOurs)) &&
    named('attempt').filter((attempt) => parentOf(attempt) !== undefined).length === 2;
  await vi.waitUntil(isWhole, { timeout: 60_000, interval: 50 });

  // Every span of the work, and none beside the trace but requests that others made, such as whether it is ready.
  expect(spans.filter((span) => !isOurs(span) && span.name !== 'api.request')).toEqual([]);
  const [request] = named('api.request').filter(isOurs);
  const only = (name: string) => {
    expect(named(name), name).toHaveLength(1);
    return named(name)[0]!;
  };
  const [arrival, chunk, job, close] = [only('arrival'), only('run chunks'), only('job'), only('close jobs')];
  const numberOf = (span: Span) => span.attributes['attempt'] as number;
  const attempts = named('attempt').sort((a, b) => numberOf(a) - numberOf(b));
  expect(attempts.map(numberOf)).toEqual([1, 2]);
  const batches = attempts.map((attempt) => parentOf(attempt)!);
  expect(batches.map(({ name }) => name)).toEqual(['deliver batch', 'deliver batch']);
  expect(new Set(batches).size).toBe(2);
  expect(request!.parentSpanId).toBe(uploader.spanId);
  expect(arrival.parentSpanId).toBe(request!.spanId);
  for (const span of [chunk, job, close, ...named('deliver batch')]) expect(span.parentSpanId, span.name).toBe(arrival.spanId);

  const [{ jobId, batchId } = { jobId: '', batchId: '' }] = (
    await database.adminDb.query<{ jobId: string; batchId: string }>(
      '/* look */ select batch_id as "batchId", job_ids[1] as "jobId" from headgate.batches',
    )
  ).rows;
  const work = { tenant: 'bank', flow: 'payments' };
  expect(request!.attributes).toEqual({ tenant: 'bank', outcome: '201' });
  expect(arrival.attributes).toEqual({ ...work, arrival_id: arrivalId, bytes: testRows(10).length, outcome: 'accepted' });
  expect(chunk.attributes).toEqual({ ...work, job_id: jobId, chunk: 0, records: 10 });
  expect(job.attributes).toEqual({ ...work, job_id: jobId, records: 10, bytes: testRows(10).length, outcome: 'completed' });
  expect(close.attributes).toEqual({ ...work, job_id: jobId, jobs: 1 });
  const ofBatch = { ...work, job_id: jobId, batch_id: batchId, target: 'out', records: 10, bytes: sink.requests[0]!.body.length };
  for (const batch of batches) expect(batch.attributes).toEqual(ofBatch);
  expect(attempts.map(({ attributes }) => attributes)).toEqual([
    { ...ofBatch, attempt: 1, outcome: 'refused' },
    { ...ofBatch, attempt: 2, outcome: 'acked' },
  ]);
  expect(job.lastsMs).toBeGreaterThanOrEqual(attempts[1]!.lastsMs);
  // No record has a span, and none of its content is in one.
  const names = ['api.request', 'arrival', 'attempt', 'close jobs', 'deliver batch', 'job', 'run chunks'];
  expect([...new Set(spans.filter(isOurs).map(({ name }) => name))].sort()).toEqual(names);
  expect(JSON.stringify(spans)).not.toContain('6200000');

  expect(sink.requests.map(({ headers }) => headers['traceparent'])).toEqual(
    attempts.map(({ spanId }) => `00-${uploader.traceId}-${spanId}-01`),
  );

  const lines = readFileSync(logPath, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const refused = lines.filter(({ message }) => message === 'a batch was not taken as a whole');
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatchObject({ ...work, jobId, batchId, target: 'out', attempt: 1, traceId: uploader.traceId });
  expect(refused[0]!['spanId']).toBe(batches[0]!.spanId);
});
