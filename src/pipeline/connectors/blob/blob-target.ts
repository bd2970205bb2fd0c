/**
 * Writes each batch to an object of its own in a bucket or container: whole, in one request that the service refuses where the
 * name is taken, so that nobody sees half of it and nothing is overwritten. An object of that name with the same content is the
 * batch itself where an attempt before may have delivered it; any other is somebody else's and stays.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { type BlobConnectionType, revealCredentials } from '../../../platform/blob/blob-connection.ts';
import { type Blob, type BlobContainer, openBlobContainer } from '../../../platform/blob/blob-container.ts';
import { BlobFailure } from '../../../platform/blob/blob-failure.ts';
import { createAddressGuard } from '../address-guard.ts';
import type { DeliveryOutcome, OpenOptions, OutgoingBatch, Resolution, Target } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { createOutputFiles } from '../output-files/encrypted-file.ts';
import { conflictWith, foundAgain, type OutputFile, sha256Of } from '../output-files/output-file.ts';
import { blobOutcome, type Step } from './blob-failure-outcome.ts';
import { probeContainer } from './blob-probe.ts';
import { type BlobSettings, readBlobSettings } from './blob-settings.ts';

/** A service slower than this is out of order; the timeout comes on top. Read back, an object goes over the line twice. */
const bytesPerMsMin = 1024;
const readBytes = 4 * 1024 * 1024;

/** Fails with E_TARGET on settings that can't work. */
export function openBlobTarget(type: BlobConnectionType, options: OpenOptions): Target {
  const { target, egress, secrets, ports } = options;
  const settings = readBlobSettings(type, options);
  const guard = createAddressGuard(egress, ports.resolveHost);
  const fileOf = createOutputFiles(options, settings);
  const timeoutMsOf = (bytes: number) => target.timeoutMs + Math.ceil((bytes * (settings.readBack === 'hash' ? 2 : 1)) / bytesPerMsMin);

  /** With the credentials of the moment. Gives up waiting when the signal fires: OpenDAL can't be stopped, and ends by its own timeout. */
  async function withContainer<T>(bytes: number, signal: AbortSignal, work: (container: BlobContainer) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const container = await openBlobContainer({
      service: settings.blob.service,
      credentials: revealCredentials(settings.blob.credentials, (reference) => secrets.resolve(reference).reveal()),
      addressesOf: (host) => guard.addressesOf(host),
      rng: ports.rng,
      timeoutMs: timeoutMsOf(bytes),
    });
    const working = work(container).finally(() => container.close());
    return await unlessAborted(working, signal);
  }

  return {
    unknownResolution: 'query',
    attemptTimeoutMs: ({ bytes }) => timeoutMsOf(bytes),
    async deliver(batch, signal) {
      const step: { now: Step } = { now: 'before' };
      try {
        const file = fileOf(batch);
        return await withContainer(batch.body.sizeBytes, signal, (container) => write({ container, file, batch, settings, signal }, step));
      } catch (error) {
        return blobOutcome(error, { step: step.now, signal });
      }
    },
    async resolve(batch, signal): Promise<Resolution> {
      try {
        const file = fileOf(batch);
        const found = await withContainer(batch.body.sizeBytes, signal, (container) =>
          compare(container, settings.folder + file.name, file),
        );
        if (found === 'same') return { kind: 'acked', evidence: 'the object is there with the same content' };
        const evidence = found === 'missing' ? 'there is no object of this name' : 'the object of this name holds something else';
        return { kind: 'resendable', evidence };
      } catch (error) {
        return { kind: 'unresolved', code: blobOutcome(error, { step: 'before', signal }).code, isForNow: true };
      }
    },
    async probe(signal) {
      const startMs = ports.clock.monotonicMs();
      const durationMs = () => ports.clock.monotonicMs() - startMs;
      try {
        const name = `${settings.folder}.headgate-probe-${ports.ids.next()}`;
        const message = await withContainer(0, signal, (container) => probeContainer(container, name, settings.readBack));
        return { isReachable: true, code: null, message, durationMs: durationMs() };
      } catch (error) {
        const { code, message } = blobOutcome(error, { step: 'before', signal });
        return { isReachable: false, code, message, durationMs: durationMs() };
      }
    },
    async close() {},
  };
}

const alreadyThere = 'the object was there already with the same content';

interface Writing {
  readonly container: BlobContainer;
  readonly file: OutputFile;
  readonly batch: OutgoingBatch;
  readonly settings: BlobSettings;
  readonly signal: AbortSignal;
}

async function write({ container, file, batch, settings, signal }: Writing, step: { now: Step }): Promise<DeliveryOutcome> {
  const name = settings.folder + file.name;
  const before = await compare(container, name, file);
  if (before === 'same') return foundAgain(file, batch, alreadyThere);
  if (before === 'other') return conflictWith(file);
  const content = await wholeFile(file);
  signal.throwIfAborted();
  batch.assertOurs();
  step.now = 'creating';
  try {
    await container.create(name, content);
    step.now = 'made';
  } catch (error) {
    if (!(error instanceof BlobFailure) || error.kind !== 'exists') throw error;
    const now = await compare(container, name, file);
    if (now === 'same') return foundAgain(file, batch, alreadyThere);
    if (now === 'other') return conflictWith(file);
    step.now = 'before';
    throw new BlobFailure('busy', 'the service says that the name is taken, and has no such object');
  }
  if (settings.readBack !== 'none') await readBack(container, name, { content, isWhole: settings.readBack === 'hash' }, step);
  const compared = { hash: ' and read back', size: ' and measured', none: '' }[settings.readBack];
  return { kind: 'acked', evidence: `the object was written${compared}` };
}

/** What was written otherwise than it was sent is taken away again. One that is gone already may have been taken by whom it was for. */
async function readBack(
  container: BlobContainer,
  name: string,
  { content, isWhole }: { readonly content: Buffer; readonly isWhole: boolean },
  step: { now: Step },
): Promise<void> {
  const stored = await container.look(name);
  if (stored !== undefined && stored.bytes === content.length) {
    if (!isWhole) return;
    if ((await sha256Of(piecesOf(container, stored))) === (await sha256Of(onePiece(content)))) return;
  }
  if (stored === undefined) throw new HeadgateError(connectorErrors.E_TARGET_READ_BACK, 'the object was gone when it was read back');
  await container.remove(stored);
  step.now = 'before';
  throw new HeadgateError(connectorErrors.E_TARGET_READ_BACK, 'what the service holds differs from what was written to it');
}

async function compare(container: BlobContainer, name: string, file: OutputFile): Promise<'missing' | 'same' | 'other'> {
  const stored = await container.look(name);
  if (stored === undefined) return 'missing';
  return (await file.isSame({ sizeBytes: stored.bytes, pieces: () => piecesOf(container, stored) })) ? 'same' : 'other';
}

async function* piecesOf(container: BlobContainer, blob: Blob): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < blob.bytes; from += readBytes)
    yield await container.read(blob, { from, bytes: Math.min(readBytes, blob.bytes - from) });
}

async function* onePiece(content: Buffer): AsyncGenerator<Uint8Array> {
  yield content;
}

/** In memory: services take an object whole. */
async function wholeFile(file: OutputFile): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of file.pieces()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function unlessAborted<T>(working: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    working.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
