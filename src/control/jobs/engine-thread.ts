/**
 * The engine thread: runs groups of chunks and checks of files, one at a time, with its own handle on the sealed store. It
 * talks to `thread-pool.ts` only. What it throws crosses as a code and a sentence, never with content.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { HeadgateError } from '../../platform/base/errors.ts';
import { runFileCheck } from './file-judge.ts';
import type { FileResult, FileRun, GroupResult, GroupRun } from './group-run.ts';
import { runGroup } from './group-runner.ts';
import { plantedKiller } from './planted-killer.ts';
import { openThreadStorage, type ThreadStorageSettings } from './thread-storage.ts';

export type ThreadAnswer =
  | { readonly result: GroupResult | FileResult }
  | { readonly error: { readonly code: string | null; readonly message: string; readonly retryable: boolean } };

const storage = openThreadStorage(workerData as ThreadStorageSettings);
const watch = plantedKiller(process.env, () => process.exit(1));

parentPort!.on('message', (run: GroupRun | FileRun) => {
  parentPort!.postMessage(answer(run));
});

function answer(run: GroupRun | FileRun): ThreadAnswer {
  try {
    return { result: run.kind === 'group' ? runGroup(storage, run, watch) : runFileCheck(storage, run) };
  } catch (error) {
    if (error instanceof HeadgateError) return { error: { code: error.code, message: error.message, retryable: error.retryable } };
    return {
      error: { code: null, message: error instanceof Error ? `${error.name} in the engine` : 'a fault in the engine', retryable: false },
    };
  }
}
