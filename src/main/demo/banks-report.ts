/** What the story of the banks tells at its end: its document, what of it is a failure, and its text for people. */
import { table } from '../../cli/terminal-text.ts';

/** Decimal text by currency. */
export type Money = Readonly<Record<string, string>>;

export interface BanksAnswer {
  /** Path of the file. */
  readonly file: string;
  /** GrpSts of a pain.002; null: a file of returns. */
  readonly status: string | null;
  /** Of the transactions that are rejected, or the accounts of the entries that are returned, in order. */
  readonly records: readonly string[];
  /** Of a file of returns. */
  readonly amounts: Money | null;
  /** What our own reader has against it. */
  readonly errors: number;
}

export interface BanksFile {
  readonly format: string;
  readonly flow: string;
  readonly file: string;
  readonly jobId: string;
  readonly state: string;
  readonly written: { readonly records: number; readonly amounts: Money; readonly faulty: readonly string[] };
  readonly records: { readonly read: number; readonly valid: number; readonly rejected: number };
  readonly amounts: { readonly read: Money; readonly rejected: Money; readonly delivered: Money };
  readonly delivered: number;
  readonly controlTotals: { readonly declared: Readonly<Record<string, unknown>>; readonly balanced: boolean };
  readonly answer: BanksAnswer | null;
  readonly balanced: boolean;
}

export interface BanksDocument {
  readonly story: 'banks';
  readonly files: readonly BanksFile[];
  readonly folder: string;
  readonly balanced: boolean;
  /** Each in a sentence; empty when the story showed what it is for. */
  readonly failures: readonly string[];
  readonly seconds: number;
}

/** Exact sums of decimal texts. */
export class MoneySums {
  readonly #sums = new Map<string, bigint>();
  static readonly scale = 6;

  add(currency: string, amount: string): void {
    this.#sums.set(currency, (this.#sums.get(currency) ?? 0n) + unscaled(amount));
  }

  addAll(money: Money): this {
    for (const [currency, amount] of Object.entries(money)) this.add(currency, amount);
    return this;
  }

  get money(): Money {
    return Object.fromEntries([...this.#sums].filter(([, sum]) => sum !== 0n).map(([currency, sum]) => [currency, decimalText(sum)]));
  }
}

function unscaled(text: string): bigint {
  const [whole, fraction = ''] = text.replace('-', '').split('.') as [string, string?];
  const value = BigInt(whole + fraction.padEnd(MoneySums.scale, '0'));
  return text.startsWith('-') ? -value : value;
}

/** With two decimals, or as many as it needs. */
function decimalText(sum: bigint): string {
  const digits = String(sum < 0n ? -sum : sum).padStart(MoneySums.scale + 1, '0');
  const fraction = digits.slice(-MoneySums.scale).replace(/0{1,4}$/, '');
  return `${sum < 0n ? '-' : ''}${digits.slice(0, -MoneySums.scale)}.${fraction}`;
}

export function sameMoney(left: Money, right: Money): boolean {
  const text = (money: Money) => JSON.stringify(Object.entries(new MoneySums().addAll(money).money).sort());
  return text(left) === text(right);
}

export function fileFailures(file: Omit<BanksFile, 'balanced'>): string[] {
  const { written, records, amounts, delivered, answer } = file;
  const checks: readonly (readonly [boolean, string])[] = [
    [file.state === 'completed', `its job is ${file.state}`],
    [records.read === written.records, `${records.read} of ${written.records} records were read`],
    [records.rejected === written.faulty.length, `${records.rejected} records were rejected, ${written.faulty.length} were to be`],
    [records.valid + records.rejected === records.read, 'valid and rejected records are not those that were read'],
    [delivered === records.valid, `${delivered} of ${records.valid} valid records were delivered`],
    [sameMoney(amounts.read, written.amounts), 'other amounts were read than were written'],
    [
      sameMoney(new MoneySums().addAll(amounts.delivered).addAll(amounts.rejected).money, amounts.read),
      'what was delivered and what was rejected is not what was read',
    ],
    [file.controlTotals.balanced, 'its totals are not those that it declares'],
    [(answer?.errors ?? 0) === 0, 'its answer is not valid'],
    [answer === null || isSame(answer.records, written.faulty), 'its answer tells of other records than were rejected'],
    [
      answer === null || answer.status === null || answer.status === (records.rejected > 0 ? 'PART' : 'ACSP'),
      `its status is ${answer?.status}`,
    ],
    [answer?.amounts == null || sameMoney(answer.amounts, amounts.rejected), 'other amounts were returned than were rejected'],
  ];
  return checks.filter(([isKept]) => !isKept).map(([, failure]) => `${file.file}: ${failure}`);
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

export function printBanks({ files, folder, failures, balanced, seconds }: BanksDocument): string {
  const rows = files.map((file) => [
    file.format,
    file.flow,
    String(file.records.read),
    String(file.records.valid),
    String(file.records.rejected),
    moneyText(file.amounts.read),
    moneyText(file.amounts.rejected),
    moneyText(file.amounts.delivered),
    file.balanced ? 'yes' : 'NO',
    answerText(file.answer),
  ]);
  const columns = [
    'format',
    'flow',
    'read',
    'valid',
    'rejected',
    'amount read',
    'amount rejected',
    'amount delivered',
    'balances',
    'answer',
  ];
  const answers = files.flatMap(({ answer }) => (answer === null ? [] : [answer.file]));
  const verdict = balanced && failures.length === 0 ? 'Everything balances' : `FAILED: ${failures.join('; ')}`;
  return `${table(columns, rows)}\n${verdict}: ${files.length} files, ${seconds} s.\n\nanswers to senders  ${answers.join('\n                    ')}\nfiles and outputs   ${folder}\n`;
}

function moneyText(money: Money): string {
  const texts = Object.entries(money).map(([currency, amount]) => `${currency} ${amount}`);
  return texts.length === 0 ? '-' : texts.join(', ');
}

function answerText(answer: BanksAnswer | null): string {
  if (answer === null) return '-';
  const { status, records } = answer;
  return status === null ? `${records.length} returns` : `pain.002 ${status}, ${records.length} RJCT`;
}
