/**
 * The reference parser: reads a file row by row, by the book of docs/record-rules.md, and says for each record what the
 * engine must have done. It shares no parsing, checking or writing code with the kernel and the slow path, only the plan,
 * the meaning of expressions and the tables of codes. For `headgate verify` and the differential tests; never for speed.
 */
import type { EnvelopeRecord, Finding } from '../chunk.ts';
import { type Value, valueText } from '../expressions/values.ts';
import type { Plan, RecordPlan } from '../plan.ts';
import { type CheckedField, checkField } from './field-checks.ts';
import { amountsOf, summedScales, unreadableAmounts } from './money.ts';
import { bordersOf, type RecordBorders } from './page-text.ts';
import { decideRecord, type RecordFinding, rejected } from './record-decisions.ts';
import { notedFindings, placedFinding, type Shape, shapeRecord } from './record-shapes.ts';
import { openReferenceFile } from './reference-file.ts';
import type { ReferenceRecord } from './reference-record.ts';
import { ReferenceTotals, type RunTotals } from './reference-totals.ts';
import { damage, FileDamage, type Row } from './rows.ts';

export type { ReferenceRecord } from './reference-record.ts';

export interface ReferenceOptions {
  /** Only these records are given out; totals are always those of the records read up to `to`. */
  readonly from?: number;
  readonly to?: number;
  readonly maxRecordBytes?: number;
}

/** The part of a file that chunks must cover, and what each of them needs to know of its header row. */
export interface FileCoverage {
  readonly start: number;
  /** Where the file stops being readable; null: at its end. */
  readonly stop: number | null;
  readonly columns: readonly string[] | null;
  readonly borders: RecordBorders;
}

export class ReferenceRun {
  readonly #plan: Plan;
  readonly #options: ReferenceOptions;
  readonly #totals: ReferenceTotals;
  readonly #scales: ReadonlyMap<string, number>;
  /** Of the header record that the file begins with. */
  #header: readonly Value[] = [];
  #hasLateRecord = false;
  #coverage: FileCoverage;

  constructor(plan: Plan, options: ReferenceOptions = {}) {
    this.#plan = plan;
    this.#options = options;
    this.#coverage = { start: 0, stop: null, columns: null, borders: bordersOf(plan.format) };
    this.#scales = summedScales(plan);
    this.#totals = new ReferenceTotals(plan, this.#scales);
  }

  /** Of the records read so far. */
  totals(): RunTotals {
    return this.#totals.result();
  }

  /** Known when all records have been read. */
  coverage(): FileCoverage {
    return this.#coverage;
  }

  /** The records of the file, whose bytes come in order from its first byte on. Once only. */
  *records(pieces: Iterable<Uint8Array>): Generator<ReferenceRecord> {
    const { from = 1, to = Number.POSITIVE_INFINITY } = this.#options;
    const totals = this.#totals;
    try {
      const file = openReferenceFile(this.#plan, pieces, this.#options);
      totals.damage.push(...file.damage);
      this.#coverage = { ...this.#coverage, start: file.start, stop: file.stop, columns: file.columns };
      for (const row of file.rows) {
        if (row.isOpen) this.#addDamage('E_QUOTE_OPEN', row.offset, 'a quote is open at the end of the file');
        const record = this.#readRow(row, file.columns);
        if (record === null) continue;
        if (record.record >= from && record.record <= to) yield record;
        if (record.record >= to) return;
      }
    } catch (error) {
      if (!(error instanceof FileDamage)) throw error;
      totals.damage.push({ ...error.finding, record: totals.read + 1 });
      this.#coverage = { ...this.#coverage, stop: error.finding.offset };
    }
  }

  /** Null for header and trailer records. */
  #readRow(row: Row, columns: readonly string[] | null): ReferenceRecord | null {
    const shape = shapeRecord(this.#plan, row, columns);
    const fields =
      shape.problem === null ? shape.type!.fields.map((field, index) => checkField(field, shape.texts[index]!, this.#plan.format)) : [];
    const findings =
      shape.problem === null
        ? [...fieldFindings(shape.type!, fields).map(placedFinding(this.#plan, shape)), ...notedFindings(shape, 'error')]
        : [{ ...shape.problem, field: null, rule: null }];
    if (shape.type !== null && shape.type.role !== 'data') {
      this.#takeEnvelope(shape.type, row.offset, fields, findings);
      return null;
    }
    if (this.#totals.trailer !== null && !this.#hasLateRecord) {
      this.#hasLateRecord = true;
      this.#addDamage('E_ENVELOPE', row.offset, 'record after the trailer');
    }
    const record = this.#judge(row, shape, fields, findings);
    this.#totals.add(record);
    return record;
  }

  #judge(row: Row, shape: Shape, fields: readonly CheckedField[], findings: readonly RecordFinding[]): ReferenceRecord {
    const { type } = shape;
    const isBroken = shape.problem !== null;
    const values = fields.map((field) => (field.problem === null ? field.value : null));
    const decision = findings.length > 0 ? rejected(findings) : decideRecord(this.#plan, { type: type!, values, header: this.#header });
    const placed = placedFinding(this.#plan, shape);
    const number = this.#totals.read + 1;
    const place = (finding: RecordFinding): Finding => ({ record: number, offset: row.offset, ...finding });
    return {
      record: number,
      offset: row.offset,
      length: row.length,
      type: type?.name ?? null,
      status: decision.status,
      findings: (findings.length > 0 ? findings : decision.findings.map(placed)).map(place),
      warnings: (decision.status === 'valid' ? [...notedFindings(shape, 'warn'), ...decision.warnings.map(placed)] : []).map(place),
      routes: decision.routes,
      key: isBroken ? null : keyOf(type!, fields),
      uniques: isBroken ? new Map() : uniquesOf(type!, fields),
      amounts: isBroken ? unreadableAmounts(this.#plan, type) : amountsOf(type!, fields, this.#scales),
      outputs: decision.outputs,
    };
  }

  #takeEnvelope(type: RecordPlan, offset: number, fields: readonly CheckedField[], findings: readonly RecordFinding[]): void {
    const totals = this.#totals;
    const envelope: EnvelopeRecord = {
      record: type.name,
      offset,
      values: Object.fromEntries(type.fields.map((field, index) => [field.name, soundText(fields[index])])),
      findings: findings.map((finding) => ({ record: 0, offset, ...finding })),
    };
    if (type.role === 'trailer') {
      if (totals.trailer === null) totals.trailer = envelope;
      else this.#addDamage('E_ENVELOPE', offset, 'more than one trailer');
      return;
    }
    const isFirst = totals.header === null && totals.read === 0 && totals.trailer === null;
    totals.header ??= envelope;
    if (isFirst) this.#header = fields.map((field) => (field.problem === null ? field.value : null));
    else this.#addDamage('E_ENVELOPE', offset, 'header is not first');
  }

  #addDamage(code: string, offset: number, message: string): void {
    this.#totals.damage.push(damage(code, { record: this.#totals.read + 1, offset }, message));
  }
}

function fieldFindings(type: RecordPlan, fields: readonly CheckedField[]): RecordFinding[] {
  return fields.flatMap(({ problem }, index) =>
    problem === null ? [] : [{ code: problem.code, field: type.fields[index]!.name, rule: null, message: problem.message }],
  );
}

function soundText(field: CheckedField | undefined): string | null {
  return field === undefined || field.problem !== null || field.value === null ? null : valueText(field.value);
}

function keyOf(type: RecordPlan, fields: readonly CheckedField[]): (string | null)[] | null {
  const texts = type.key.map((index) => fields[index]!.text);
  return texts.every((text) => text === null) ? null : texts;
}

function uniquesOf(type: RecordPlan, fields: readonly CheckedField[]): Map<string, string> {
  const uniques = new Map<string, string>();
  for (const [index, field] of type.fields.entries()) {
    const { text } = fields[index]!;
    if (field.unique === 'file' && text !== null) uniques.set(field.name, text);
  }
  return uniques;
}
