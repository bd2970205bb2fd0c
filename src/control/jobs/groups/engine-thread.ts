/**
 * The engine thread: runs groups of chunks, checks of files and hashes of big bodies, one at a time, with its own handle on the sealed store. It
 * talks to `thread-pool.ts` only. What it throws crosses as a code and a sentence, never with content.
 */
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { hashBigBody } from '../../../pipeline/deliveries/cutting/body-hash.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { codeKeeper } from '../../../platform/base/kept-code.ts';
import { runFileCheck } from '../file-judge.ts';
import { plantedKiller } from '../poison/planted-killer.ts';
import type { BodyRun, FileResult, FileRun, GroupResult, GroupRun } from './group-run.ts';
import { runGroup } from './group-runner.ts';
import { openThreadStorage, type ThreadStorage, type ThreadStorageSettings } from './thread-storage.ts';

export type ThreadResult = GroupResult | FileResult | string;

export type ThreadAnswer =
  /** Said once, before any run is taken up: what ends the thread from here on may be the run. */
  | { readonly isReady: true }
  | { readonly result: ThreadResult }
  | { readonly error: { readonly code: string | null; readonly message: string; readonly retryable: boolean } };

/** Opened by the first run, which fails with what it fails with. */
let storage: ThreadStorage | undefined;
const watch = plantedKiller(process.env, () => process.exit(1));

// A thread is ended without notice: what it compiled would be compiled by every one after it, in tens of MB.
flushCompileCache();

/** Runs until most of its code has run. */
const keepCode = codeKeeper(8);

parentPort!.on('message', (run: GroupRun | FileRun | BodyRun) => {
  parentPort!.postMessage(answer(run));
  keepCode();
});
parentPort!.postMessage({ isReady: true } satisfies ThreadAnswer);

function answer(run: GroupRun | FileRun | BodyRun): ThreadAnswer {
  try {
    return { result: resultOf(run) };
  } catch (error) {
    if (error instanceof HeadgateError) return { error: { code: error.code, message: error.message, retryable: error.retryable } };
    return { error: { code: null, message: `a fault in the engine${placeOf(error)}`, retryable: false } };
  }
}

function resultOf(run: GroupRun | FileRun | BodyRun): ThreadResult {
  storage ??= openThreadStorage(workerData as ThreadStorageSettings);
  if (run.kind === 'group') return runGroup(storage, run, watch);
  return run.kind === 'file' ? runFileCheck(storage, run) : hashBigBody(storage.store, run);
}

/** Kind and place of a fault. Its message is left out: those of the runtime may quote what was read. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const places = frames.slice(0, 3).map((line) => line.trim().replace(/\(?file:\/\/.*\/(src\/)/, '$1'));
  return `: ${error.name} ${places.join(', ')}`;
}
