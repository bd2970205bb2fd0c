/** From `targets` and `targetDefaults` to the Plan's targets: what is sent, how, and how hard it is tried. */

import type { AnswersPlan, BodyPlan, BreakerPlan, OutputFieldPlan, RecordPlan, TargetPlan } from '../../../pipeline/engine/plan.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { DeliveryDefinition, FlowSpec, TargetDefinition } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { checkBackups } from './check-backup.ts';
import { checkColumnWidths } from './check-column-widths.ts';
import { checkFileNames } from './check-file-names.ts';
import { checkFileTemplates } from './check-file-templates.ts';
import { checkIdempotencyKey } from './check-idempotency-key.ts';
import { checkStatusQuery } from './check-status-query.ts';
import { answersSettings, compileExpected } from './compile-answers.ts';
import { kafkaSettings } from './compile-kafka-target.ts';
import { compileMaxAmount } from './compile-max-amount.ts';
import type { FlowScopes } from './expression-scopes.ts';

export interface TargetContext {
  readonly output: readonly OutputFieldPlan[];
  readonly records: readonly RecordPlan[];
  readonly scopes: FlowScopes;
}

interface OrderedContext extends TargetContext {
  readonly format: FlowSpec['format'];
  readonly order: DeliveryDefinition['order'];
}

type OutputFileTarget = Of<OutputFileType>;

type OutputFileType = 'file' | 'sftp' | 's3' | 'azure-blob' | 'gcs';

type Of<Type extends TargetDefinition['type']> = Extract<TargetDefinition, { type: Type }>;

export function compileTargets(spec: FlowSpec, context: TargetContext, report: Report): TargetPlan[] {
  checkRetry(spec.targetDefaults, ['spec', 'targetDefaults'], report);
  const targets = Object.entries(spec.targets).map(([id, target]): TargetPlan => {
    const path: Path = ['spec', 'targets', id];
    const delivery = mergeDelivery(target, spec.targetDefaults);
    if (target.retry !== undefined) checkRetry(delivery, path, report);
    checkBatch(target.type, delivery, path, report);
    if (delivery.order === 'by-key' && context.records.find((record) => record.role === 'data')!.key.length === 0) {
      report.add({
        code: flowErrors.E_CONFIG_CONFLICT,
        path: [...path, ...(target.order === undefined ? [] : ['order'])],
        message: 'order by-key needs a key in the schema',
      });
    }
    const batchAmount = isOutputFile(target) ? compileMaxAmount(target.maxAmount, context.records, path, report) : undefined;
    return {
      id,
      type: target.type,
      connection: 'connection' in target ? target.connection : null,
      body: compileBody(target, context, path, report),
      batchRecords: delivery.batch.size,
      batchBytes: delivery.batch.bytes,
      ...(batchAmount === undefined ? {} : { batchAmount }),
      ...windowOf(target, delivery.order, path, report),
      ...lingerOf(target, delivery, path, report),
      order: delivery.order,
      lanes: lanesOf(target.type, delivery.order),
      onUnknown: delivery.onUnknown,
      onExhausted: delivery.onExhausted,
      timeoutMs: delivery.timeout,
      concurrency: delivery.concurrency,
      ratePerSecond: delivery.rate ?? null,
      retry: { max: delivery.retry.max, initialMs: delivery.retry.initial, capMs: delivery.retry.cap },
      breaker: compileBreaker(delivery.breaker),
      backup: target.backup ?? null,
      ...expectedOf(target, context, path, report),
      settings: compileSettings(target, { ...context, order: delivery.order, format: spec.format }, path, report),
    };
  });
  checkBackups(targets, (type) => Object.hasOwn(ownBatch, type), report);
  checkFileNames(targets, report);
  return targets;
}

function expectedOf(target: TargetDefinition, context: TargetContext, path: Path, report: Report): { answers?: AnswersPlan } {
  const answers = compileExpected(target, context, path, report);
  return answers === undefined ? {} : { answers };
}

/** Files of a window are whole inputs one after the other, in the order in which they were accepted. */
function windowOf(target: TargetDefinition, order: DeliveryDefinition['order'], path: Path, report: Report): { windowMs?: number } {
  if (!isOutputFile(target) || target.window === undefined) return {};
  const refuse = (message: string): void => report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, 'window'], message });
  if (order !== 'none') refuse(`a window keeps no order over inputs that were held: it is for order none, not for ${order}`);
  if (target.rollUp) refuse('a window collects small jobs too: rollUp is for targets without one');
  if (target.maxAmount !== undefined)
    refuse('the money of a file is not bounded over several inputs: maxAmount is for targets without a window');
  return { windowMs: target.window };
}

/** What waits would be overtaken by the full batches of its own file. */
function lingerOf({ type }: TargetDefinition, { batch, order }: DeliveryDefinition, path: Path, report: Report): { lingerMs?: number } {
  if (batch.linger === undefined) return {};
  const refuse = (message: string): void => report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, 'batch', 'linger'], message });
  if (holdsFiles(type)) refuse('a target that holds files collects for a time with window');
  else if (order !== 'none') refuse(`records that wait for others keep no order: linger is for order none, not for ${order}`);
  return { lingerMs: batch.linger };
}

const keyLanes = 64;

/** Their batches are files. */
function holdsFiles(type: TargetDefinition['type']): type is OutputFileTarget['type'] {
  return Object.hasOwn(ownBatch, type);
}

/** A file target keeps the order of keys by that of the file: a lane for each part of the keys would make a file of each. */
function lanesOf(type: TargetDefinition['type'], order: DeliveryDefinition['order']): number {
  if (order === 'none') return 0;
  return order === 'file' || holdsFiles(type) ? 1 : keyLanes;
}

/** One batch is one file, so that the defaults of the other targets would make a file of every few hundred records. */
const fileBatch = { size: 1_000_000, bytes: 1024 ** 3 };
/** Services take an object whole: it is in memory meanwhile. */
const objectBatch = { size: 1_000_000, bytes: 64 * 1024 ** 2 };
const objectBytesMax = 256 * 1024 ** 2;
const ownBatch: Readonly<Partial<Record<TargetDefinition['type'], typeof fileBatch>>> = {
  file: fileBatch,
  sftp: fileBatch,
  s3: objectBatch,
  'azure-blob': objectBatch,
  gcs: objectBatch,
};
/** Files that are under way together share transactions and the fsync of their folder, and no system of somebody else's is in danger. */
const fileConcurrency = 128;
/** Each is a connection of its own, and servers of partners allow few. */
const remoteConcurrency = 4;
const ownConcurrency: Readonly<Partial<Record<TargetDefinition['type'], number>>> = {
  file: fileConcurrency,
  sftp: remoteConcurrency,
  s3: remoteConcurrency,
  'azure-blob': remoteConcurrency,
  gcs: remoteConcurrency,
};
/** Answers are in memory as columns, one batch at a time. */
const answersBatch = { size: 100_000, bytes: 64 * 1024 ** 2 };
const messageBatchMax = { size: 10_000, bytes: 64 * 1024 * 1024 };

function checkBatch(type: TargetDefinition['type'], delivery: DeliveryDefinition, path: Path, report: Report): void {
  const refuse = (message: string): void => report.add({ code: flowErrors.E_CONFIG_VALUE, path: [...path, 'batch'], message });
  const { size, bytes } = delivery.batch;
  if (type === 'file' || type === 'sftp') return;
  if (holdsFiles(type)) {
    if (bytes > objectBytesMax) refuse('an object in a bucket or container holds at most 256MiB');
  } else if (type === 'answers') {
    if (size > 1_000_000 || bytes > answersBatch.bytes) refuse('a batch of answers holds at most 1,000,000 of them, of 64MiB');
  } else if (size > messageBatchMax.size || bytes > messageBatchMax.bytes)
    refuse('only targets that hold files have batches above 10,000 records or 64MiB');
}

function mergeDelivery(own: TargetDefinition, defaults: DeliveryDefinition): DeliveryDefinition {
  const batch: DeliveryDefinition['batch'] = own.type === 'answers' ? answersBatch : (ownBatch[own.type] ?? defaults.batch);
  const linger = own.batch?.linger ?? batch.linger;
  return {
    batch: {
      size: own.batch?.size ?? batch.size,
      bytes: own.batch?.bytes ?? batch.bytes,
      ...(linger === undefined ? {} : { linger }),
    },
    order: own.order ?? (own.type === 'answers' ? 'file' : defaults.order),
    onUnknown: own.onUnknown ?? defaults.onUnknown,
    onExhausted: own.onExhausted ?? defaults.onExhausted,
    timeout: own.timeout ?? defaults.timeout,
    concurrency: own.concurrency ?? ownConcurrency[own.type] ?? defaults.concurrency,
    rate: own.rate ?? defaults.rate,
    retry: {
      max: own.retry?.max ?? defaults.retry.max,
      initial: own.retry?.initial ?? defaults.retry.initial,
      cap: own.retry?.cap ?? defaults.retry.cap,
    },
    breaker: {
      window: own.breaker?.window ?? defaults.breaker.window,
      failureRatio: own.breaker?.failureRatio ?? defaults.breaker.failureRatio,
      minCalls: own.breaker?.minCalls ?? defaults.breaker.minCalls,
      probeEvery: own.breaker?.probeEvery ?? defaults.breaker.probeEvery,
      probes: own.breaker?.probes ?? defaults.breaker.probes,
    },
  };
}

function compileBreaker({ window, failureRatio, minCalls, probeEvery, probes }: DeliveryDefinition['breaker']): BreakerPlan {
  return { windowMs: window, failureRatio, minCalls, probeEveryMs: probeEvery, probes };
}

function checkRetry(delivery: DeliveryDefinition, path: Path, report: Report): void {
  if (delivery.retry.initial <= delivery.retry.cap) return;
  report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, 'retry'], message: 'initial is longer than cap' });
}

export function isOutputFile(target: TargetDefinition): target is OutputFileTarget {
  return holdsFiles(target.type);
}

function compileBody(target: TargetDefinition, context: TargetContext, path: Path, report: Report): BodyPlan {
  if (!isOutputFile(target)) return { format: 'ndjson' };
  const conflict = (key: string, format: string): void =>
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: [...path, key],
      message: `${key} is for format ${format}, not for ${target.format}`,
    });
  if (target.format !== 'csv' && target.delimiter !== undefined) conflict('delimiter', 'csv');
  if (target.format !== 'csv' && target.header !== undefined) conflict('header', 'csv');
  if (target.format !== 'fixed-width' && target.columns !== undefined) conflict('columns', 'fixed-width');
  if (target.format === 'ndjson' && target.lineEnd === 'crlf') conflict('lineEnd', 'csv or fixed-width');
  const lineEnd = target.lineEnd === 'crlf' ? '\r\n' : '\n';
  switch (target.format) {
    case 'ndjson':
      return { format: 'ndjson' };
    case 'csv':
      if (target.delimiter === 0x22)
        report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, 'delimiter'], message: 'a quote can not be the delimiter' });
      return { format: 'csv', delimiter: target.delimiter ?? 0x2c, header: target.header ?? true, lineEnd };
    case 'fixed-width':
      return { format: 'fixed-width', columns: compileColumns(target, context, path, report), lineEnd };
  }
}

/** Every output field has a width, in the order of the output. */
function compileColumns(target: OutputFileTarget, context: TargetContext, path: Path, report: Report) {
  const columns = target.columns ?? {};
  const names = context.output.map((field) => field.name);
  for (const name of Object.keys(columns)) {
    if (!names.includes(name)) reportField(name, [...path, 'columns', name], names, report);
  }
  const missing = names.filter((name) => !Object.hasOwn(columns, name));
  if (missing.length > 0)
    report.add({
      code: flowErrors.E_CONFIG_KEY,
      path: [...path, ...(target.columns === undefined ? [] : ['columns'])],
      message: `fixed-width needs the width of every output field; missing: ${missing.join(', ')}`,
    });
  const compiled = names.map((name) => columns[name] ?? { width: 1, align: 'left' as const, pad: 0x20 });
  if (missing.length === 0) checkColumnWidths(compiled, context, [...path, 'columns'], report);
  return compiled;
}

function reportField(name: string, path: Path, names: readonly string[], report: Report): void {
  const nearest = nearestName(name, names);
  report.add({
    code: flowErrors.E_CONFIG_REFERENCE,
    path,
    message: `no output field ${name}${nearest === null ? '' : `; did you mean ${nearest}?`}`,
  });
}

function compileSettings(target: TargetDefinition, context: OrderedContext, path: Path, report: Report): Record<string, unknown> {
  switch (target.type) {
    case 'file':
    case 'sftp':
    case 's3':
    case 'azure-blob':
    case 'gcs':
      return fileSettings(target, context, path, report);
    case 'http':
      return httpSettings(target, context, path, report);
    case 'amqp':
      return { queue: target.queue, createQueue: target.createQueue, confirmsInFlight: target.confirmsInFlight };
    case 'kafka':
      return kafkaSettings(target, context, path, report);
    case 'answers':
      return answersSettings(target, context, path, report);
    case 'postgres':
    case 'mysql':
      return tableSettings(target, context.output, path, report);
  }
}

function fileSettings(target: OutputFileTarget, { records }: TargetContext, path: Path, report: Report): Record<string, unknown> {
  checkFileTemplates(target, records, path, report);
  const { name, headerLines, trailerLines, encrypt, sign, rollUp, readBack } = target;
  if (sign && !encrypt)
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: [...path, 'sign'],
      message: 'sign needs encrypt: a file is signed within its message',
    });
  return {
    path: target.path,
    name,
    ...(headerLines === undefined ? {} : { headerLines }),
    ...(trailerLines === undefined ? {} : { trailerLines }),
    ...(encrypt ? { encrypt, sign } : {}),
    rollUp,
    readBack,
  };
}

function httpSettings(target: Of<'http'>, context: TargetContext, path: Path, report: Report): Record<string, unknown> {
  const at = [...path, 'idempotencyKey'];
  const names = context.output.map((field) => field.name);
  const field = target.idempotencyKey?.slice('out.'.length);
  const mode = target.mode ?? (field === undefined ? 'batch' : 'single');
  if (field !== undefined && mode === 'batch')
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: at,
      message: 'idempotencyKey is for mode single; a batch has a key of its own',
    });
  if (field !== undefined && !names.includes(field)) reportField(field, at, names, report);
  if (field !== undefined && mode === 'single') checkIdempotencyKey(field, context, at, report);
  if (mode === 'single' && target.envelope !== 'none') {
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: [...path, 'envelope'],
      message: 'envelope is for mode batch; a single record is sent as it is',
    });
  }
  if (mode === 'single' && target.results === 'ndjson') {
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: [...path, 'results'],
      message: 'results ndjson is for mode batch; the answer to a single record is about that record',
    });
  }
  if (target.status !== undefined) checkStatusQuery(target.status, mode, [...path, 'status'], report);
  const { method, envelope, requestsInFlight, results } = target;
  return {
    path: target.path,
    method,
    mode,
    envelope,
    requestsInFlight,
    results,
    ...(target.status === undefined ? {} : { status: target.status }),
    ...(field === undefined ? {} : { idempotencyKey: `out.${field}` }),
  };
}

function tableSettings(
  target: Of<'postgres' | 'mysql'>,
  output: readonly OutputFieldPlan[],
  path: Path,
  report: Report,
): Record<string, unknown> {
  const names = output.map((field) => field.name);
  const keys = target.keys ?? [];
  if (target.mode === 'upsert' && keys.length === 0)
    report.add({ code: flowErrors.E_CONFIG_KEY, path, message: 'keys is missing: upsert needs the output fields that tell rows apart' });
  if (target.mode === 'insert' && keys.length > 0)
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, 'keys'], message: 'keys is for mode upsert' });
  for (const [index, key] of keys.entries()) {
    if (!names.includes(key)) reportField(key, [...path, 'keys', index], names, report);
    else if (keys.indexOf(key) < index)
      report.add({ code: flowErrors.E_CONFIG_DUPLICATE, path: [...path, 'keys', index], message: `${key} is named twice` });
  }
  return { table: target.table, mode: target.mode, keys: [...keys] };
}
