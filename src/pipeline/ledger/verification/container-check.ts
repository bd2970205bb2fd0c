/**
 * What the file came in must hold the file: a container is unpacked and compared, so that its bytes cannot be others'. Where
 * there was none, container and file are one and the same.
 */
import { createHash } from 'node:crypto';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { headBytes, mayBegin, packingNames } from '../../../platform/packing/packings.ts';
import { Unpacker } from '../../../platform/packing/unpacker.ts';
import { exportFiles } from '../export/export-layout.ts';
import type { Receipt } from '../receipt.ts';
import { type ExportReader, type FileFacts, readPieces } from './export-reader.ts';
import type { VerificationLog } from './verification-report.ts';

/** What a container unpacks to; null when it is none, is damaged, or holds more than the file of the export. */
export type UnpackedContainer = FileFacts | null;

/**
 * Packed in any way that a flow may take, which its first bytes tell. In constant memory; stops where it comes to more than the
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
    return await unpack(container, bytesMax);
  } finally {
    container.close();
  }
}

async function unpack(container: ByteSource, bytesMax: number): Promise<UnpackedContainer> {
  const head = Buffer.alloc(headBytes);
  const start = head.subarray(0, container.read(head, 0, headBytes, 0));
  const packing = packingNames.find((name) => mayBegin(name, [...start]));
  if (packing === undefined) return null;
  const hash = createHash('sha256');
  let bytes = 0;
  const onBytes = (piece: Uint8Array) => {
    bytes += piece.length;
    hash.update(piece);
  };
  const unpacker = new Unpacker(packing, { unpackedBytesMax: bytesMax, ratioMax: Number.POSITIVE_INFINITY, onBytes });
  try {
    for (const piece of readPieces(container, 0, container.size)) if (await unpacker.push(piece)) return null;
    return (await unpacker.end()) ? null : { bytes, sha256: hash.digest('hex') };
  } finally {
    unpacker.abort();
  }
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
