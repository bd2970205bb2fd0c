/**
 * What the file came in must hold the file: a container is unpacked and compared, so that its bytes cannot be others'. Where
 * there was none, container and file are one and the same.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { exportFiles } from '../export/export-layout.ts';
import type { Receipt } from '../receipt.ts';
import { type ExportReader, type FileFacts, readPieces } from './export-reader.ts';
import type { VerificationLog } from './verification-report.ts';

/** What a container unpacks to; null when it is none, is damaged, or holds more than the file of the export. */
export type UnpackedContainer = FileFacts | null;

/**
 * Gzip (RFC 1952), several members too, and nothing behind them. In constant memory; stops where it comes to more than the
 * raw file has. Null without a container too.
 */
export async function unpackContainer(reader: ExportReader): Promise<UnpackedContainer> {
  const names = reader.names();
  if (!names.includes(exportFiles.container) || !names.includes(exportFiles.member)) return null;
  const member = reader.open(exportFiles.member);
  const bytesMax = member.size;
  member.close();
  const container = reader.open(exportFiles.container);
  try {
    return await unpack(readPieces(container, 0, container.size), { packedBytes: container.size, bytesMax });
  } finally {
    container.close();
  }
}

async function unpack(
  pieces: Iterable<Uint8Array>,
  about: { readonly packedBytes: number; readonly bytesMax: number },
): Promise<UnpackedContainer> {
  const hash = createHash('sha256');
  const gunzip = createGunzip();
  let bytes = 0;
  try {
    await pipeline(Readable.from(copies(pieces)), gunzip, async (unpacked: AsyncIterable<Uint8Array>) => {
      for await (const piece of unpacked) {
        bytes += piece.length;
        if (bytes > about.bytesMax) return;
        hash.update(piece);
      }
    });
  } catch (error) {
    if (bytes <= about.bytesMax && !isDamage(error)) throw error;
    return null;
  }
  return bytes > about.bytesMax || gunzip.bytesWritten !== about.packedBytes ? null : { bytes, sha256: hash.digest('hex') };
}

/** A stream keeps what it is given, and a piece is overwritten by the next one. */
function* copies(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of pieces) yield Uint8Array.from(piece);
}

function isDamage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}

export function checkContainer({ file }: Receipt, unpacked: UnpackedContainer, log: VerificationLog): void {
  const { container, member } = file;
  const { sha256, bytes } = member;
  if (container.sha256 === sha256) log.equal('container', 'E_VERIFY_FILE', { at: 'file.container', stated: container.bytes, found: bytes });
  else {
    const isSame = unpacked !== null && unpacked.sha256 === sha256 && unpacked.bytes === bytes;
    const message = 'it does not unpack to the raw file';
    log.check('container', isSame ? null : { code: 'E_VERIFY_FILE', at: exportFiles.container, message });
  }
}
