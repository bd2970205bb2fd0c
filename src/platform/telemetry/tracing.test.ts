import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HeadgateError } from '../base/errors.ts';
import { formatTraceparent, type TraceContext } from './trace-context.ts';
import { recordEnded, startTracing, withSpan } from './tracing.ts';
import { currentTrace, withWork } from './work-context.ts';

interface ExportedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[];
  readonly status: { code?: number; message?: string };
}

let collector: Server;
let spans: ExportedSpan[];
const environment = ['OTEL_EXPORTER_OTLP_ENDPOINT'];

beforeEach(async () => {
  spans = [];
  collector = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as { resourceSpans: { scopeSpans: { spans: ExportedSpan[] }[] }[] };
      for (const resource of body.resourceSpans) for (const scope of resource.scopeSpans) spans.push(...scope.spans);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const name of environment) delete process.env[name];
  collector.closeAllConnections();
  await new Promise<void>((resolve) => collector.close(() => resolve()));
});

const parent: TraceContext = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', isSampled: true };
const start = (env: Record<string, string | undefined>) => startTracing({ serviceName: 'headgate', version: '0', env });

it('spans are exported as a tree below the context that came from outside', async () => {
  const tracing = await start(process.env);
  await withSpan('job', { attributes: { tenant: 't', jobId: 'j' }, parent: formatTraceparent(parent) }, async (job) => {
    await withSpan('chunk', { attributes: { chunk: 1 } }, async (chunk) => {
      chunk.set({ records: 10 });
      expect(chunk.context.traceId).toBe(job.context.traceId);
    });
  });
  await tracing.stop();
  const [chunk, job] = ['chunk', 'job'].map((name) => spans.find((span) => span.name === name)!);
  expect([job!.traceId, job!.parentSpanId]).toEqual([parent.traceId, parent.spanId]);
  expect([chunk!.traceId, chunk!.parentSpanId]).toEqual([parent.traceId, job!.spanId]);
  expect(chunk!.attributes.map(({ key }) => key)).toEqual(['headgate.chunk', 'headgate.records']);
  expect(job!.attributes.map(({ key }) => key)).toContain('headgate.job_id');
});

it('a failed span carries the code and not the message', async () => {
  const tracing = await start(process.env);
  const failing = withSpan('attempt', {}, () => Promise.reject(new HeadgateError('E_TRACED', 'secret text')));
  await expect(failing).rejects.toThrow('secret text');
  await tracing.stop();
  expect(spans[0]!.status).toMatchObject({ code: 2, message: 'E_TRACED' });
  expect(JSON.stringify(spans)).not.toContain('secret text');
});

it('a span and those below it carry the ids of the work that they are part of', async () => {
  const tracing = await start(process.env);
  await withWork({ tenant: 'bank' }, () =>
    withSpan('batch', { work: { flow: 'eft', target: 'out' }, attributes: { records: 3 } }, () =>
      withSpan('attempt', { attributes: { target: 'backup', attempt: 1 } }, async () => {}),
    ),
  );
  await tracing.stop();
  const [attempt, batch] = ['attempt', 'batch'].map((name) => spans.find((span) => span.name === name)!);
  const text = (key: string, stringValue: string) => ({ key: `headgate.${key}`, value: { stringValue } });
  const number = (key: string, intValue: number) => ({ key: `headgate.${key}`, value: { intValue } });
  expect(batch!.attributes).toEqual([text('tenant', 'bank'), text('flow', 'eft'), text('target', 'out'), number('records', 3)]);
  expect(attempt!.attributes).toEqual([text('tenant', 'bank'), text('flow', 'eft'), text('target', 'backup'), number('attempt', 1)]);
});

it('a span whose failure is handled inside it carries the code as well', async () => {
  const tracing = await start(process.env);
  await withSpan('chunk', {}, async (span) => span.fail(new HeadgateError('E_TRACED', 'secret text')));
  await tracing.stop();
  expect(spans[0]!.status).toMatchObject({ code: 2, message: 'E_TRACED' });
  expect(JSON.stringify(spans)).not.toContain('secret text');
});

it('what is over is recorded in its own trace and with its own times, and nobody is asked about it where nothing is exported', async () => {
  const jobs = [1, 2, 3];
  const [startedAt, endedAt] = [new Date('2026-01-02T03:04:05.000Z'), new Date('2026-01-02T04:04:05.000Z')];
  const spanOf = (job: number) =>
    job === 2 ? null : { parent: formatTraceparent(parent), attributes: { jobId: `j${job}` }, startedAt, endedAt };
  const off = await start({});
  recordEnded('job', jobs, () => {
    throw new Error('asked');
  });
  await off.stop();
  const tracing = await start(process.env);
  await withSpan('close jobs', {}, async () => recordEnded('job', jobs, spanOf));
  await tracing.stop();
  const ended = spans.filter(({ name }) => name === 'job');
  expect(ended.map(({ attributes }) => attributes[0]!.value)).toEqual([{ stringValue: 'j1' }, { stringValue: 'j3' }]);
  for (const span of ended) {
    expect([span.traceId, span.parentSpanId]).toEqual([parent.traceId, parent.spanId]);
    expect(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)).toBe(3_600_000_000_000n);
  }
});

it('without an endpoint nothing is sent, and trace ids exist all the same', async () => {
  const tracing = await start({});
  await withSpan('arrival', { parent }, async (arrival) => {
    expect(arrival.context.traceId).toBe(parent.traceId);
    expect(currentTrace()).toEqual(arrival.context);
    await withSpan('job', {}, async (job) => {
      expect(job.context.traceId).toBe(parent.traceId);
      expect(job.context.spanId).not.toBe(arrival.context.spanId);
    });
  });
  expect(currentTrace()).toBeUndefined();
  await tracing.stop();
  expect(spans).toEqual([]);
});

it('a malformed parent begins a new trace', async () => {
  await withSpan('arrival', { parent: 'garbage' }, async ({ context }) => {
    expect(context.traceId).toMatch(/^[0-9a-f]{32}$/);
  });
});

it('a trace that its caller does not sample is not exported', async () => {
  const tracing = await start(process.env);
  await withSpan('job', { parent: { ...parent, isSampled: false } }, async () => {});
  await tracing.stop();
  expect(spans).toEqual([]);
});

it('stopping does not wait for a collector that is gone', async () => {
  const tracing = await start(process.env);
  await withSpan('job', {}, async () => {});
  collector.closeAllConnections();
  await new Promise<void>((resolve) => collector.close(() => resolve()));
  const before = performance.now();
  await tracing.stop(200);
  expect(performance.now() - before).toBeLessThan(3_000);
});
