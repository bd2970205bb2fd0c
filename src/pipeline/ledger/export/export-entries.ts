/**
 * Writes a job's export: everything that backs its receipt, in plaintext, file by file. Pulled by the one who sends it, so
 * that a slow reader costs no memory. Whoever calls it has checked that the reader may see the content.
 */
import { createHash } from 'node:crypto';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { Receipt } from '../receipt.ts';
import { chunkFiles, exportFiles } from './export-layout.ts';

const pieceBytes = 256 * 1024;

/** What an export is made of. The sources are opened by the caller's functions one at a time and closed after use. */
export interface ExportedJob {
  readonly receipt: Receipt;
  /** The exact bytes that were signed. */
  readonly receiptBytes: Uint8Array;
  readonly signature: string;
  /** The author's text. */
  readonly definition: Uint8Array;
  openMember(): ClosableSource;
  openContainer(): ClosableSource;
  openExclusions(): ClosableSource;
  openBatches(): ClosableSource;
  openOutcomes(chunk: number): ClosableSource;
  openRejections(chunk: number): ClosableSource;
  openOutput(chunk: number, target: number): ClosableSource;
}

export type ClosableSource = ByteSource & { close(): void };

export interface ExportEntry {
  readonly name: string;
  readonly bytes: number;
  /** To be read to its end before the next entry is asked for. */
  readonly pieces: Iterable<Uint8Array>;
}

/** The manifest comes last, with the hash of every file before it. */
export function* exportEntries(job: ExportedJob): Generator<ExportEntry> {
  const listed: { path: string; bytes: number; sha256: string }[] = [];
  for (const { name, open } of parts(job)) {
    const source = open();
    try {
      const hash = createHash('sha256');
      yield { name, bytes: source.size, pieces: piecesOf(source, (piece) => hash.update(piece)) };
      listed.push({ path: name, bytes: source.size, sha256: hash.digest('hex') });
    } finally {
      source.close();
    }
  }
  const files = listed.sort((a, b) => (a.path < b.path ? -1 : 1));
  const manifest = Buffer.from(canonicalJson({ exportVersion: 1, jobId: job.receipt.job.id, files }));
  yield { name: exportFiles.manifest, bytes: manifest.length, pieces: [manifest] };
}

function* parts(job: ExportedJob): Generator<{ readonly name: string; readonly open: () => ClosableSource }> {
  const { receipt } = job;
  yield { name: exportFiles.receipt, open: () => sourceOf(job.receiptBytes) };
  yield { name: exportFiles.signature, open: () => sourceOf(Buffer.from(job.signature)) };
  yield { name: exportFiles.definition, open: () => sourceOf(job.definition) };
  yield { name: exportFiles.member, open: () => job.openMember() };
  if (receipt.file.container.sha256 !== receipt.file.member.sha256) yield { name: exportFiles.container, open: () => job.openContainer() };
  if (receipt.exclusions !== null) yield { name: exportFiles.exclusions, open: () => job.openExclusions() };
  yield { name: exportFiles.batches, open: () => job.openBatches() };
  for (const { number, rejections, outputs } of receipt.chunks) {
    const files = chunkFiles(number);
    yield { name: files.outcomes, open: () => job.openOutcomes(number) };
    if (rejections !== null) yield { name: files.rejections, open: () => job.openRejections(number) };
    for (const [target, output] of outputs.entries()) {
      if (output !== null) yield { name: files.output(target), open: () => job.openOutput(number, target) };
    }
  }
}

function* piecesOf(source: ByteSource, see: (piece: Uint8Array) => void): Generator<Uint8Array> {
  for (let position = 0; position < source.size; ) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, source.size - position));
    const count = source.read(piece, 0, piece.length, position);
    if (count === 0) return;
    see(piece.subarray(0, count));
    yield piece.subarray(0, count);
    position += count;
  }
}

/** A source over bytes in memory. */
export function sourceOf(bytes: Uint8Array): ClosableSource {
  return {
    size: bytes.length,
    read(into, at, length, position) {
      const piece = bytes.subarray(position, position + length);
      into.set(piece, at);
      return piece.length;
    },
    close() {},
  };
}
