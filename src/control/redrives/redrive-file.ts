/**
 * The file of a job that sends records again: what stands before the first record in files of the flow, then the chosen
 * records, each as it is to be read. A run of records that followed each other is a chunk, so that each keeps its number.
 */
import type { ChunkSpec } from '../../pipeline/engine/chunk.ts';
import { lineEndOf, type MemberRecord, type SourceRecords } from './member-records.ts';

export interface RedriveFile {
  readonly content: Buffer;
  readonly chunks: readonly ChunkSpec[];
}

/** `records`: in ascending order of number, at least one. */
export function redriveFile({ job, head }: SourceRecords, records: readonly MemberRecord[]): RedriveFile {
  const lineEnd = lineEndOf(job.flow.plan.format);
  const pieces: Buffer[] = [head.bytes];
  const chunks: ChunkSpec[] = [];
  let position = head.bytes.length;
  let before: number | null = null;
  for (const { record, content } of records) {
    const end = position + content.length + lineEnd.length;
    const last = chunks.at(-1);
    if (last !== undefined && before === record - 1) chunks[chunks.length - 1] = { ...last, end };
    else
      chunks.push({
        number: chunks.length,
        start: last === undefined ? head.firstChunkStart : position,
        end,
        firstRecord: record,
        context: job.context,
      });
    pieces.push(content, lineEnd);
    position = end;
    before = record;
  }
  return { content: Buffer.concat(pieces), chunks };
}
