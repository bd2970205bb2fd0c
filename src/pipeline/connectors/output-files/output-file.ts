/**
 * What a batch becomes where a target holds files: a name and the bytes of one file. Lines before and after the records are
 * filled in with what the batch was cut with: its records, its amounts, the time of its cut. Without encryption the bytes are
 * the same for every attempt; with it they hold the same.
 */
import { createHash } from 'node:crypto';
import type { BodyPlan, TargetPlan } from '../../engine/plan.ts';
import type { DeliveryOutcome, OutgoingBatch } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { fileNameOf, templateTexts } from './file-name.ts';
import { fillTemplate } from './file-template.ts';

const nothing = Buffer.alloc(0);

export interface OutputFile {
  readonly name: string;
  /** The name of an input is part of it, which its sender chose. */
  readonly isNamedBySender: boolean;
  /** Null: known when it is written. */
  readonly sizeBytes: number | null;
  /** Each is only valid until the next is asked for. */
  pieces(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Whether what lies under its name is this file, written by whichever attempt. */
  isSame(found: FoundFile): Promise<boolean>;
}

/** What lies at a target under a name. */
export interface FoundFile {
  readonly sizeBytes: number;
  /** Fewer or more bytes than its size where it changes meanwhile. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** Settings that all targets have that hold files, as `output-file-settings.ts` describes them. */
export interface OutputFileSettings {
  readonly name: string;
  readonly headerLines?: readonly string[];
  readonly trailerLines?: readonly string[];
  readonly encrypt: boolean;
  readonly sign: boolean;
}

/** The bytes of a file before anything is done to them. */
export interface PlainFile extends OutputFile {
  readonly sizeBytes: number;
  pieces(options?: { readonly isReused: boolean }): Iterable<Uint8Array>;
  /** 64 lower-case hex digits. */
  sha256(): string;
}

/** Fails with E_TARGET where a template can't be filled in. */
export function plainFileOf(
  batch: OutgoingBatch,
  { id, body: plan }: Pick<TargetPlan, 'id' | 'body'>,
  settings: Pick<OutputFileSettings, 'name' | 'headerLines' | 'trailerLines'> & { readonly encrypt?: boolean },
): PlainFile {
  const parts = { targetId: id, format: plan.format, isEncrypted: settings.encrypt === true, batch };
  const { body } = batch;
  const linesOf = (templates: readonly string[] = []) => {
    if (templates.length === 0) return nothing;
    const texts = { ...templateTexts(templates.join(''), parts), count: String(batch.records) };
    const values = { texts, amounts: batch.amounts, widthsOf: 'bytes' } as const;
    return Buffer.from(templates.map((template) => fillTemplate(template, values) + lineEndOf(plan)).join(''));
  };
  const headerLines = linesOf(settings.headerLines);
  const before = headerLines.length === 0 ? body.preamble : Buffer.concat([headerLines, body.preamble]);
  const after = linesOf(settings.trailerLines);
  const sizeBytes = before.length + body.sizeBytes + after.length;
  function* pieces(options: { readonly isReused: boolean } = { isReused: true }): Generator<Uint8Array> {
    if (before.length > 0) yield before;
    yield* body.pieces(options);
    if (after.length > 0) yield after;
  }
  const sha256 = (): string => {
    if (sizeBytes === body.sizeBytes) return body.sha256;
    const digest = createHash('sha256');
    for (const piece of pieces()) digest.update(piece);
    return digest.digest('hex');
  };
  return {
    name: fileNameOf(settings.name, parts),
    isNamedBySender: settings.name.includes('{file'),
    sizeBytes,
    pieces,
    sha256,
    isSame: async (found) => found.sizeBytes === sizeBytes && (await sha256Of(found.pieces())) === sha256(),
  };
}

/** What lies under its name is another file. Messages come into logs, where names of senders have no place. */
export function conflictWith(file: Named): DeliveryOutcome {
  return refusedOver(`${nameIn(file)} is taken by other bytes`);
}

/**
 * What lies under its name holds the same. It is the batch's own where nobody knows of an attempt whether it arrived; else another batch
 * wrote it, whose records are the same, and for this one nothing is there.
 */
export function foundAgain(
  file: Named,
  { possibleDuplicate }: Pick<OutgoingBatch, 'possibleDuplicate'>,
  evidence: string,
): DeliveryOutcome {
  return possibleDuplicate ? { kind: 'acked', evidence } : refusedOver(`${nameIn(file)} is taken by the same bytes of another batch`);
}

type Named = Pick<OutputFile, 'name' | 'isNamedBySender'>;

function nameIn({ name, isNamedBySender }: Named): string {
  return `the name ${isNamedBySender ? 'of the file' : `"${name}"`}`;
}

function refusedOver(message: string): DeliveryOutcome {
  return { kind: 'refused', retryable: false, code: connectorErrors.E_TARGET_CONFLICT, message };
}

/** 64 lower-case hex digits. */
export async function sha256Of(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const digest = createHash('sha256');
  for await (const piece of pieces) digest.update(piece);
  return digest.digest('hex');
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
