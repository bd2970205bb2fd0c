/** The intake thread: seals, hashes, splits and reads back for the event loop, which waits for none of it. */
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { HeadgateError } from '../../platform/base/errors.ts';
import { codeKeeper } from '../../platform/base/kept-code.ts';
import { systemPorts, systemRng } from '../../platform/base/system-ports.ts';
import { createKeyRing } from '../../platform/storage/data-keys.ts';
import { openRawStore } from '../../platform/storage/raw-store.ts';
import { createSealedStore } from '../../platform/storage/sealed-store.ts';
import type { Format } from '../formats/format.ts';
import type { Packs } from '../formats/pack.ts';
import { createDirectIntakeStore, type IncomingFile, type IntakeStore } from './intake-store.ts';
import type { IntakeAnswer, IntakeCall, IntakeThreadData, NumberedCall } from './intake-thread-messages.ts';

const { root, remote, cell, masterKeys, formatsUrl } = workerData as IntakeThreadData;
const loading = openStore();
/** Before any call. */
let store: IntakeStore;
/** Calls until most of its code has run. */
const keepCode = codeKeeper(24);
const files = new Map<number, IncomingFile>();
/** One call after the other for each file; packs stand alone. */
const last = new Map<number, Promise<unknown>>();

async function openStore(): Promise<IntakeStore> {
  const { formats, packs } = (await import(formatsUrl)) as { formats: readonly Format[]; packs: Packs };
  const raw = openRawStore({ root, remote }, systemRng);
  const sealed = createSealedStore({ raw, cell, keyRing: createKeyRing(masterKeys), rng: systemRng });
  return createDirectIntakeStore({ formats, packs, ids: systemPorts.ids, store: sealed });
}

function perform(call: IntakeCall): Promise<unknown> {
  switch (call.kind) {
    case 'open':
      files.set(call.file, store.open(call.request));
      return Promise.resolve();
    case 'push':
      return fileOf(call.file)
        .push(call.bytes)
        .then(() => call.bytes);
    case 'end':
      return fileOf(call.file)
        .end()
        .finally(() => forget(call.file));
    case 'abort':
      return Promise.resolve(files.get(call.file)?.abort()).finally(() => forget(call.file));
    case 'pack':
      return store.pack(call.tenantId, call.packId, call.members);
  }
}

function fileOf(file: number): IncomingFile {
  const found = files.get(file);
  if (!found) throw new Error('this file was ended or aborted before');
  return found;
}

function forget(file: number): void {
  files.delete(file);
  last.delete(file);
}

async function answer({ id, call }: NumberedCall): Promise<void> {
  let said: IntakeAnswer;
  try {
    const before = call.kind === 'pack' ? undefined : last.get(call.file);
    const done = (async () => {
      // What failed is aborted: nothing behind it is taken, and it fails with that.
      if (call.kind === 'abort') await before?.catch(() => undefined);
      else await before;
      return perform(call);
    })();
    if (call.kind === 'open' || call.kind === 'push') last.set(call.file, done);
    said = { id, value: await done };
  } catch (error) {
    const { message } = error as Error;
    said = {
      id,
      failure: {
        code: error instanceof HeadgateError ? error.code : null,
        message,
        isRetryable: error instanceof HeadgateError && error.retryable,
      },
    };
  }
  // The buffer of a push goes back, to be used again.
  parentPort!.postMessage(said, 'value' in said && call.kind === 'push' ? [call.bytes.buffer] : []);
}

// A thread is ended without notice: what it compiled would be compiled by every one after it, in tens of MB.
flushCompileCache();

// What comes before waits in the port.
void loading.then((opened) => {
  store = opened;
  parentPort!.on('message', (numbered: NumberedCall) => void answer(numbered).then(keepCode));
});
