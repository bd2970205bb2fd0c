/**
 * Compares one chunk's stored parts with what the reference parser makes of the same records: outcomes, findings, output
 * bytes. A record that killed a worker (E_POISON) cannot be recomputed; it is taken as rejected, and counted.
 */
import { createHash, type Hash } from 'node:crypto';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Finding } from '../../engine/chunk.ts';
import { OutcomeSegment, type RecordOutcome } from '../../engine/outcomes/outcome-segment.ts';
import type { ReferenceRecord } from '../../engine/reference/reference-run.ts';
import { sourceOf } from '../export/export-entries.ts';
import { chunkFiles } from '../export/export-layout.ts';
import type { ChunkReceipt } from '../receipt.ts';
import { decodeRejection, poisonMessage } from '../rejection-lines.ts';
import { type ExportReader, readLines, readWhole } from './export-reader.ts';
import type { VerificationLog } from './verification-report.ts';

const poisonCode = 'E_POISON';

export interface CheckedRecord {
  readonly status: ReferenceRecord['status'];
  readonly findings: readonly Finding[];
  /** Where each target's line lies in the chunk's output segment. */
  readonly lines: readonly { readonly target: number; readonly start: number; readonly end: number }[];
  readonly isPoison: boolean;
}

export interface ChunkCheckParts {
  readonly reader: ExportReader;
  /** Of all files of the export. */
  readonly names: ReadonlySet<string>;
  readonly log: VerificationLog;
}

export class ChunkCheck {
  readonly #chunk: ChunkReceipt;
  readonly #log: VerificationLog;
  readonly #outcomes: readonly OutcomeSegment[];
  /** The one that the last record was looked for in. */
  #segment = 0;
  readonly #rejections: Finding[];
  #nextRejection = 0;
  readonly #outputs: { readonly hash: Hash; bytes: number }[];
  readonly #counts = { read: 0, valid: 0, rejected: 0, filtered: 0 };
  #end: number;

  constructor(chunk: ChunkReceipt, { reader, names, log }: ChunkCheckParts) {
    this.#chunk = chunk;
    this.#log = log;
    this.#outcomes = this.#openOutcomes(reader);
    this.#rejections = this.#readRejections(reader, names);
    this.#outputs = chunk.outputs.map(() => ({ hash: createHash('sha256'), bytes: 0 }));
    this.#end = chunk.start;
  }

  take(record: ReferenceRecord): CheckedRecord {
    const at = `record ${record.record}`;
    const stated = this.#outcomeOf(record.record);
    const statedFindings = this.#takeRejections(record.record);
    const isPoison = stated?.status === 'rejected' && statedFindings.length === 1 && statedFindings[0]!.code === poisonCode;
    const status = isPoison ? 'rejected' : record.status;
    this.#counts.read++;
    this.#counts[status]++;
    this.#end = record.offset + record.length;
    const found: RecordOutcome = {
      record: record.record,
      status,
      warned: status === 'valid' && record.warnings.length > 0,
      targets: status === 'valid' ? record.routes : [],
      offset: record.offset,
    };
    if (stated !== null && isSameOutcome(stated, found)) this.#log.check('outcomes', null);
    else this.#compare('outcomes', 'E_VERIFY_OUTCOME', at, stated, found);
    const findings = isPoison ? [poisonFinding(record)] : record.findings;
    if (statedFindings.length > 0 || status === 'rejected') {
      this.#compare('findings', 'E_VERIFY_REJECTIONS', at, statedFindings.map(textOf), status === 'rejected' ? findings.map(textOf) : []);
    }
    return { status, findings, lines: status === 'valid' ? this.#writeLines(record) : [], isPoison };
  }

  finish(): void {
    const { number, records, outputs, end } = this.#chunk;
    const at = `chunk ${number}`;
    this.#compare('chunk counts', 'E_VERIFY_RECORDS', at, records, this.#counts);
    const recorded = this.#outcomes.reduce((sum, segment) => sum + segment.header.records, 0);
    this.#compare('outcome counts', 'E_VERIFY_OUTCOME', at, recorded, this.#counts.read);
    const isOver = this.#nextRejection === this.#rejections.length;
    this.#log.check(
      'findings',
      isOver ? null : { code: 'E_VERIFY_REJECTIONS', at, message: 'there are findings of records that it does not hold' },
    );
    const isWithin = this.#end <= end;
    this.#log.check('chunk borders', isWithin ? null : { code: 'E_VERIFY_CHUNKS', at, message: 'a record crosses its end' });
    this.#outputs.forEach(({ hash, bytes }, target) => {
      const found = bytes === 0 ? null : { sha256: hash.digest('hex'), bytes };
      const stated = outputs[target] ?? null;
      const isEqual = stated === null ? found === null : stated.sha256 === found?.sha256 && stated.bytes === found.bytes;
      const message = 'the output is not what the flow makes of the raw file';
      this.#log.check('output bytes', isEqual ? null : { code: 'E_VERIFY_OUTPUT', at: `${at}, target ${target}`, message });
    });
  }

  #compare(
    name: string,
    code: 'E_VERIFY_OUTCOME' | 'E_VERIFY_REJECTIONS' | 'E_VERIFY_RECORDS',
    at: string,
    stated: unknown,
    found: unknown,
  ): void {
    this.#log.equal(name, code, { at, stated, found });
  }

  #writeLines(record: ReferenceRecord): CheckedRecord['lines'] {
    return [...record.outputs].flatMap(([target, line]) => {
      const output = this.#outputs[target];
      if (output === undefined) return [];
      const start = output.bytes;
      output.hash.update(line);
      output.bytes += line.length;
      return [{ target, start, end: output.bytes }];
    });
  }

  /** Null when the segments have none, or none that can be read. Records are asked for in their order. */
  #outcomeOf(record: number): RecordOutcome | null {
    try {
      while (this.#segment + 1 < this.#outcomes.length && this.#outcomes[this.#segment + 1]!.header.firstRecord <= record) this.#segment++;
      const segment = this.#outcomes[this.#segment];
      return segment?.outcome(record - segment.header.firstRecord) ?? null;
    } catch (error) {
      if (error instanceof HeadgateError) return null;
      throw error;
    }
  }

  #takeRejections(record: number): Finding[] {
    const first = this.#nextRejection;
    while (this.#rejections[this.#nextRejection]?.record === record) this.#nextRejection++;
    return this.#rejections.slice(first, this.#nextRejection);
  }

  /** One segment, or several behind each other where the chunk was run in parts. Each has a header, so they are no more than the bytes give. */
  #openOutcomes(reader: ExportReader): OutcomeSegment[] {
    const at = chunkFiles(this.#chunk.number).outcomes;
    const segments: OutcomeSegment[] = [];
    let message: string | null = null;
    try {
      const bytes = readWhole(reader, at);
      const source = sourceOf(bytes);
      for (let start = 0; start < bytes.length || segments.length === 0; ) {
        const segment = new OutcomeSegment(source, start);
        if (!this.#areOfTargets(segment.header.routeSets))
          throw new HeadgateError('E_SEGMENT', 'the routes of an outcome segment lead to no target');
        segments.push(segment);
        start += segment.bytes;
      }
      if (!this.#followsOn(segments)) message = 'it belongs to another chunk';
    } catch {
      message = 'it cannot be read';
    }
    this.#log.check('outcome segments', message === null ? null : { code: 'E_VERIFY_SEGMENT', at, message });
    return segments;
  }

  #areOfTargets(routeSets: readonly (readonly number[])[]): boolean {
    const targets = this.#chunk.outputs.length;
    return routeSets.every((set) => set.length <= targets && set.every((target) => target < targets));
  }

  #followsOn(segments: readonly OutcomeSegment[]): boolean {
    let nextRecord = this.#chunk.firstRecord;
    return segments.every(({ header }, at) => {
      const isNext = header.firstRecord === nextRecord && (at > 0 || header.chunkStart === this.#chunk.start);
      nextRecord += header.records;
      return isNext && header.chunkStart >= this.#chunk.start;
    });
  }

  #readRejections(reader: ExportReader, names: ReadonlySet<string>): Finding[] {
    const at = chunkFiles(this.#chunk.number).rejections;
    if (this.#chunk.rejections === null || !names.has(at)) return [];
    const findings: Finding[] = [];
    for (const { line, isWhole } of readLines(readWhole(reader, at))) {
      const finding = isWhole ? decodeRejection(line) : null;
      if (finding === null) {
        this.#log.check('findings', { code: 'E_VERIFY_SEGMENT', at, message: 'a line is malformed' });
        return findings;
      }
      findings.push(finding);
    }
    return findings;
  }
}

/** Millions are equal and few are not: only those are compared as text. */
function isSameOutcome(left: RecordOutcome, right: RecordOutcome): boolean {
  const isSame =
    left.record === right.record && left.status === right.status && left.warned === right.warned && left.offset === right.offset;
  return isSame && left.targets.length === right.targets.length && left.targets.every((target, at) => target === right.targets[at]);
}

/** What stands for a record that nobody could read: nothing of it is known but where it is. */
function poisonFinding({ record, offset }: ReferenceRecord): Finding {
  return { record, offset, code: poisonCode, field: null, rule: null, message: poisonMessage };
}

function textOf({ offset, code, field, rule, message }: Finding) {
  return { offset, code, field, rule, message };
}
