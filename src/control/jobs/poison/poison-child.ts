/**
 * The child process that runs what ended a thread before. A probe runs a group piece by piece and keeps nothing, noting each
 * piece before it begins; a run is a thread's run, made here, on the slow path. It talks to `poison-hunt.ts` only.
 */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { GroupResult, GroupRun, Piece } from '../groups/group-run.ts';
import { runGroup } from '../groups/group-runner.ts';
import { openThreadStorage, type ThreadStorageSettings } from '../groups/thread-storage.ts';
import { probeGroup } from './group-probe.ts';
import { plantedKiller } from './planted-killer.ts';

export type ChildRequest =
  | { readonly kind: 'run'; readonly run: GroupRun }
  | {
      readonly kind: 'probe';
      readonly run: GroupRun;
      /** Only these records; null for all of the group. */
      readonly only: Piece | null;
      /** A piece ends with the record that makes it this big; 0: each record is one. */
      readonly pieceBytes: number;
    };

export type ChildSaid =
  /** Before the request is taken up: what ends the child from here on may be a record. */
  { readonly isReady: true } | ChildAnswer;

export type ChildAnswer =
  | { readonly result: GroupResult }
  | { readonly probed: true }
  | { readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } };

export interface ChildMessage {
  readonly storage: ThreadStorageSettings;
  /** A pipe to the parent, for notes. */
  readonly progressDescriptor: number;
  readonly request: ChildRequest;
}

endWithParent();
process.once('message', (message) => {
  process.send?.({ isReady: true } satisfies ChildSaid);
  const answer = answerTo(message as ChildMessage);
  process.send?.(answer, () => process.disconnect?.());
});

/** The parent keeps the other end of our input. A record that never lets go of us has a thread beside it that sees it closed. */
function endWithParent(): void {
  const watch = `const input = new (require('node:net').Socket)({ fd: 0 });
    input.resume().on('error', () => {}).once('close', () => process.kill(process.pid, 'SIGKILL'));`;
  // Without a thread the parent's time limit has to do.
  new Worker(watch, { eval: true }).on('error', () => {}).unref();
}

function answerTo({ storage: settings, progressDescriptor, request }: ChildMessage): ChildAnswer {
  const watch = plantedKiller(process.env, () => process.kill(process.pid, 'SIGKILL'));
  try {
    const storage = openThreadStorage(settings);
    if (request.kind === 'run') return { result: runGroup(storage, request.run, watch) };
    probeGroup(storage, request, {
      watch,
      // Written before the piece is run: what the parent has read last is what ended us.
      note: (piece) => void writeSync(progressDescriptor, `${JSON.stringify(piece)}\n`),
    });
    return { probed: true };
  } catch (error) {
    if (error instanceof HeadgateError) return { error: { code: error.code, message: error.message, retryable: error.retryable } };
    throw error;
  }
}
