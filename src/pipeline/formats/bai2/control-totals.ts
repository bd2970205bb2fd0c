/**
 * What the records of a BAI2 file add up to, at account, group and file, and how that compares with what the trailers
 * declare. A level above adds what the level below declares, so that one wrong number is told once; where a trailer is
 * missing or cannot be read, what was computed stands in for it.
 */
import { ExactSum, type Units } from '../exact-sum.ts';
import type { Bai2Rule } from './bai2-rules.ts';
import type { RecordFields } from './record-fields.ts';

export type TotalsSeverity = 'error' | 'warn';

interface LevelTotals {
  readonly sum: ExactSum;
  /** Accounts of a group, groups of a file. */
  members: number;
  lines: number;
  isOpen: boolean;
}

interface LevelRules {
  readonly total: readonly [field: string, rule: Bai2Rule];
  readonly members: readonly [field: string, rule: Bai2Rule] | null;
  readonly records: Bai2Rule;
}

export interface FileTotals {
  readonly total: string | null;
  readonly groups: number | null;
  readonly records: number | null;
}

export type Level = 'account' | 'group' | 'file';

const rules: Readonly<Record<Level, LevelRules>> = {
  account: { total: ['accountControlTotal', 'account-control-total'], members: null, records: 'account-record-count' },
  group: {
    total: ['groupControlTotal', 'group-control-total'],
    members: ['numberOfAccounts', 'group-account-count'],
    records: 'group-record-count',
  },
  file: {
    total: ['fileControlTotal', 'file-control-total'],
    members: ['numberOfGroups', 'file-group-count'],
    records: 'file-record-count',
  },
};

const above: Readonly<Record<Level, Level | null>> = { account: 'group', group: 'file', file: null };

const newLevel = (): LevelTotals => ({ sum: new ExactSum(), members: 0, lines: 0, isOpen: false });

export class ControlTotals {
  readonly #levels: Readonly<Record<Level, LevelTotals>> = { account: newLevel(), group: newLevel(), file: newLevel() };
  readonly #severity: TotalsSeverity;
  /** Of all amounts, whatever the trailers say. */
  readonly #amounts = new ExactSum();
  #groups = 0;
  #declared: FileTotals = { total: null, groups: null, records: null };
  #isBalanced = true;

  constructor(severity: TotalsSeverity) {
    this.#severity = severity;
  }

  isOpen(level: Level): boolean {
    return this.#levels[level].isOpen;
  }

  members(level: Level): number {
    return this.#levels[level].members;
  }

  open(level: Level): void {
    const opened = this.#levels[level];
    opened.sum.reset();
    opened.members = 0;
    opened.lines = 0;
    opened.isOpen = true;
    const parent = above[level];
    if (parent !== null) this.#levels[parent].members++;
    if (level === 'group') this.#groups++;
  }

  /** Lines of a record belong to every level that is open. */
  addLines(lines: number): void {
    const { account, group, file } = this.#levels;
    if (account.isOpen) account.lines += lines;
    if (group.isOpen) group.lines += lines;
    if (file.isOpen) file.lines += lines;
  }

  addAmount(units: Units): void {
    this.#levels.account.sum.add(units);
    this.#amounts.add(units);
  }

  /** Without a trailer: what was added up counts. */
  closeUnsaid(level: Level): void {
    this.#close(level, this.#levels[level].sum.value);
    this.#isBalanced = false;
  }

  /** Reads the trailer of the level and holds it against what was added up. */
  closeWith(level: Level, fields: RecordFields): void {
    const { total, members, records } = rules[level];
    const { sum, members: countedMembers, lines } = this.#levels[level];
    const declared = fields.amount(total[0]);
    if (declared !== null && BigInt(declared) !== sum.value) this.#tell(fields, total[1], total[0], String(declared), String(sum.value));
    const declaredMembers = members === null ? null : fields.number(members[0], { required: true });
    if (members !== null && declaredMembers !== null && declaredMembers !== countedMembers) {
      this.#tell(fields, members[1], members[0], String(declaredMembers), String(countedMembers));
    }
    const declaredRecords = fields.number('numberOfRecords', { required: true });
    if (declaredRecords !== null && declaredRecords !== lines) {
      this.#tell(fields, records, 'numberOfRecords', String(declaredRecords), String(lines));
    }
    if (declared === null || (members !== null && declaredMembers === null) || declaredRecords === null) this.#isBalanced = false;
    if (level === 'file') {
      this.#declared = { total: declared === null ? null : String(declared), groups: declaredMembers, records: declaredRecords };
    }
    fields.endOfRecord();
    this.#close(level, declared === null ? sum.value : BigInt(declared));
  }

  #close(level: Level, total: bigint): void {
    this.#levels[level].isOpen = false;
    const parent = above[level];
    if (parent !== null) this.#levels[parent].sum.add(total);
  }

  #tell(fields: RecordFields, rule: Bai2Rule, field: string, declared: string, computed: string): void {
    this.#isBalanced = false;
    fields.report(rule, field, `declared ${declared}, computed ${computed}`, this.#severity);
  }

  summary() {
    const { total, groups, records } = this.#declared;
    return {
      declared: { fileControlTotal: total, numberOfGroups: groups, numberOfRecords: records },
      computed: { fileControlTotal: String(this.#amounts.value), numberOfGroups: this.#groups, numberOfRecords: this.#levels.file.lines },
      balanced: this.#isBalanced && total !== null,
    };
  }
}
