/**
 * What the flow decides about one record whose fields are sound: rules, filters, transforms, routes, bodies
 * (docs/record-rules.md, section 5). The expressions' meaning is `evaluate`'s.
 */
import { type EvaluationScope, evaluate, evaluateBoolean } from '../expressions/evaluate.ts';
import type { Expression } from '../expressions/expression.ts';
import { ExpressionFailure } from '../expressions/expression-errors.ts';
import type { Value } from '../expressions/values.ts';
import type { Plan, RecordPlan } from '../plan.ts';
import { writeBodyText } from './body-texts.ts';

export interface RecordFinding {
  readonly code: string;
  readonly field: string | null;
  readonly rule: string | null;
  readonly message: string;
}

export interface Decision {
  readonly status: 'valid' | 'rejected' | 'filtered';
  readonly findings: readonly RecordFinding[];
  readonly warnings: readonly RecordFinding[];
  /** Target indexes in ascending order; empty unless valid. */
  readonly routes: readonly number[];
  /** By target index: exactly the bytes of its segment; only for `routes`. */
  readonly outputs: ReadonlyMap<number, Uint8Array>;
}

/** The first failure ends the record. */
class Rejection extends Error {
  readonly finding: RecordFinding;

  constructor(finding: RecordFinding) {
    super(finding.code);
    this.finding = finding;
  }
}

export interface RecordValues {
  readonly type: RecordPlan;
  /** By field index of the type. */
  readonly values: readonly Value[];
  /** By field index of the header record; empty without one. */
  readonly header: readonly Value[];
}

export function decideRecord(plan: Plan, record: RecordValues): Decision {
  const output: Value[] = [];
  const scope = createScope(plan, record, output);
  const warnings: RecordFinding[] = [];
  try {
    const findings = applyRules(plan, scope, warnings);
    if (findings.length > 0) return rejected(findings);
    // Checked, but no record of the file.
    if (!record.type.counted) return { ...rejected([]), status: 'filtered' };
    if (plan.filters.some((filter) => condition(filter.when, scope, filter.id))) return { ...rejected([]), status: 'filtered' };
    for (const field of plan.output) output.push(attempt(() => evaluate(field.value, scope), { field: field.name, rule: null }));
    const routes = chooseRoutes(plan, scope);
    const outputs = new Map(routes.map((target) => [target, writeTarget(plan, target, output)]));
    return { status: 'valid', findings: [], warnings, routes, outputs };
  } catch (error) {
    if (error instanceof Rejection) return rejected([error.finding]);
    throw error;
  }
}

export function rejected(findings: readonly RecordFinding[]): Decision {
  return { status: 'rejected', findings, warnings: [], routes: [], outputs: new Map() };
}

/** Every rule is applied, whatever the others found. */
function applyRules(plan: Plan, scope: EvaluationScope, warnings: RecordFinding[]): RecordFinding[] {
  const findings: RecordFinding[] = [];
  for (const rule of plan.rules) {
    if (rule.scope !== 'record') continue;
    try {
      if (condition(rule.assert, scope, rule.id)) continue;
      (rule.severity === 'warn' ? warnings : findings).push({ code: rule.code, field: null, rule: rule.id, message: rule.message });
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      findings.push(error.finding);
    }
  }
  return findings;
}

function chooseRoutes(plan: Plan, scope: EvaluationScope): number[] {
  const { mode, rules, default: otherwise } = plan.routes;
  const chosen = new Set<number>();
  let hasMatched = false;
  for (const rule of rules) {
    if (!condition(rule.when, scope, rule.id)) continue;
    hasMatched = true;
    for (const target of rule.to) chosen.add(target);
    if (mode === 'first') break;
  }
  return [...(hasMatched ? chosen : new Set(otherwise))].sort((a, b) => a - b);
}

function writeTarget(plan: Plan, target: number, output: readonly Value[]): Uint8Array {
  const body = writeBodyText(plan.targets[target]!.body, plan.output, output);
  if ('line' in body) return Buffer.from(body.line, 'utf8');
  throw new Rejection({ code: body.code, field: body.field, rule: null, message: body.message });
}

function condition(expression: Expression, scope: EvaluationScope, rule: string): boolean {
  return attempt(() => evaluateBoolean(expression, scope), { field: null, rule });
}

function attempt<T>(run: () => T, at: { field: string | null; rule: string | null }): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ExpressionFailure) throw new Rejection({ code: error.code, ...at, message: error.message });
    throw error;
  }
}

/** Expressions name the fields of the first data type; another type's field of the same name stands in for it. */
export function createScope(plan: Plan, record: RecordValues, output: readonly Value[]): EvaluationScope {
  const main = plan.records.find((candidate) => candidate.role === 'data')!;
  return {
    field(scope, index) {
      if (scope === 'out') return output[index] ?? null;
      if (scope === 'header') return record.header[index] ?? null;
      if (scope === 'trailer') throw new ExpressionFailure('the trailer is known at the end of the file only');
      const own = record.type.fields.findIndex((field) => field.name === main.fields[index]!.name);
      return own < 0 ? null : record.values[own]!;
    },
    statistic() {
      throw new ExpressionFailure('totals are known at the end of the file only');
    },
  };
}
