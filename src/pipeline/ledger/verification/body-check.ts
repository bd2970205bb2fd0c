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
    const isSame = hash.digest('hex') === entry.sha256;
    log.check(
      'batch bodies',
      isSame ? null : { code: 'E_VERIFY_BATCHES', at: `batch ${entry.id}`, message: 'its hash is not that of its lines' },
    );
  }
}
