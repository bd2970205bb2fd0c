/** Rules of scope `file`: header, trailer and totals of all read records, rejected ones included. */
import type { ChunkSummary, FieldAmounts, RecordCounts } from '../chunk.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { fileErrors } from '../engine-errors.ts';
import { evaluateBoolean, type Statistic } from '../expressions/evaluate.ts';
import type { Scope } from '../expressions/expression.ts';
import { ExpressionFailure } from '../expressions/expression-errors.ts';
import { decimalText, type Value } from '../expressions/values.ts';
import type { Plan, RulePlan } from '../plan.ts';
import { envelopeValues } from '../records/record-scope.ts';
import { type ComparedScope, comparedTotals } from './compared-totals.ts';
import type { FileReason } from './file-verdict.ts';

/** What header and trailer say, what was counted, and whether every file rule holds; null without file rules. */
export interface ControlTotals {
  /** By name of the field, with `header.` or `trailer.` before it where both have one of that name. */
  readonly declared: Readonly<Record<string, string | null>>;
  readonly computed: Readonly<Record<string, string>>;
  readonly balanced: boolean | null;
}

export interface FileRulesResult {
  readonly reasons: readonly FileReason[];
  readonly warnings: readonly { readonly code: string; readonly rule: string; readonly message: string }[];
  readonly controlTotals: ControlTotals;
}

export interface FileTotals {
  readonly summary: ChunkSummary;
  /** After exclusions. */
  readonly records: RecordCounts;
}

export function checkFileRules(flow: CompiledFlow, totals: FileTotals): FileRulesResult {
  const scope = new FileScope(flow, totals);
  const rules = flow.plan.rules.filter((rule) => rule.scope === 'file');
  const failed = rules.flatMap((rule) => {
    const problem = ruleProblem(rule, scope);
    return problem === null ? [] : [{ rule, ...problem }];
  });
  const errors = failed.filter(({ rule }) => rule.severity === 'error');
  return {
    reasons: errors.map(({ rule, code, message }) => ({
      verdict: rule.onFail === 'reject-file' ? 'rejected' : 'held',
      code,
      rule: rule.id,
      message,
    })),
    warnings: failed.filter(({ rule }) => rule.severity === 'warn').map(({ rule, code, message }) => ({ code, rule: rule.id, message })),
    controlTotals: {
      declared: declaredTotals(flow.plan, totals.summary),
      computed: scope.computed(),
      balanced: rules.length === 0 ? null : errors.length === 0,
    },
  };
}

function declaredTotals(plan: Plan, summary: Pick<ChunkSummary, 'header' | 'trailer'>): ControlTotals['declared'] {
  return Object.fromEntries(
    (['header', 'trailer'] as const).flatMap((role) =>
      Object.entries(summary[role]?.values ?? {}).map(([name, value]) => [declaredName(plan, role, name), value] as const),
    ),
  );
}

/** `header.count` where both have a field of the name, else the name alone. */
export function declaredName({ records }: Pick<Plan, 'records'>, role: 'header' | 'trailer', name: string): string {
  const isInBoth = records.filter((record) => record.role !== 'data' && record.fields.some((field) => field.name === name)).length > 1;
  return isInBoth ? `${role}.${name}` : name;
}

/** Whether a value of header or trailer is not for everyone's eyes. */
export function isHiddenTotal({ records }: Pick<Plan, 'records'>, role: Scope, index: number): boolean {
  const field = records.find((record) => record.role === role)?.fields[index];
  return field !== undefined && (field.mask !== 'none' || field.class !== null);
}

function ruleProblem(rule: RulePlan, scope: FileScope): { code: string; message: string } | null {
  try {
    return evaluateBoolean(rule.assert, scope) ? null : problemOf(rule, scope, rule.code, rule.message);
  } catch (error) {
    if (!(error instanceof ExpressionFailure)) throw error;
    return problemOf(rule, scope, fileErrors.E_CONTROL, error.message);
  }
}

function problemOf(rule: RulePlan, scope: FileScope, code: string, message: string): { code: string; message: string } {
  const compared = comparedTotals(rule.assert, scope);
  return { code, message: compared === '' ? message : `${message}: ${compared}` };
}

class FileScope implements ComparedScope {
  readonly #flow: CompiledFlow;
  readonly #totals: FileTotals;
  readonly #envelopes: Readonly<Record<'header' | 'trailer', readonly Value[]>>;

  constructor(flow: CompiledFlow, totals: FileTotals) {
    this.#flow = flow;
    this.#totals = totals;
    const valuesOf = (role: 'header' | 'trailer'): readonly Value[] => {
      const record = flow.plan.records.find((candidate) => candidate.role === role);
      const envelope = totals.summary[role];
      return record === undefined || envelope === null ? [] : envelopeValues(record, envelope);
    };
    this.#envelopes = { header: valuesOf('header'), trailer: valuesOf('trailer') };
  }

  field(scope: Scope, index: number): Value {
    if (scope !== 'header' && scope !== 'trailer') throw new ExpressionFailure('a file rule sees no single record');
    return this.#envelopes[scope][index] ?? null;
  }

  statistic(name: Statistic, field: string | null, key: string | null): Value {
    const { records } = this.#totals;
    switch (name) {
      case 'records':
        return BigInt(this.#countedRecords());
      case 'valid':
      case 'rejected':
      case 'filtered':
        return BigInt(records[name]);
      case 'sum':
        return this.#sum(field, null);
      case 'sumBy':
        return this.#sum(field, key);
      case 'count':
        return BigInt(this.#totals.summary.byType[field ?? key ?? ''] ?? 0);
    }
  }

  computed(): Record<string, string> {
    const sums = Object.entries(this.#read()).map(([name, { scale }]) => [
      `sum.${name}`,
      decimalText({ unscaled: this.#unscaled(name, null), scale }),
    ]);
    return { records: String(this.#countedRecords()), ...(Object.fromEntries(sums) as Record<string, string>) };
  }

  isHidden(scope: Scope, index: number): boolean {
    return isHiddenTotal(this.#flow.plan, scope, index);
  }

  /** In the order of the currencies' codes. */
  currencySums(field: string): (readonly [string, string])[] {
    const { scale, byCurrency } = this.#read()[field] ?? { scale: 0, byCurrency: {} };
    return Object.entries(byCurrency)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([currency, unscaled]) => [currency, decimalText({ unscaled: BigInt(unscaled), scale })]);
  }

  #read(): FieldAmounts {
    return this.#totals.summary.amounts.read;
  }

  #countedRecords(): number {
    const { summary, records } = this.#totals;
    return countedRecords(this.#flow.plan, summary.byType, records.read);
  }

  #unscaled(field: string, currency: string | null): bigint {
    const amounts = this.#read()[field]?.byCurrency ?? {};
    if (currency !== null) return BigInt(amounts[currency] ?? '0');
    return Object.values(amounts).reduce((sum, text) => sum + BigInt(text), 0n);
  }

  #sum(field: string | null, currency: string | null): Value {
    const name = field ?? '';
    const summed = this.#flow.plan.records.flatMap((record) => record.fields).find((candidate) => candidate.name === name && candidate.sum);
    const unscaled = this.#unscaled(name, currency);
    return summed?.type === 'int' ? unscaled : { unscaled, scale: this.#read()[name]?.scale ?? 0 };
  }
}

/** Of those read. Records of types that don't count are left out; records of no known type count. */
export function countedRecords(plan: Plan, byType: ChunkSummary['byType'], read: number): number {
  const uncounted = plan.records.filter((record) => record.role === 'data' && !record.counted);
  return uncounted.reduce((count, record) => count - (byType[record.name] ?? 0), read);
}
