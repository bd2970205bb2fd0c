/**
 * What a batch becomes where a target holds files: a name and the bytes of one file, the same for every attempt. Lines before
 * and after the records are filled in with what the batch was cut with: its records, its amounts, the time of its cut.
 */
import { createHash } from 'node:crypto';
import type { BodyPlan, TargetPlan } from '../../engine/plan.ts';
import type { OutgoingBatch } from '../connector.ts';
import { fileNameOf, templateTexts } from './file-name.ts';
import { fillTemplate } from './file-template.ts';

export interface OutputFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Each is only valid until the next is asked for. */
  pieces(): Iterable<Uint8Array>;
  /** 64 lower-case hex digits. */
  sha256(): string;
}

/** Settings that all targets have that hold files, as `output-file-settings.ts` describes them. */
export interface OutputFileSettings {
  readonly name: string;
  readonly headerLines?: readonly string[];
  readonly trailerLines?: readonly string[];
}

/** Fails with E_TARGET where a template can't be filled in. */
export function outputFileOf(
  batch: OutgoingBatch,
  { id, body: plan }: Pick<TargetPlan, 'id' | 'body'>,
  settings: OutputFileSettings,
): OutputFile {
  const parts = { targetId: id, format: plan.format, batch };
  const { body } = batch;
  const values = { texts: { ...templateTexts(parts), count: String(batch.records) }, amounts: batch.amounts };
  const linesOf = (templates: readonly string[] = []) =>
    Buffer.from(templates.map((template) => fillTemplate(template, values) + lineEndOf(plan)).join(''));
  const before = Buffer.concat([linesOf(settings.headerLines), body.preamble]);
  const after = linesOf(settings.trailerLines);
  const isBare = before.length === 0 && after.length === 0;
  function* pieces(): Generator<Uint8Array> {
    if (before.length > 0) yield before;
    yield* body.pieces({ isReused: true });
    if (after.length > 0) yield after;
  }
  return {
    name: fileNameOf(settings.name, parts),
    sizeBytes: before.length + body.sizeBytes + after.length,
    pieces,
    sha256() {
      if (isBare) return body.sha256;
      const digest = createHash('sha256');
      for (const piece of pieces()) digest.update(piece);
      return digest.digest('hex');
    },
  };
}

function lineEndOf(body: BodyPlan): string {
  return body.format === 'ndjson' ? '\n' : body.lineEnd;
}

/** Of the attempt, beside the file's own name: hidden, and known by its batch. */
export function temporaryName({ batchId, attempt }: Pick<OutgoingBatch, 'batchId' | 'attempt'>): string {
  return `${temporaryPrefix(batchId)}${attempt}`;
}

export function temporaryPrefix(batchId: string): string {
  return `.headgate-${batchId}-`;
}
