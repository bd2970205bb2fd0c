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
import { currentTrace, withWork } from './work-context.ts';

/** The attributes a span may have. None of them holds content. */
export interface SpanAttributes {
  readonly tenant?: string;
  readonly flow?: string;
  readonly arrivalId?: string;
  readonly jobId?: string;
  readonly chunk?: number;
  readonly target?: string;
  readonly batchId?: string;
  readonly attempt?: number;
  readonly records?: number;
  readonly bytes?: number;
  readonly outcome?: string;
}

export interface SpanOptions {
  readonly attributes?: SpanAttributes;
  /** The span this one belongs to, as kept in the database or read from a header; left out, the caller's. */
  readonly parent?: TraceContext | string | null;
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
}

export interface ActiveSpan {
  readonly context: TraceContext;
  /** Adds what is known only later. */
  set(attributes: SpanAttributes): void;
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

/** Runs `fn` as a span. A rejection marks the span with the error's code, never with its message, and passes on. */
export async function withSpan<T>(name: string, options: SpanOptions, fn: (span: ActiveSpan) => Promise<T>): Promise<T> {
  const given = typeof options.parent === 'string' ? parseTraceparent(options.parent) : options.parent;
  const parent = given ?? currentTrace();
  const recorded = recorder ? startRecorded(recorder, name, options, parent) : undefined;
  const context = recorded ? contextOf(recorded) : newContext(parent);
  const set = (attributes: SpanAttributes) => {
    recorded?.setAttributes(attributeNames(attributes));
  };
  try {
    return await withWork({ trace: context }, () => fn({ context, set }));
  } catch (error) {
    const code = error instanceof HeadgateError ? error.code : 'E_INTERNAL';
    recorded?.setStatus({ code: 2, message: code }).setAttribute('error.type', code);
    throw error;
  } finally {
    recorded?.end();
  }
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

function startRecorded({ tracer, api }: Recorder, name: string, options: SpanOptions, parent: TraceContext | undefined): Span {
  const parentContext = parent
    ? api.trace.setSpanContext(api.ROOT_CONTEXT, {
        traceId: parent.traceId,
        spanId: parent.spanId,
        traceFlags: parent.isSampled ? 1 : 0,
        isRemote: true,
      })
    : api.ROOT_CONTEXT;
  const kind = api.SpanKind[(options.kind ?? 'internal').toUpperCase() as keyof typeof api.SpanKind];
  return tracer.startSpan(name, { kind, attributes: attributeNames(options.attributes ?? {}) }, parentContext);
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
