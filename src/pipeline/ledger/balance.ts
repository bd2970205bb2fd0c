/**
 * The law of conservation: what came in is what went somewhere, in counts and in amounts per field and currency. A job
 * that breaks it cannot be closed. Pure; amounts are bigint at the field's scale and never rounded.
 */
import type { FieldAmounts, RecordCounts } from '../engine/chunk.ts';

export interface StageTotals {
  readonly records: number;
  readonly amounts: FieldAmounts;
}

/** What became of the records that were routed to one target. At close the five are disjoint and complete. */
export interface TargetLedger {
  readonly id: string;
  readonly routed: StageTotals;
  readonly delivered: StageTotals;
  readonly refused: StageTotals;
  readonly dead: StageTotals;
  readonly cancelled: StageTotals;
}

export interface LedgerTotals {
  readonly records: RecordCounts;
  readonly amounts: {
    readonly read: FieldAmounts;
    readonly valid: FieldAmounts;
    readonly rejected: FieldAmounts;
    readonly filtered: FieldAmounts;
  };
  readonly targets: readonly TargetLedger[];
}

export interface Imbalance {
  readonly law: string;
  /** `records`, `amounts.<field>.<currency>`, `targets.<id>…`. */
  readonly at: string;
  readonly left: string;
  readonly right: string;
}

const jobLaw = 'read = valid + rejected + filtered';
const targetLaw = 'routed = delivered + refused + dead + cancelled';
const routeLaw = 'routed <= valid';

/** Every broken law, in a fixed order; empty when the job balances. */
export function findImbalances(totals: LedgerTotals): Imbalance[] {
  const { records, amounts, targets } = totals;
  const found = [
    ...compare({ law: jobLaw, at: 'records', whole: records.read, parts: [records.valid, records.rejected, records.filtered] }),
    ...compareAmounts({ law: jobLaw, at: 'amounts', whole: amounts.read, parts: [amounts.valid, amounts.rejected, amounts.filtered] }),
  ];
  for (const target of targets) {
    const at = `targets.${target.id}`;
    const parts = [target.delivered, target.refused, target.dead, target.cancelled];
    found.push(...compare({ law: targetLaw, at: `${at}.records`, whole: target.routed.records, parts: parts.map((part) => part.records) }));
    found.push(
      ...compareAmounts({ law: targetLaw, at: `${at}.amounts`, whole: target.routed.amounts, parts: parts.map((part) => part.amounts) }),
    );
    if (target.routed.records > records.valid) {
      found.push({ law: routeLaw, at: `${at}.records`, left: String(target.routed.records), right: String(records.valid) });
    }
  }
  return found;
}

/** Whether two totals are the same money: currencies and fields that come to nothing do not count. */
export function isSameAmounts(left: FieldAmounts, right: FieldAmounts): boolean {
  return compareAmounts({ law: '', at: '', whole: left, parts: [right] }).length === 0;
}

function compare(law: {
  readonly law: string;
  readonly at: string;
  readonly whole: number;
  readonly parts: readonly number[];
}): Imbalance[] {
  const counts = [law.whole, ...law.parts];
  const sum = law.parts.reduce((total, part) => total + part, 0);
  const isCount = counts.every((count) => Number.isSafeInteger(count) && count >= 0);
  return isCount && sum === law.whole ? [] : [{ law: law.law, at: law.at, left: String(law.whole), right: law.parts.join(' + ') }];
}

function compareAmounts(law: {
  readonly law: string;
  readonly at: string;
  readonly whole: FieldAmounts;
  readonly parts: readonly FieldAmounts[];
}): Imbalance[] {
  const all = [law.whole, ...law.parts];
  const found: Imbalance[] = [];
  for (const field of keysOf(all)) {
    const at = `${law.at}.${field}`;
    const stages = all.map((amounts) => (Object.hasOwn(amounts, field) ? amounts[field]! : noAmount));
    const known = stages.filter((stage) => stage !== noAmount);
    if (known.some(({ scale }) => scale !== known[0]!.scale)) {
      const left = stages[0] === noAmount ? 'undefined' : String(stages[0]!.scale);
      const right = [...new Set(known.map(({ scale }) => scale))].join(', ');
      found.push({ law: law.law, at: `${at}.scale`, left, right });
      continue;
    }
    const [unreadable, ...unreadableParts] = stages.map((stage) => stage.unreadable);
    found.push(...compare({ law: law.law, at: `${at}.unreadable`, whole: unreadable!, parts: unreadableParts }));
    for (const currency of keysOf(stages.map((stage) => stage.byCurrency))) {
      const parts = stages.map(({ byCurrency }) => (Object.hasOwn(byCurrency, currency) ? byCurrency[currency]! : '0'));
      const whole = parts.shift()!;
      if (!isSumOf(whole, parts)) found.push({ law: law.law, at: `${at}.${currency}`, left: whole, right: parts.join(' + ') });
    }
  }
  return found;
}

function isSumOf(whole: string, parts: readonly string[]): boolean {
  const moved = parts.filter((part) => part !== '0');
  // All of it went one way, for the most part.
  if (moved.length < 2 && (moved[0] ?? '0') === whole) return true;
  return moved.reduce((sum, part) => sum + BigInt(part), 0n) === BigInt(whole);
}

const noAmount: FieldAmounts[string] = { scale: 0, unreadable: 0, byCurrency: {} };

/** Of all of them, each once, in order. Most have those of the first. */
function keysOf([first, ...others]: readonly object[]): string[] {
  const keys = Object.keys(first!);
  const more: string[] = [];
  for (const other of others) for (const key of Object.keys(other)) if (!Object.hasOwn(first!, key)) more.push(key);
  return (more.length === 0 ? keys : [...new Set([...keys, ...more])]).sort();
}
