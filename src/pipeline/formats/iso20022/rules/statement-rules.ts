/**
 * Statements, reports and notifications: opening booked balance and booked entries make the closing booked balance, and the
 * summary of the transactions is what the entries make. Both are compared only where the whole is on one page. The previously
 * closed balance (`PRCD`) is by definition the opening one, and stands for it where that is not there.
 */

import type { CheckedValue } from '../schema/checked-value.ts';
import type { ElementFrame } from '../schema/element-frame.ts';
import { currencyText } from '../values/code-values.ts';
import { amountScale } from '../values/number-values.ts';
import { amountText, CurrencySums, ExactSum } from './exact-sum.ts';
import { Declared, type MessageRules, type RuleContext, sumScale } from './message-rules.ts';
import { roles } from './roles.ts';

interface Balance {
  readonly units: bigint;
  readonly at: Declared;
  readonly path: string;
}

/** What a summary counts: all entries, or those of one side. */
class EntryTotal {
  readonly count = new Declared();
  readonly sum = new Declared();
  readonly path: string;
  entries = 0;
  readonly amounts = new ExactSum();

  constructor(path: string) {
    this.path = path;
  }

  reset(): void {
    this.count.reset();
    this.sum.reset();
    this.amounts.reset();
    this.entries = 0;
  }
}

export class StatementRules implements MessageRules {
  readonly #context: RuleContext;
  readonly #all = new EntryTotal('TtlNtries');
  readonly #credits = new EntryTotal('TtlCdtNtries');
  readonly #debits = new EntryTotal('TtlDbtNtries');
  readonly #credited = new CurrencySums();
  readonly #debited = new CurrencySums();
  #booked = new CurrencySums();
  #opening = new Map<number, Balance[]>();
  #previous = new Map<number, Balance[]>();
  #closing = new Map<number, Balance[]>();
  #records = 0;
  #rejected = 0;
  #errorsBefore = 0;
  #isWholeMessage = true;
  #isWholeStatement = true;
  #isInStatement = false;
  #areTotalsRight = true;
  #statements = 0;
  #checkedBalances = 0;
  #code = '';
  readonly #net = new Declared();
  /** 0: not said. */
  #netSign: 1 | -1 | 0 = 0;
  #isCredit = true;
  #isBooked = false;
  readonly #amount = { bytes: Buffer.alloc(0) as Buffer, currency: -1, at: new Declared() };

  constructor(context: RuleContext) {
    this.#context = context;
  }

  started(role: number): void {
    if (role === roles.statement) this.#startStatement();
    else if (role === roles.record) {
      this.#records++;
      this.#errorsBefore = this.#context.errorCount;
      this.#isBooked = false;
    } else if (role === roles.balance) this.#code = '';
    if (role === roles.record || role === roles.balance) this.#amount.currency = -1;
  }

  valued(role: number, value: CheckedValue, frame: ElementFrame): void {
    switch (role) {
      case roles.amount:
        this.#amount.currency = value.isValid ? value.currency : -1;
        // Wanted when the side is known, which comes after the amount.
        if (this.#amount.bytes.length < value.length) this.#amount.bytes = Buffer.alloc(Math.max(64, value.length));
        value.bytes.copy(this.#amount.bytes, 0, 0, value.length);
        this.#amount.bytes.fill(0x20, value.length);
        return;
      case roles.balanceAmount:
        this.#amount.currency = value.isValid ? value.currency : -1;
        this.#amount.at.take(value, frame);
        return;
      case roles.balanceCode:
        this.#code = value.bytes.toString('latin1', 0, value.length);
        return;
      case roles.balanceSide:
      case roles.entrySide:
        this.#isCredit = value.bytes[0] === 0x43;
        return;
      case roles.entryStatus:
        this.#isBooked = value.length === 4 && value.bytes.readUInt32BE(0) === 0x424f4f4b;
        return;
      case roles.pageNumber:
        if (value.bytes.toString('latin1', 0, value.length).replace(/^0+/, '') !== '1') this.#isPartial();
        return;
      case roles.lastPage:
        if (value.bytes[0] === 0x66 || value.bytes[0] === 0x30) this.#isPartial();
        return;
      case roles.netAmount:
        this.#net.take(value, frame);
        return;
      case roles.netSide:
        this.#netSign = value.bytes[0] === 0x43 ? 1 : -1;
        return;
      default:
        this.#declaredAt(role)?.take(value, frame);
    }
  }

  ended(role: number, frame: ElementFrame): void {
    if (role === roles.record) this.#endEntry();
    else if (role === roles.balance) this.#endBalance(frame);
    else if (role === roles.statement) this.#endStatement(frame);
  }

  finish(): void {}

  get summary(): MessageRules['summary'] {
    return {
      records: { read: this.#records, rejected: this.#rejected },
      amounts: { credit: this.#credited.texts, debit: this.#debited.texts },
      controlTotals: {
        declared: {},
        computed: { statements: this.#statements, entries: this.#records, balancesCompared: this.#checkedBalances },
        balanced: this.#areTotalsRight,
      },
    };
  }

  #startStatement(): void {
    this.#statements++;
    this.#isInStatement = true;
    this.#isWholeStatement = true;
    for (const total of [this.#all, this.#credits, this.#debits]) total.reset();
    this.#net.reset();
    this.#netSign = 0;
    this.#booked = new CurrencySums();
    this.#opening = new Map();
    this.#previous = new Map();
    this.#closing = new Map();
  }

  #isPartial(): void {
    if (this.#isInStatement) this.#isWholeStatement = false;
    else this.#isWholeMessage = false;
  }

  #declaredAt(role: number): Declared | null {
    if (role === roles.entryCount) return this.#all.count;
    if (role === roles.entrySum) return this.#all.sum;
    if (role === roles.creditCount) return this.#credits.count;
    if (role === roles.creditSum) return this.#credits.sum;
    if (role === roles.debitCount) return this.#debits.count;
    return role === roles.debitSum ? this.#debits.sum : null;
  }

  #endEntry(): void {
    if (this.#context.errorCount > this.#errorsBefore) this.#rejected++;
    const side = this.#isCredit ? this.#credits : this.#debits;
    this.#all.entries++;
    side.entries++;
    const { bytes, currency } = this.#amount;
    if (currency < 0) return;
    this.#all.amounts.add(bytes, bytes.length, 1);
    side.amounts.add(bytes, bytes.length, 1);
    (this.#isCredit ? this.#credited : this.#debited).add(currency, bytes, bytes.length);
    if (this.#isBooked) this.#booked.add(currency, bytes, bytes.length, this.#isCredit ? 1 : -1);
  }

  #endBalance(frame: ElementFrame): void {
    const { currency, at } = this.#amount;
    const list = this.#balancesOf(this.#code);
    if (list === null || currency < 0) return;
    const size = at.units(amountScale);
    const kept = at.copy();
    const balances = list.get(currency) ?? [];
    // Two are enough to know that there is more than one.
    if (balances.length < 2) balances.push({ units: this.#isCredit ? size : -size, at: kept, path: `${this.#context.pathOf(frame)}/Amt` });
    list.set(currency, balances);
  }

  #balancesOf(code: string): Map<number, Balance[]> | null {
    if (code === 'OPBD') return this.#opening;
    if (code === 'PRCD') return this.#previous;
    return code === 'CLBD' ? this.#closing : null;
  }

  #endStatement(frame: ElementFrame): void {
    this.#isInStatement = false;
    if (!this.#isWholeMessage || !this.#isWholeStatement || !this.#context.isSchemaKept) return;
    this.#compareBalances();
    // Some senders give the summary alone, without the entries.
    if (this.#all.entries === 0) return;
    for (const total of [this.#all, this.#credits, this.#debits]) this.#compareTotal(total, frame);
    if (this.#net.isThere) this.#compareNet(frame);
  }

  #compareBalances(): void {
    for (const [currency, [closing, ...more]] of this.#closing) {
      const opening = this.#opening.get(currency) ?? this.#previous.get(currency);
      if (opening?.length !== 1 || more.length > 0 || closing === undefined) continue;
      this.#checkedBalances++;
      const units = opening[0]!.units + this.#booked.totalOf(currency);
      if (units === closing.units) continue;
      const message = `closing balance ${amountText(closing.units, 0)} ${currencyText(currency)} declared, ${amountText(units, 0)} computed from the opening balance and booked entries`;
      this.#refuse({ rule: 'balance', message, at: closing.at, field: 'Amt', path: closing.path });
    }
  }

  /** Either the sign or the side says which way the net amount goes. */
  #compareNet(frame: ElementFrame): void {
    const declared = this.#net.units(sumScale);
    const units = this.#credits.amounts.total - this.#debits.amounts.total;
    const net = units * 10n ** BigInt(sumScale - amountScale);
    const isRight = declared < 0n || this.#netSign === 0 ? declared === net || declared === -net : declared * BigInt(this.#netSign) === net;
    if (isRight) return;
    const message = `net ${this.#net.text} declared, ${amountText(units, 0)} computed`;
    const path = `${this.#context.pathOf(frame)}/TxsSummry/TtlNtries`;
    this.#refuse({ rule: 'entry-net', message, at: this.#net, field: 'TtlNtries', path });
  }

  #compareTotal({ count, sum, entries, amounts, path }: EntryTotal, frame: ElementFrame): void {
    const at = `${this.#context.pathOf(frame)}/TxsSummry/${path}`;
    if (count.isThere && !count.isCount(entries))
      this.#refuse({
        rule: 'entry-count',
        message: `${count.text} entries declared, ${entries} counted`,
        at: count,
        field: 'NbOfNtries',
        path: `${at}/NbOfNtries`,
      });
    if (!sum.isThere || sum.isSum(amounts)) return;
    const message = `sum ${sum.text} declared, ${amountText(amounts.total, 0)} computed`;
    this.#refuse({ rule: 'entry-sum', message, at: sum, field: 'Sum', path: `${at}/Sum` });
  }

  #refuse(finding: Parameters<RuleContext['report']>[0]): void {
    this.#areTotalsRight = false;
    this.#context.report(finding);
  }
}
