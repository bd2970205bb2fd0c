/** A batch's hash is that of the output bytes it says it is made of: what was sent, whoever received it. */
import { createHash } from 'node:crypto';
import type { BatchEntry } from '../batch-list.ts';
import { chunkFiles } from '../export/export-layout.ts';
import { type ExportReader, readPieces } from './export-reader.ts';
import type { VerificationLog } from './verification-report.ts';

export function checkBodies(
  entries: readonly BatchEntry[],
  targetIds: readonly string[],
  reader: ExportReader,
  log: VerificationLog,
): void {
  const names = new Set(reader.names());
  for (const entry of entries) {
    const hash = createHash('sha256');
    for (const { chunk, start, end } of entry.ranges) {
      const name = chunkFiles(chunk).output(targetIds.indexOf(entry.target));
      if (!names.has(name)) continue;
      const source = reader.open(name);
      try {
        for (const piece of readPieces(source, start, end)) hash.update(piece);
      } finally {
        source.close();
      }
    }
    const { body, bytes, sha256 } = entry;
    const isSame = hash.digest('hex') === sha256 && (isShared(entry) ? body.bytes > bytes : body.sha256 === sha256);
    log.check(
      'batch bodies',
      isSame ? null : { code: 'E_VERIFY_BATCHES', at: `batch ${entry.id}`, message: 'its hash is not that of its lines' },
    );
  }
}

/** It holds lines of other jobs too, so its body cannot be recomputed from one job's export. */
export function isShared({ body, bytes }: BatchEntry): boolean {
  return body.bytes !== bytes;
}
