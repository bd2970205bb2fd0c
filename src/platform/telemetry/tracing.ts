/**
 * Spans for arrivals, jobs, chunks, batches and attempts, never one per record. Trace ids exist always, so that logs,
 * database rows and outgoing headers agree; spans are recorded and exported only when an OTLP endpoint is configured by the
 * standard OTEL_* variables. Without one a span costs an id and no more.
 */
import type { Span, Tracer } from '@opentelemetry/api';
import { HeadgateError } from '../base/errors.ts';
import type { Rng, Sleep } from '../base/ports.ts';
import { createPooledRng, systemRng, systemSleep } from '../base/system-ports.ts';
import { parseTraceparent, type TraceContext } from './trace-context.ts';
import { currentTrace, currentWork, type WorkIds, withWork } from './work-context.ts';

/** The attributes a span may have, besides those of its work. None of them holds content. */
export interface SpanAttributes extends WorkIds {
  readonly attempt?: number;
  readonly jobs?: number;
  readonly records?: number;
  readonly bytes?: number;
  readonly outcome?: string;
}

export interface SpanOptions {
  /** What the span is work on, besides its caller's: attributes of it, fields of the log lines in it, and the same of the spans below. */
  readonly work?: WorkIds;
  readonly attributes?: SpanAttributes;
  /** The span this one belongs to, as kept in the database or read from a header; left out, the caller's. */
  readonly parent?: TraceContext | string | null;
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
}

export interface ActiveSpan {
  readonly context: TraceContext;
  /** Adds what is known only later. */
  set(attributes: SpanAttributes): void;
  /** Marks the span with the error's code, never with its message, where the error is handled inside it. */
  fail(error: unknown): void;
}

/** What has ended already. */
export interface EndedSpan extends Omit<SpanOptions, 'work'> {
  readonly startedAt: Date;
  readonly endedAt: Date;
}

export interface Tracing {
  /** Sends what is recorded, at most `timeoutMs` long; never rejects. */
  stop(timeoutMs?: number): Promise<void>;
}

interface Recorder {
  readonly tracer: Tracer;
  readonly api: typeof import('@opentelemetry/api');
}

let recorder: Recorder | undefined;
const pooledRng = createPooledRng(systemRng);
let rng: Pick<Rng, 'bytes'> = pooledRng;

export interface TracingOptions {
  readonly serviceName: string;
  readonly version: string;
  readonly resource?: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where ids come from when nothing is exported; seeded in simulations. */
  readonly rng?: Rng;
  readonly sleep?: Sleep;
}

/** Starts exporting when OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set. The SDK is loaded only then. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  rng = options.rng ?? pooledRng;
  const { env, sleep = systemSleep } = options;
  const isOn = (env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']) && env['OTEL_SDK_DISABLED'] !== 'true';
  if (!isOn) return { stop: async () => {} };
  const [api, { BasicTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.serviceName, 'service.version': options.version, ...options.resource }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  recorder = { api, tracer: provider.getTracer('headgate', options.version) };
  return {
    async stop(timeoutMs = 3_000) {
      recorder = undefined;
      const finished = new AbortController();
      await Promise.race([provider.shutdown().catch(() => {}), sleep.sleep(timeoutMs, finished.signal)]);
      finished.abort();
    },
  };
}

/** Runs `fn` as a span. A rejection marks the span as `fail` does, and passes on. */
export async function withSpan<T>(name: string, options: SpanOptions, fn: (span: ActiveSpan) => Promise<T>): Promise<T> {
  const parent = parentOf(options);
  const recorded = recorder ? startRecorded(recorder, name, options, parent) : undefined;
  const context = recorded ? contextOf(recorded) : newContext(parent);
  const set = (attributes: SpanAttributes) => {
    recorded?.setAttributes(attributeNames(attributes));
  };
  const fail = (error: unknown) => {
    const code = error instanceof HeadgateError ? error.code : 'E_INTERNAL';
    recorded?.setStatus({ code: 2, message: code }).setAttribute('error.type', code);
  };
  try {
    return await withWork({ ...options.work, trace: context }, () => fn({ context, set, fail }));
  } catch (error) {
    fail(error);
    throw error;
  } finally {
    recorded?.end();
  }
}

/** Records a span for each of these, which are over: what takes hours is no call of one process. `spanOf` is called only where spans are recorded; null: none. */
export function recordEnded<T>(name: string, ended: readonly T[], spanOf: (one: T) => EndedSpan | null): void {
  if (!recorder) return;
  for (const one of ended) {
    const span = spanOf(one);
    if (span !== null) startRecorded(recorder, name, span, parentOf(span), span.startedAt).end(span.endedAt);
  }
}

function parentOf({ parent }: SpanOptions): TraceContext | undefined {
  return (typeof parent === 'string' ? parseTraceparent(parent) : parent) ?? currentTrace();
}

/** The context of a new span below `parent`, or of a new trace. */
export function newContext(parent: TraceContext | undefined): TraceContext {
  return { traceId: parent?.traceId ?? randomHex(16), spanId: randomHex(8), isSampled: parent?.isSampled ?? true };
}

function randomHex(bytes: number): string {
  const random = rng.bytes(bytes);
  const hex = Buffer.from(random.buffer, random.byteOffset, bytes).toString('hex');
  return /^0+$/.test(hex) ? `${hex.slice(1)}1` : hex;
}

function startRecorded(
  { tracer, api }: Recorder,
  name: string,
  options: SpanOptions,
  parent: TraceContext | undefined,
  startTime?: Date,
): Span {
  const parentContext = parent
    ? api.trace.setSpanContext(api.ROOT_CONTEXT, {
        traceId: parent.traceId,
        spanId: parent.spanId,
        traceFlags: parent.isSampled ? 1 : 0,
        isRemote: true,
      })
    : api.ROOT_CONTEXT;
  const kind = api.SpanKind[(options.kind ?? 'internal').toUpperCase() as keyof typeof api.SpanKind];
  const { trace, ...ids } = currentWork();
  const attributes = attributeNames({ ...ids, ...options.work, ...options.attributes });
  return tracer.startSpan(name, { kind, attributes, ...(startTime && { startTime }) }, parentContext);
}

function contextOf(span: Span): TraceContext {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return { traceId, spanId, isSampled: (traceFlags & 1) === 1 };
}

function attributeNames(attributes: SpanAttributes): Record<string, string | number> {
  const named: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) named[`headgate.${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`] = value;
  }
  return named;
}
