/**
 * Reads a BAI2 file: puts lines together to records, keeps the order of file, groups and accounts, and adds up what the
 * trailers declare. Fields are the business of the record modules. After a record out of order it reads on as well as it
 * can, so that one mistake is told once.
 */

import type { Units } from '../exact-sum.ts';
import type { PackReader, PackSink, PackSummary } from '../pack.ts';
import type { PhysicalLine } from '../statements/physical-lines.ts';
import { RuleFindings } from '../statements/rule-findings.ts';
import { readAccountIdentifier, readDetail } from './account-records.ts';
import { Bai2Document } from './bai2-document.ts';
import { Bai2Lines } from './bai2-lines.ts';
import { type Bai2Rule, bai2Rules } from './bai2-rules.ts';
import type { Bai2Settings } from './bai2-settings.ts';
import { ControlTotals, type Level } from './control-totals.ts';
import { DetailTally } from './detail-tally.ts';
import { FlowLines } from './flow-lines.ts';
import { readFileHeader, readGroupHeader } from './header-records.ts';
import { LogicalRecord } from './logical-record.ts';
import { RecordFields } from './record-fields.ts';
import { recordNames } from './record-names.ts';

const continuation = 88;
const detailCode = 16;
const defaultCurrency = 'USD';

export class Bai2Reader implements PackReader {
  readonly #settings: Bai2Settings;
  readonly #findings: RuleFindings<Bai2Rule>;
  readonly #lines: Bai2Lines;
  readonly #record = new LogicalRecord();
  readonly #fields: RecordFields;
  readonly #totals: ControlTotals;
  readonly #document: Bai2Document;
  readonly #flow: FlowLines | null;
  readonly #tally = new DetailTally();
  /** Code of the record that may be continued; 0: none. */
  #code = 0;
  /** Before the record that is being read. */
  #errorsBefore = 0;
  #hasBegun = false;
  #hasEnded = false;
  #hasTrailingData = false;
  /** The line before was of no record, so that its continuations are of none either. */
  #hasLostRecord = false;
  #groupCurrency = defaultCurrency;
  #currency = defaultCurrency;
  #groups = 0;
  #accounts = 0;
  readonly #addSummary = (units: Units, typeCode: number | null) => {
    this.#totals.addAmount(units);
    this.#flow?.summary(units, typeCode);
  };

  constructor(settings: Bai2Settings, sink: PackSink) {
    this.#settings = settings;
    this.#findings = new RuleFindings(bai2Rules, sink);
    this.#fields = new RecordFields(this.#record, this.#findings);
    this.#totals = new ControlTotals(settings.totals);
    this.#document = new Bai2Document(sink.parsed);
    this.#flow = sink.lines === undefined ? null : new FlowLines(sink.lines);
    this.#lines = new Bai2Lines(this.#findings, {
      record: (code, line, at, to) => this.#takeRecord(code, line, at, to),
      wrapped: (line) => this.#takeWrapped(line),
      unknown: () => this.#loseLine(),
    });
  }

  push(bytes: Uint8Array): void {
    this.#lines.push(bytes);
  }

  end(): PackSummary {
    this.#lines.end();
    this.#finishRecord();
    this.#endFile();
    this.#document.end();
    return {
      records: { read: this.#tally.read, rejected: this.#tally.rejected },
      amounts: this.#tally.amounts(),
      controlTotals: this.#totals.summary(),
      details: { groups: this.#groups, accounts: this.#accounts, typeCodes: this.#tally.typeCodes() },
    };
  }

  #takeRecord(code: number, line: PhysicalLine, at: number, to: number): void {
    if (code === continuation && this.#code !== 0) {
      this.#record.continueWith(line, at + 3, to, false);
      return;
    }
    if (code === continuation) {
      if (!this.#hasLostRecord) this.#tellLine('record-order', line, null, 'a continuation follows no record');
      this.#loseLine();
      return;
    }
    this.#finishRecord();
    this.#hasLostRecord = false;
    if (this.#hasEnded) {
      if (!this.#hasTrailingData) this.#tellLine('after-file-trailer', line, null, 'records follow the file trailer; they are not read');
      this.#hasTrailingData = true;
      return;
    }
    this.#code = code;
    this.#errorsBefore = this.#findings.errors;
    if (!this.#hasBegun && code !== 1) {
      this.#tellLine('file-header-missing', line, recordNames[code]!, 'the first record is not a file header');
      this.#beginFile();
    }
    if (code === detailCode) this.#beginDetail(line, at);
    this.#record.begin(line, at + 3, to);
  }

  /** What is found from here on, its lines included, is found in the detail. */
  #beginDetail(line: PhysicalLine, at: number): void {
    if (!this.#totals.isOpen('account')) this.#tellLine('record-order', line, recordNames[detailCode]!, 'a detail is not in an account');
    this.#flow?.beginDetail(line.line, line.offset + at - line.start);
  }

  #takeWrapped(line: PhysicalLine): boolean {
    if (this.#code !== detailCode || !this.#record.isOpenEnded) return false;
    this.#record.continueWith(line, line.start, line.end, true);
    return true;
  }

  /** Counts as a line all the same; what continues it is lost too. */
  #loseLine(): void {
    this.#finishRecord();
    this.#hasLostRecord = true;
    this.#totals.addLines(1);
  }

  #tellLine(rule: Bai2Rule, { line, offset }: PhysicalLine, record: string | null, message: string): void {
    this.#findings.add(rule, { line, offset, columns: null, record, field: null, message, severity: 'error' });
  }

  #finishRecord(): void {
    const code = this.#code;
    if (code === 0) return;
    this.#code = 0;
    const values = this.#document.values();
    this.#fields.begin(recordNames[code]!, values);
    if (this.#record.isTooLong)
      this.#fields.reportLine('record-length', 0, 'the record with its continuations is too long; its end is not read');
    if (code !== detailCode) this.#fields.endAtSlash();
    switch (code) {
      case 1:
        this.#readFileHeader();
        break;
      case 2:
        this.#readGroupHeader();
        break;
      case 3:
        this.#readAccount();
        break;
      case detailCode:
        this.#readDetail();
        break;
      case 49:
        this.#readAccountTrailer();
        break;
      case 98:
        this.#readGroupTrailer();
        break;
      default:
        this.#readFileTrailer();
    }
  }

  #beginFile(): void {
    this.#hasBegun = true;
    this.#totals.open('file');
  }

  #readFileHeader(): void {
    const isFirst = !this.#hasBegun;
    if (isFirst) this.#beginFile();
    else this.#fields.reportLine('record-order', 0, 'a second file header; it is not read');
    this.#totals.addLines(this.#record.lineCount);
    if (!isFirst) return;
    const { lineBytes } = readFileHeader(this.#fields, this.#settings.otherVersions);
    this.#lines.declareLength(lineBytes, this.#record.firstLine);
    this.#document.fileHeader(this.#fields.values);
    this.#flow?.fileHeader(this.#record);
  }

  #readGroupHeader(): void {
    this.#closeAccountUnsaid();
    this.#closeGroupUnsaid();
    this.#openGroup();
    this.#totals.addLines(this.#record.lineCount);
    const { currency } = readGroupHeader(this.#fields);
    this.#groupCurrency = currency ?? defaultCurrency;
    this.#document.openGroup(this.#fields.values);
    this.#flow?.openGroup(this.#record);
  }

  #openGroup(): void {
    this.#groups++;
    this.#totals.open('group');
  }

  #readAccount(): void {
    this.#closeAccountUnsaid();
    if (!this.#totals.isOpen('group')) {
      this.#fields.reportLine('record-order', 0, 'an account is not in a group');
      this.#openGroup();
      this.#groupCurrency = defaultCurrency;
      this.#document.openGroup(null);
      this.#flow?.openGroup(null);
    }
    this.#accounts++;
    this.#totals.open('account');
    this.#totals.addLines(this.#record.lineCount);
    const { currency } = readAccountIdentifier(this.#fields, this.#settings.unknownTypeCodes, this.#addSummary);
    this.#currency = currency ?? this.#groupCurrency;
    this.#document.openAccount(this.#fields.values);
    this.#flow?.openAccount(this.#record, this.#currency);
  }

  #readDetail(): void {
    this.#tally.read++;
    const isInAccount = this.#totals.isOpen('account');
    this.#totals.addLines(this.#record.lineCount);
    const detail = readDetail(this.#fields, this.#settings.unknownTypeCodes);
    const { type, number, amount } = detail;
    if (number !== null) this.#tally.count(number);
    if (amount !== null && isInAccount) {
      this.#totals.addAmount(amount);
      if (type !== null) this.#tally.add(type, this.#currency, amount);
    }
    if (this.#findings.errors > this.#errorsBefore) this.#tally.rejected++;
    this.#document.detail(this.#fields.values);
    this.#flow?.detail(this.#record, detail, isInAccount);
  }

  #readAccountTrailer(): void {
    if (!this.#isOpen('account')) return;
    this.#totals.addLines(this.#record.lineCount);
    this.#totals.closeWith('account', this.#fields);
    this.#document.closeAccount(this.#fields.values);
  }

  #readGroupTrailer(): void {
    this.#closeAccountUnsaid();
    if (!this.#isOpen('group')) return;
    this.#totals.addLines(this.#record.lineCount);
    this.#tellIfEmpty('group', 'group-without-accounts', 'the group has no accounts');
    this.#totals.closeWith('group', this.#fields);
    this.#document.closeGroup(this.#fields.values);
  }

  #readFileTrailer(): void {
    this.#closeAccountUnsaid();
    this.#closeGroupUnsaid();
    this.#totals.addLines(this.#record.lineCount);
    this.#tellIfEmpty('file', 'file-without-groups', 'the file has no groups');
    this.#totals.closeWith('file', this.#fields);
    this.#document.fileTrailer(this.#fields.values);
    this.#flow?.trailer(this.#record.firstLine, { ...this.#totals.summary(), accounts: this.#accounts });
    this.#hasEnded = true;
  }

  #tellIfEmpty(level: Level, rule: Bai2Rule, message: string): void {
    if (this.#totals.members(level) === 0) this.#fields.reportLine(rule, 0, message, 'warn');
  }

  /** Whether a trailer has something to end; where not, it is out of order and only its lines count. */
  #isOpen(level: Level): boolean {
    if (this.#totals.isOpen(level)) return true;
    this.#fields.reportLine('record-order', 0, `a trailer ends no ${level}`);
    this.#totals.addLines(this.#record.lineCount);
    return false;
  }

  #closeAccountUnsaid(): void {
    if (!this.#totals.isOpen('account')) return;
    this.#fields.reportLine('account-trailer-missing', 0, 'the account before this record has no trailer');
    this.#totals.closeUnsaid('account');
    this.#document.closeAccount(null);
  }

  #closeGroupUnsaid(): void {
    if (!this.#totals.isOpen('group')) return;
    this.#fields.reportLine('group-trailer-missing', 0, 'the group before this record has no trailer');
    this.#totals.closeUnsaid('group');
    this.#document.closeGroup(null);
  }

  #endFile(): void {
    if (this.#hasEnded || this.#lines.isForeign) return;
    const { line, offset } = this.#lines.endPlace;
    const rule = this.#hasBegun ? 'file-trailer-missing' : 'file-header-missing';
    const message = this.#hasBegun ? 'the file ends without its trailer' : 'the file has no records';
    this.#findings.add(rule, { line, columns: null, offset, record: null, field: null, message, severity: 'error' });
    this.#document.closeAccount(null);
    this.#document.closeGroup(null);
  }
}
