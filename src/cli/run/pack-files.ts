/**
 * `headgate run --format PACK`: a file of the banks read by its pack alone, without a flow. Prints a receipt, every finding
 * (`--errors`) or its content (`--parse`). Streams: neither file nor document is ever whole in memory.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Pack, PackSettings, PackSummary } from '../../pipeline/formats/pack.ts';
import type { PackFinding } from '../../pipeline/formats/pack-finding.ts';
import type { FileSource } from './plain-files.ts';

/** What `--json` prints: `errors` and `warnings` list the first of them, the counts say how many there are. */
export interface PackReceipt extends PackSummary {
  readonly format: string;
  readonly file: { readonly name: string; readonly sha256: string; readonly bytes: number };
  readonly verdict: 'accepted' | 'rejected';
  readonly errorCount: number;
  readonly warningCount: number;
  readonly errors: readonly PackFinding[];
  readonly warnings: readonly PackFinding[];
}

export type PackPrint = 'receipt' | 'parse' | 'errors';

const listedMax = 1_000;

/** `write` gets text of the content or of the findings as `print` wants it, and resolves when more may follow. */
export async function readPackFile(
  { pack, settings, print }: { readonly pack: Pack; readonly settings: PackSettings; readonly print: PackPrint },
  source: FileSource,
  write: (text: string) => Promise<void>,
): Promise<PackReceipt> {
  const lists: Record<PackFinding['severity'], PackFinding[]> = { error: [], warn: [] };
  const counts: Record<PackFinding['severity'], number> = { error: 0, warn: 0 };
  let pending = '';
  const reader = pack.createReader(settings, {
    finding(finding) {
      if (counts[finding.severity]++ < listedMax) lists[finding.severity].push(finding);
      if (print === 'errors') pending += `${JSON.stringify(finding)}\n`;
    },
    ...(print === 'parse' ? { parsed: (text: string) => void (pending += text) } : {}),
  });
  const hash = createHash('sha256');
  const drain = async (): Promise<void> => {
    const text = pending;
    pending = '';
    if (text !== '') await write(text);
  };
  for (const piece of source.pieces()) {
    hash.update(piece);
    reader.push(piece);
    await drain();
  }
  const summary = reader.end();
  await drain();
  return {
    format: pack.name,
    file: { name: basename(source.path), sha256: hash.digest('hex'), bytes: source.size },
    verdict: counts.error === 0 ? 'accepted' : 'rejected',
    ...summary,
    errorCount: counts.error,
    warningCount: counts.warn,
    errors: lists.error,
    warnings: lists.warn,
  };
}
