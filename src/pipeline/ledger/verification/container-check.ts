/**
 * What the file came in must hold the file: the steps that the receipt states (`file.via`) are undone again, and what comes out
 * is compared, so that its bytes cannot be others'. Where there was none, container and file are one and the same. What is
 * encrypted to someone can not be looked into: then it is stated that the file came out of it, and not recomputed.
 */
import { createHash, type Hash } from 'node:crypto';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import type { ByteStep } from '../../../platform/packing/byte-step.ts';
import { isEncrypted } from '../../../platform/packing/encrypted-head.ts';
import { archiveNames, type UnpackStep } from '../../../platform/packing/packings.ts';
import { createUnpackChain } from '../../../platform/packing/unpack-chain.ts';
import { UnpackError } from '../../../platform/packing/unpack-problem.ts';
import { isZip } from '../../../platform/packing/zip-members.ts';
import { exportFiles } from '../export/export-layout.ts';
import type { Receipt } from '../receipt.ts';
import { decodeReceipt } from '../receipt-schema.ts';
import { type ExportReader, type FileFacts, readPieces, readWhole } from './export-reader.ts';
import type { VerificationLog } from './verification-report.ts';

/** What the steps give, as far as they can be undone here: all of it, or nothing of what is not sound. */
export interface UnpackedContainer {
  readonly files: readonly UnpackedFile[];
  /** A step is left, which these files would have to be given to. */
  readonly isClosed: boolean;
}

interface UnpackedFile extends FileFacts {
  /** Null where no archive gave one. */
  readonly name: string | null;
  /** It begins as the step that is left asks for. */
  readonly isClosed: boolean;
}

/** No more than a flow may take. */
const limits = { unpackedBytesMax: Number.MAX_SAFE_INTEGER, ratioMax: 10_000, entriesMax: 256 };
/** What tells an encrypted file in armor. */
const headBytes = 64;

/** In constant memory. Null without a container, and where the receipt can not be read. */
export async function unpackContainer(reader: ExportReader): Promise<UnpackedContainer | null> {
  const file = statedFile(reader);
  if (file === null || file.via.length === 0 || !reader.names().includes(exportFiles.container)) return null;
  const container = reader.open(exportFiles.container);
  try {
    return await unpack(container, file);
  } finally {
    container.close();
  }
}

function statedFile(reader: ExportReader): Receipt['file'] | null {
  try {
    return decodeReceipt(readWhole(reader, exportFiles.receipt)).file;
  } catch {
    // What is wrong with it is found by the check of the receipt itself.
    return null;
  }
}

async function unpack(container: ByteSource, { via, member }: Receipt['file']): Promise<UnpackedContainer> {
  const at = via.findIndex((step, index) => step === 'pgp' || (step === 'zip' && index > 0));
  const steps = at < 0 ? via : via.slice(0, at);
  const next = via[steps.length];
  const isArchive = steps.some((step) => archiveNames.some((name) => name === step));
  // Of one file nothing is read beyond what it should be; a closed one is as big as it is.
  const bytesMax = isArchive || next !== undefined ? Number.MAX_SAFE_INTEGER : member.bytes;
  const files: UnpackedFile[] = [];
  const chain = createUnpackChain(steps, {
    limits,
    receivedBytes: () => container.size,
    openReceived: () => ({ size: container.size, read: (...where) => container.read(...where), close() {} }),
    openScratch: () => {
      throw new Error('no step that is undone here keeps anything');
    },
    pgpKeys: null,
    openMember: (name) => new FoundFile({ name, next, bytesMax, found: (file) => void files.push(file) }),
  });
  try {
    for (const piece of readPieces(container, 0, container.size)) await chain.push(piece);
    await chain.end();
  } catch (error) {
    chain.abort();
    if (!(error instanceof UnpackError)) throw error;
    return { files: [], isClosed: false };
  }
  return { files, isClosed: next !== undefined };
}

interface FoundFileOptions {
  readonly name: string | null;
  /** The step that is left. */
  readonly next: UnpackStep | undefined;
  readonly bytesMax: number;
  readonly found: (file: UnpackedFile) => void;
}

class FoundFile implements ByteStep {
  readonly #options: FoundFileOptions;
  readonly #hash: Hash = createHash('sha256');
  #bytes = 0;
  #head = Buffer.alloc(0);

  constructor(options: FoundFileOptions) {
    this.#options = options;
  }

  push(bytes: Uint8Array): void {
    if (this.#head.length < headBytes) this.#head = Buffer.concat([this.#head, bytes.subarray(0, headBytes)]);
    this.#bytes += bytes.length;
    if (this.#bytes > this.#options.bytesMax) throw new UnpackError('limits', 'the file in the container is bigger than the raw file');
    this.#hash.update(bytes);
  }

  async end(): Promise<void> {
    const { name, next, found } = this.#options;
    const isClosed = next === 'pgp' ? isEncrypted(this.#head) : next === 'zip' && isZip(this.#head);
    found({ name, bytes: this.#bytes, sha256: this.#hash.digest('hex'), isClosed });
  }

  abort(): void {}
}

export function checkContainer({ file }: Receipt, unpacked: UnpackedContainer | null, log: VerificationLog): void {
  const { container, via, member } = file;
  const { sha256, bytes } = member;
  if (via.length === 0) {
    log.equal('container', 'E_VERIFY_FILE', {
      at: 'file.container',
      stated: [container.sha256, container.bytes],
      found: [sha256, bytes],
    });
    return;
  }
  const isMeant = (found: UnpackedFile) =>
    found.sha256 === sha256 && found.bytes === bytes && (found.name === null || found.name === member.name);
  const isClosed = unpacked?.isClosed === true;
  const isThere = unpacked?.files.some((found) => (isClosed ? found.isClosed : isMeant(found))) ?? false;
  const message = `it does not unpack to the raw file by ${via.join(', then ')}`;
  log.check('container', isThere ? null : { code: 'E_VERIFY_FILE', at: exportFiles.container, message });
  if (isThere && isClosed)
    log.note('The container is encrypted, or an archive in another packing: that the raw file came out of it is stated, not recomputed.');
}
