/**
 * How an error appears in a log line. Our own messages are written without content, so they are kept; a foreign message may
 * quote what it stumbled over (JSON.parse does), so only its name, code and frames are kept.
 */
import { HeadgateError } from '../base/errors.ts';

export interface LoggedError {
  readonly name: string;
  readonly code?: string;
  readonly message?: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/** Errors whose message the runtime makes from program text, not from data. */
const harmless = new Set(['TypeError', 'ReferenceError', 'AssertionError']);

export function describeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = (error as { code?: unknown }).code;
  const isOurs = error instanceof HeadgateError;
  return {
    name: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code).slice(0, 60) } : {}),
    ...(isOurs || harmless.has(error.name) ? { message: error.message.slice(0, 1_000) } : {}),
    ...framesOf(error),
    ...(error.cause === undefined || depth >= 3 ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}

function framesOf(error: Error): { stack?: string } {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return frames.length > 0
    ? {
        stack: frames
          .slice(0, 12)
          .map((line) => line.trim())
          .join('\n'),
      }
    : {};
}
