/**
 * Reads the raw file row by row with the reference parser and holds every stored part of the job against it. What it adds
 * up is what the receipt must say.
 */

import type { FindingGroup } from '../../engine/chunk.ts';
import { tooManyRepeats } from '../../engine/file/duplicates.ts';
import { FindingGroups } from '../../engine/finding-groups.ts';
import type { Plan } from '../../engine/plan.ts';
import { summedScales, unreadableAmounts } from '../../engine/reference/money.ts';
import { type FileCoverage, type ReferenceRecord, ReferenceRun } from '../../engine/reference/reference-run.ts';
import { ReferenceTotals, type RunTotals } from '../../engine/reference/reference-totals.ts';
import type { Exclusion } from '../exclusions.ts';
import { exportFiles } from '../export/export-layout.ts';
import type { Receipt } from '../receipt.ts';
import type { BatchCheck } from './batch-check.ts';
import { type CheckedRecord, ChunkCheck } from './chunk-check.ts';
import type { PackFindings } from './container-check.ts';
import { DuplicateCheck, duplicateCode, duplicateMessage } from './duplicate-check.ts';
import { type ExportReader, readPieces } from './export-reader.ts';
import { statedRecordBytesMax } from './record-limit.ts';
import { RecordNumbers } from './record-numbers.ts';
import type { VerificationLog } from './verification-report.ts';

export interface RecomputedFile {
  /** Excluded records count as rejected. */
  readonly totals: RunTotals;
  readonly hasTooManyRepeats: boolean;
  readonly exclusions: readonly Exclusion[];
  readonly poisoned: number;
  readonly errors: readonly FindingGroup[];
  readonly warnings: readonly FindingGroup[];
  readonly coverage: FileCoverage;
}

export interface RecordCheckParts {
  readonly plan: Plan;
  readonly receipt: Receipt;
  readonly reader: ExportReader;
  readonly batches: BatchCheck;
  readonly ofPack: Pick<PackFindings, 'damage' | 'warnings'>;
  readonly log: VerificationLog;
}

export function checkRecords(parts: RecordCheckParts): RecomputedFile {
  const { plan, reader, receipt } = parts;
  const maxRecordBytes = statedRecordBytesMax(receipt);
  const run = new ReferenceRun(plan, maxRecordBytes === null ? {} : { maxRecordBytes });
  const walk = new RecordWalk(parts);
  const member = reader.open(exportFiles.member);
  try {
    for (const record of run.records(readPieces(member, 0, member.size))) walk.take(record);
  } finally {
    member.close();
  }
  return { ...walk.finish(run.totals()), coverage: run.coverage() };
}

class RecordWalk {
  readonly #parts: RecordCheckParts;
  readonly #names: ReadonlySet<string>;
  readonly #duplicates: DuplicateCheck;
  readonly #numbers: RecordNumbers;
  readonly #totals: ReferenceTotals;
  readonly #errors = new FindingGroups();
  readonly #warnings = new FindingGroups();
  readonly #exclusions: Exclusion[] = [];
  #poisoned = 0;
  #chunk = -1;
  #check: ChunkCheck | null = null;

  constructor(parts: RecordCheckParts) {
    this.#parts = parts;
    this.#names = new Set(parts.reader.names());
    this.#duplicates = new DuplicateCheck(
      parts.plan,
      parts.receipt.reasons.some(({ code }) => code === tooManyRepeats.code),
    );
    this.#numbers = new RecordNumbers(parts.receipt);
    this.#totals = new ReferenceTotals(parts.plan, summedScales(parts.plan));
  }

  take(read: ReferenceRecord): void {
    const { receipt, log, batches } = this.#parts;
    while (this.#chunk < receipt.chunks.length && (this.#chunk < 0 || read.offset >= receipt.chunks[this.#chunk]!.end)) this.#nextChunk();
    if (this.#check === null) {
      log.check('chunk borders', { code: 'E_VERIFY_CHUNKS', at: `record ${read.record}`, message: 'it lies in no chunk' });
      return;
    }
    const record = this.#numbers.take(read, this.#chunk);
    const checked = this.#check.take(record);
    const duplicate = checked.status === 'valid' ? this.#duplicates.take(record) : null;
    this.#count(record, checked, duplicate);
    for (const line of checked.lines)
      batches.take({ ...line, chunk: this.#chunk, amounts: record.amounts, isExcluded: duplicate !== null });
  }

  finish(read: RunTotals): Omit<RecomputedFile, 'coverage'> {
    while (this.#chunk < this.#parts.receipt.chunks.length) this.#nextChunk();
    this.#warnings.addGroups(this.#parts.ofPack.warnings);
    const totals = {
      ...this.#totals.result(),
      header: read.header,
      trailer: read.trailer,
      damage: [...this.#parts.ofPack.damage, ...read.damage],
    };
    return {
      totals,
      hasTooManyRepeats: this.#duplicates.hasTooMany,
      exclusions: this.#exclusions,
      poisoned: this.#poisoned,
      errors: this.#errors.toGroups(),
      warnings: this.#warnings.toGroups(),
    };
  }

  #nextChunk(): void {
    const { receipt, reader, log } = this.#parts;
    this.#check?.finish();
    this.#chunk++;
    const chunk = receipt.chunks[this.#chunk];
    this.#check = chunk === undefined ? null : new ChunkCheck(chunk, { reader, names: this.#names, log });
  }

  #count(record: ReferenceRecord, checked: CheckedRecord, duplicate: string | null): void {
    const { status, findings, isPoison } = checked;
    this.#totals.add(isPoison ? this.#asUnreadable(record) : duplicate !== null ? withoutOutput(record) : record);
    if (isPoison) this.#poisoned++;
    if (status === 'rejected') for (const finding of findings) this.#errors.add(finding);
    if (status === 'valid' && duplicate === null) for (const warning of record.warnings) this.#warnings.add(warning);
    if (duplicate === null) return;
    const { offset } = record;
    this.#exclusions.push({ record: record.record, code: duplicateCode });
    this.#errors.add({ offset, code: duplicateCode, field: duplicate, rule: null, message: duplicateMessage });
  }

  /** Nothing of a poison record was read: no type, no amount. */
  #asUnreadable(record: ReferenceRecord): ReferenceRecord {
    return { ...withoutOutput(record), type: null, amounts: unreadableAmounts(this.#parts.plan, null) };
  }
}

/** What is left of a record that is rejected after all: warnings belong to valid ones. */
function withoutOutput(record: ReferenceRecord): ReferenceRecord {
  return { ...record, status: 'rejected', routes: [], outputs: new Map(), warnings: [] };
}
