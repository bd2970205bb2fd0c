/**
 * The child process that runs what ended a thread before. A probe runs a group piece by piece and keeps nothing, noting each
 * piece before it begins; a run is a thread's run, made here, on the slow path. It talks to `poison-hunt.ts` only.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { HeadgateError } from '../../platform/base/errors.ts';
import { probeGroup } from './group-probe.ts';
import type { GroupResult, GroupRun, Piece } from './group-run.ts';
import { runGroup } from './group-runner.ts';
import { plantedKiller } from './planted-killer.ts';
import { openThreadStorage, type ThreadStorageSettings } from './thread-storage.ts';

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

export type ChildAnswer =
  | { readonly result: GroupResult }
  | { readonly probed: true }
  | { readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } };

interface Message {
  readonly storage: ThreadStorageSettings;
  readonly progressPath: string;
  readonly request: ChildRequest;
}

process.once('message', (message) => {
  const answer = answerTo(message as Message);
  process.send?.(answer, () => process.disconnect?.());
});

function answerTo({ storage: settings, progressPath, request }: Message): ChildAnswer {
  const storage = openThreadStorage(settings);
  const watch = plantedKiller(process.env, () => process.kill(process.pid, 'SIGKILL'));
  try {
    if (request.kind === 'run') return { result: runGroup(storage, request.run, watch) };
    probeGroup(storage, request, {
      watch,
      // A whole file under another name, so that a death in the middle of writing leaves the piece before.
      note(piece) {
        writeFileSync(`${progressPath}.new`, JSON.stringify(piece));
        renameSync(`${progressPath}.new`, progressPath);
      },
    });
    return { probed: true };
  } catch (error) {
    if (error instanceof HeadgateError) return { error: { code: error.code, message: error.message, retryable: error.retryable } };
    throw error;
  }
}
