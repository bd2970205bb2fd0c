/**
 * What the file came in must hold the file: a container is unpacked and compared, so that its bytes cannot be others'. Where
 * there was none, container and file are one and the same. What is encrypted to someone can not be looked into: then it is
 * stated that the file came out of it, and not recomputed.
 */
import { createHash } from 'node:crypto';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import type { ByteStep } from '../../../platform/packing/byte-step.ts';
import { isEncrypted } from '../../../platform/packing/encrypted-head.ts';
import { headBytes, mayBegin, packingNames } from '../../../platform/packing/packings.ts';
import { blockBytes, isTar } from '../../../platform/packing/tar-header.ts';
import { TarStep } from '../../../platform/packing/tar-step.ts';
import { createPackingStep } from '../../../platform/packing/unpack-chain.ts';
import { UnpackMeter } from '../../../platform/packing/unpack-meter.ts';
import { UnpackError } from '../../../platform/packing/unpack-problem.ts';
import { isZip, unzip } from '../../../platform/packing/zip-members.ts';
import { exportFiles } from '../export/export-layout.ts';
import type { Receipt } from '../receipt.ts';
import { type ExportReader, type FileFacts, readPieces } from './export-reader.ts';
import type { VerificationLog } from './verification-report.ts';

/** What a container unpacks to: each file that may be meant. */
export interface UnpackedContainer {
  readonly files: readonly FileFacts[];
  /** There is something in it that can not be looked into. */
  readonly isClosed: boolean;
}

/** No more than a flow may take. */
const limits = { unpackedBytesMax: Number.MAX_SAFE_INTEGER, ratioMax: 10_000, entriesMax: 256 };
const depthMax = 4;

/**
 * Packed in any way that a flow may take, which its first bytes tell. In constant memory; what is bigger than the raw file, and no
 * archive, is left at the first byte beyond. Null without a container.
 */
export async function unpackContainer(reader: ExportReader): Promise<UnpackedContainer | null> {
  const names = reader.names();
  if (!names.includes(exportFiles.container) || !names.includes(exportFiles.member)) return null;
  const member = reader.open(exportFiles.member);
  const bytesMax = member.size;
  member.close();
  const container = reader.open(exportFiles.container);
  try {
    const search = new Search(container, bytesMax);
    await search.run();
    return search;
  } finally {
    container.close();
  }
}

class Search implements UnpackedContainer {
  readonly files: FileFacts[] = [];
  isClosed = false;
  readonly #container: ByteSource;
  readonly #bytesMax: number;
  readonly #meter: UnpackMeter;

  constructor(container: ByteSource, bytesMax: number) {
    this.#container = container;
    this.#bytesMax = bytesMax;
    this.#meter = new UnpackMeter(limits, () => container.size);
  }

  async run(): Promise<void> {
    try {
      const head = Buffer.alloc(headBytes);
      if (isZip(head.subarray(0, this.#container.read(head, 0, headBytes, 0))))
        await unzip(this.#container, this.#meter, () => new SearchedFile(this, 1));
      else await this.#pass();
    } catch (error) {
      // What could be unpacked until then is all that is in it.
      if (!(error instanceof UnpackError)) throw error;
    }
  }

  async #pass(): Promise<void> {
    const whole = new SearchedFile(this, 0);
    try {
      for (const piece of readPieces(this.#container, 0, this.#container.size)) await whole.push(piece);
      await whole.end();
    } finally {
      whole.abort();
    }
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** What undoes the way in which a file that begins so is packed; null for what is none, or is too deep. */
  openerOf(head: Uint8Array, depth: number): ByteStep | null {
    if (depth >= depthMax) return null;
    if (isZip(head) || isEncrypted(head)) {
      this.isClosed = true;
      return null;
    }
    if (isTar(head)) return new TarStep(this.#meter, () => new SearchedFile(this, depth + 1));
    const packing = packingNames.find((name) => mayBegin(name, [...head.subarray(0, headBytes)]));
    return packing === undefined ? null : createPackingStep(packing, this.#meter, new SearchedFile(this, depth + 1));
  }
}

/** A file on the way, which may be what is looked for, or hold it. */
class SearchedFile implements ByteStep {
  readonly #search: Search;
  readonly #depth: number;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #head: Buffer | null = Buffer.alloc(0);
  #opener: ByteStep | null = null;

  constructor(search: Search, depth: number) {
    this.#search = search;
    this.#depth = depth;
  }

  async push(piece: Uint8Array): Promise<void> {
    this.#bytes += piece.length;
    if (this.#bytes <= this.#search.bytesMax) this.#hash.update(piece);
    let bytes = piece;
    if (this.#head !== null) {
      this.#head = Buffer.concat([this.#head, piece]);
      if (this.#head.length < blockBytes) return;
      bytes = this.#begin(this.#head);
    }
    await this.#into((opener) => opener.push(bytes));
    if (this.#depth > 0 && this.#opener === null && this.#bytes > this.#search.bytesMax)
      throw new UnpackError('limits', 'a file in the container is bigger than the raw file');
  }

  async end(): Promise<void> {
    if (this.#head !== null) {
      const bytes = this.#begin(this.#head);
      await this.#into((opener) => opener.push(bytes));
    }
    await this.#into((opener) => opener.end());
    const isMeant = this.#depth > 0 && this.#bytes <= this.#search.bytesMax;
    if (isMeant) this.#search.files.push({ bytes: this.#bytes, sha256: this.#hash.digest('hex') });
  }

  abort(): void {
    this.#opener?.abort();
    this.#opener = null;
  }

  #begin(head: Buffer): Buffer {
    this.#opener = this.#search.openerOf(head.subarray(0, blockBytes), this.#depth);
    this.#head = null;
    return head;
  }

  /** What turns out not to be packed so is content. */
  async #into(step: (opener: ByteStep) => void | Promise<void>): Promise<void> {
    if (this.#opener === null) return;
    try {
      await step(this.#opener);
    } catch (error) {
      if (!(error instanceof UnpackError)) throw error;
      this.abort();
    }
  }
}

export function checkContainer({ file }: Receipt, unpacked: UnpackedContainer | null, log: VerificationLog): void {
  const { container, member } = file;
  const { sha256, bytes } = member;
  if (container.sha256 === sha256) log.equal('container', 'E_VERIFY_FILE', { at: 'file.container', stated: container.bytes, found: bytes });
  else {
    const isThere = unpacked?.files.some((found) => found.sha256 === sha256 && found.bytes === bytes) ?? false;
    const isClosed = !isThere && unpacked?.isClosed === true;
    const message = 'it does not unpack to the raw file';
    log.check('container', isThere || isClosed ? null : { code: 'E_VERIFY_FILE', at: exportFiles.container, message });
    if (isClosed)
      log.note('The container is encrypted, or packed more than once: that the raw file came out of it is stated, not recomputed.');
  }
}
