/**
 * What the code now running works on: trace, tenant, flow, job, record. It follows the asynchronous calls, so that every
 * log line carries it without being told. It holds ids only, never content.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { TraceContext } from './trace-context.ts';

export interface WorkIds {
  readonly tenant?: string;
  readonly flow?: string;
  readonly arrivalId?: string;
  readonly jobId?: string;
  readonly chunk?: number;
  readonly target?: string;
  readonly batchId?: string;
  /** `<jobId>/<record number>`. */
  readonly recordId?: string;
}

export interface WorkContext extends WorkIds {
  readonly trace?: TraceContext;
}

const storage = new AsyncLocalStorage<WorkContext>();

export function currentWork(): WorkContext {
  return storage.getStore() ?? {};
}

/** Runs `fn` with these ids added to those of the caller. */
export function withWork<T>(ids: WorkContext, fn: () => T): T {
  return storage.run({ ...storage.getStore(), ...ids }, fn);
}

export function currentTrace(): TraceContext | undefined {
  return storage.getStore()?.trace;
}
