/**
 * JSON log lines on stderr (stdout belongs to data), one per event, with the ids of the work at hand: traceId, spanId,
 * tenant, flow, jobId, recordId. Never content: fields are short values under known names, and anything whose name looks
 * like a secret is dropped.
 */
import pino from 'pino';
import type { Clock } from '../base/ports.ts';
import { systemClock } from '../base/system-ports.ts';
import { describeError } from './log-errors.ts';
import { createLogOutput } from './log-output.ts';
import { currentWork, type WorkIds } from './work-context.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Short facts: counts, durations, states, codes. An error goes under `error`. */
export type LogFields = WorkIds & { readonly [name: string]: string | number | boolean | bigint | readonly string[] | undefined | unknown };

export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** A logger whose lines carry these fields too. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** In each line: role, region, version and the like. */
  readonly base?: LogFields;
  readonly clock?: Clock;
  /** Where lines go; stderr when left out. */
  readonly destination?: { write(line: string): void };
}

const secretName =
  /pass(word|phrase)?$|secret|token|authorization|cookie|credential|api_?key|private|signature|^(master|signing|data)_?key$|dsn$|url$/i;
const stderr = 2;
const textMax = 1_000;
const fieldsMax = 40;

/** Keeps a line harmless whatever it is given: bounded, one level deep, no secrets, errors by code. */
export function safeFields(fields: LogFields): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields).slice(0, fieldsMax)) {
    if (value === undefined) continue;
    if (secretName.test(name)) safe[name] = '[redacted]';
    else safe[name] = safeValue(value);
  }
  return safe;
}

function safeValue(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > textMax ? `${value.slice(0, textMax)}…` : value;
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return value.toString();
    default:
      if (value === null) return null;
      if (value instanceof Error) return describeError(value);
      if (value instanceof Date) return value.toISOString();
      if (Array.isArray(value)) return value.slice(0, 20).map((item) => (typeof item === 'object' ? '[object]' : safeValue(item)));
      return '[object]';
  }
}

export function createLogger(options: LoggerOptions): Logger {
  const clock = options.clock ?? systemClock;
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: safeFields(options.base ?? {}),
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
    formatters: { level: (level) => ({ level }) },
    mixin: workFields,
    mixinMergeStrategy: (line, work) => ({ ...work, ...line }),
  };
  return wrap(pino(settings, options.destination ?? createLogOutput(stderr, clock)));
}

function workFields(): Record<string, unknown> {
  const { trace, ...ids } = currentWork();
  return trace ? { traceId: trace.traceId, spanId: trace.spanId, ...ids } : ids;
}

function wrap(logger: pino.Logger): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (logger.isLevelEnabled(level)) logger[level](safeFields(fields), message);
    };
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    child: (fields) => wrap(logger.child(safeFields(fields))),
  };
}

/** Writes nothing: for tests and one-shot commands. */
export const silentLogger: Logger = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
  child: () => silentLogger,
};
