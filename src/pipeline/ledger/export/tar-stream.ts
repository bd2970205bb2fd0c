/**
 * Exports travel as a tar archive (POSIX ustar; sizes from 8 GiB on in GNU base 256), so that any tool can open one. Only
 * plain files under relative names are written, and nothing else is accepted when reading.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { ledgerErrors } from '../ledger-errors.ts';
import type { ExportEntry } from './export-entries.ts';

const blockBytes = 512;
const sizeOctalMax = 8 ** 11;
const namePattern = /^[a-z0-9-]+(?:\.[a-z]+)?(?:\/[a-z0-9-]+(?:\.[a-z]+)?){0,3}$/;

/** Bytes of the archive, piece by piece. Fails with E_EXPORT_ARCHIVE when an entry is not as long as it says. */
export function* writeTar(entries: Iterable<ExportEntry>): Generator<Uint8Array> {
  for (const entry of entries) {
    yield tarHeader(entry);
    let written = 0;
    for (const piece of entry.pieces) {
      written += piece.length;
      yield piece;
    }
    if (written !== entry.bytes) throw broken(`${entry.name} has ${written} bytes instead of ${entry.bytes}`);
    yield Buffer.alloc(padding(entry.bytes));
  }
  yield Buffer.alloc(2 * blockBytes);
}

function tarHeader({ name, bytes }: ExportEntry): Buffer {
  if (!namePattern.test(name) || name.length > 99) throw broken('a name does not fit');
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  if (bytes < sizeOctalMax) header.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(bytes), 128);
  }
  header.write('00000000000\0', 136);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < blockBytes; at++) if (at < 148 || at >= 156) sum += header[at]!;
  return sum;
}

function padding(bytes: number): number {
  return (blockBytes - (bytes % blockBytes)) % blockBytes;
}

export interface TarReceiver {
  /** A file starts. Its pieces follow. */
  start(name: string, bytes: number): void;
  piece(bytes: Uint8Array): void;
  end(): void;
}

/** Reads an archive in pieces of any size. Fails with E_EXPORT_ARCHIVE for anything that `writeTar` does not write. */
export async function readTar(pieces: AsyncIterable<Uint8Array>, receiver: TarReceiver): Promise<void> {
  const reader = new TarReader(receiver);
  for await (const piece of pieces) reader.push(piece);
  reader.finish();
}

class TarReader {
  readonly #receiver: TarReceiver;
  readonly #header = Buffer.alloc(blockBytes);
  #headerBytes = 0;
  #contentLeft = 0;
  #paddingLeft = 0;
  #endBlocks = 0;
  readonly #names = new Set<string>();

  constructor(receiver: TarReceiver) {
    this.#receiver = receiver;
  }

  push(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; ) {
      if (this.#contentLeft > 0) at += this.#takeContent(piece.subarray(at));
      else if (this.#paddingLeft > 0) {
        const count = Math.min(this.#paddingLeft, piece.length - at);
        if (!isEmpty(piece.subarray(at, at + count))) throw broken('it holds bytes between its files');
        this.#paddingLeft -= count;
        at += count;
      } else at += this.#takeHeader(piece.subarray(at));
    }
  }

  finish(): void {
    if (this.#endBlocks < 2 || this.#headerBytes > 0) throw broken('it is cut');
  }

  #takeContent(piece: Uint8Array): number {
    const count = Math.min(this.#contentLeft, piece.length);
    this.#receiver.piece(piece.subarray(0, count));
    this.#contentLeft -= count;
    if (this.#contentLeft === 0) this.#receiver.end();
    return count;
  }

  #takeHeader(piece: Uint8Array): number {
    const count = Math.min(blockBytes - this.#headerBytes, piece.length);
    this.#header.set(piece.subarray(0, count), this.#headerBytes);
    this.#headerBytes += count;
    if (this.#headerBytes === blockBytes) {
      this.#headerBytes = 0;
      this.#openEntry(this.#header);
    }
    return count;
  }

  #openEntry(header: Buffer): void {
    if (isEmpty(header)) {
      if (++this.#endBlocks > 2) throw broken('it goes on behind its end');
      return;
    }
    const name = header.toString('latin1', 0, header.indexOf(0));
    const bytes = header[124] === 0x80 ? Number(header.readBigUInt64BE(128)) : Number.parseInt(header.toString('latin1', 124, 135), 8);
    const isOurs = this.#endBlocks === 0 && Number.isSafeInteger(bytes) && namePattern.test(name) && !this.#names.has(name);
    if (!isOurs || !tarHeader({ name, bytes, pieces: [] }).equals(header)) throw broken('it holds something else than an export');
    this.#names.add(name);
    this.#contentLeft = bytes;
    this.#paddingLeft = padding(bytes);
    this.#receiver.start(name, bytes);
    if (bytes === 0) this.#receiver.end();
  }
}

function isEmpty(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function broken(what: string): HeadgateError {
  return new HeadgateError(ledgerErrors.E_EXPORT_ARCHIVE, `the archive of an export is broken: ${what}`);
}
