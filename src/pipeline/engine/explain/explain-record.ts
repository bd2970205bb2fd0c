/**
 * Why a record goes where it goes: every field, rule, filter, output field and route of a flow, with the values that each of
 * them looked at and what came of it. The decision itself is the reference parser's, so that an explanation can't differ from
 * it; what the record did not come to, because something before it ended it, is evaluated all the same, and says so.
 */
import { type EvaluationScope, evaluate, evaluateBoolean } from '../expressions/evaluate.ts';
import type { Expression } from '../expressions/expression.ts';
import { ExpressionFailure } from '../expressions/expression-errors.ts';
import { type Value, valueText } from '../expressions/values.ts';
import type { Plan } from '../plan.ts';
import { type CheckedField, checkField } from '../reference/field-checks.ts';
import { createScope, decideRecord, type RecordFinding, type RecordValues, rejected } from '../reference/record-decisions.ts';
import { notedFindings, placedFinding, shapeRecord } from '../reference/record-shapes.ts';
import type { Row } from '../reference/rows.ts';

export interface ExplainedField {
  readonly field: string;
  readonly type: string;
  /** Null: absent. */
  readonly value: string | null;
  /** Code and reason; null: it is sound. */
  readonly problem: string | null;
}

/** Names as the flow writes them (`record.amount`), each with the value that it had. */
export type LookedAt = Readonly<Record<string, string | null>>;

export interface ExplainedStep {
  readonly step: 'rule' | 'filter' | 'output' | 'route';
  readonly id: string;
  /** `true` or `false` of a condition, the value of an output field; null: absent, or it failed. */
  readonly result: string | null;
  readonly lookedAt: LookedAt;
  /** What follows from it for the record, in words. */
  readonly effect: string;
  /** False: something before it had decided about the record. */
  readonly isReached: boolean;
}

export interface RecordExplanation {
  /** Name of the record type; null: unknown. */
  readonly type: string | null;
  /** `header` and `trailer` are no records of the file. */
  readonly role: 'header' | 'data' | 'trailer' | null;
  readonly status: 'valid' | 'rejected' | 'filtered' | null;
  readonly findings: readonly RecordFinding[];
  readonly warnings: readonly RecordFinding[];
  readonly fields: readonly ExplainedField[];
  readonly steps: readonly ExplainedStep[];
  /** Ids of targets. */
  readonly routes: readonly string[];
  /** By target: the record as it is written there. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** `columns`: names of the header row; `header`: values of the header record, by field. */
export function explainRecord(
  plan: Plan,
  row: Row,
  { columns, header }: { readonly columns: readonly string[] | null; readonly header: readonly Value[] },
): RecordExplanation {
  const shape = shapeRecord(plan, row, columns);
  const { type } = shape;
  const checked = shape.problem === null ? type!.fields.map((field, index) => checkField(field, shape.texts[index]!, plan.format)) : [];
  const explained = {
    type: type?.name ?? null,
    role: type?.role ?? null,
    fields: type === null ? [] : explainFields(type.fields, checked),
  };
  const nothing = { warnings: [], steps: [], routes: [], outputs: {} };
  if (shape.problem !== null)
    return { ...explained, ...nothing, status: 'rejected', findings: [{ ...shape.problem, field: null, rule: null }] };
  const placed = placedFinding(plan, shape);
  const findings = [
    ...checked.flatMap(({ problem }, index) =>
      problem === null ? [] : [placed({ code: problem.code, field: type!.fields[index]!.name, rule: null, message: problem.message })],
    ),
    ...notedFindings(shape, 'error'),
  ];
  if (type!.role !== 'data') return { ...explained, ...nothing, status: null, findings };
  const values = checked.map(({ problem, value }) => (problem === null ? value : null));
  const record = { type: type!, values, header };
  const decision = findings.length > 0 ? rejected(findings) : decideRecord(plan, record);
  const output: Value[] = [];
  const steps = new Steps({ plan, record, scope: createScope(plan, record, output), output, isReached: findings.length === 0 }).all();
  return {
    ...explained,
    status: decision.status,
    findings: findings.length > 0 ? findings : decision.findings.map(placed),
    warnings: decision.status === 'valid' ? [...notedFindings(shape, 'warn'), ...decision.warnings.map(placed)] : [],
    steps,
    routes: decision.routes.map((index) => plan.targets[index]!.id),
    outputs: Object.fromEntries(
      [...decision.outputs].map(([index, bytes]) => [plan.targets[index]!.id, Buffer.from(bytes).toString('utf8')]),
    ),
  };
}

/** Of a header record: what rules of records see of it. */
export function headerValues(plan: Plan, row: Row, columns: readonly string[] | null): readonly Value[] {
  const { type, problem, texts } = shapeRecord(plan, row, columns);
  if (problem !== null || type?.role !== 'header') return [];
  return type.fields.map((field, index) => {
    const checked = checkField(field, texts[index]!, plan.format);
    return checked.problem === null ? checked.value : null;
  });
}

function explainFields(fields: Plan['records'][number]['fields'], checked: readonly CheckedField[]): ExplainedField[] {
  return checked.map(({ value, text, problem }, index) => ({
    field: fields[index]!.name,
    type: fields[index]!.type,
    value: problem === null ? textOf(value) : text,
    problem: problem === null ? null : `${problem.code}: ${problem.message}`,
  }));
}

function textOf(value: Value): string | null {
  return value === null ? null : valueText(value);
}

interface Tried {
  readonly result: string | null;
  readonly failure: string | null;
  readonly lookedAt: LookedAt;
}

interface StepsParts {
  readonly plan: Plan;
  readonly record: RecordValues;
  readonly scope: EvaluationScope;
  /** What `scope` sees of the output: it fills as fields are evaluated. */
  readonly output: Value[];
  readonly isReached: boolean;
}

/** In the order of `docs/record-rules.md`, section 5. */
class Steps {
  readonly #plan: Plan;
  readonly #record: RecordValues;
  readonly #scope: EvaluationScope;
  readonly #output: Value[];
  #isReached: boolean;

  constructor({ plan, record, scope, output, isReached }: StepsParts) {
    this.#plan = plan;
    this.#record = record;
    this.#scope = scope;
    this.#output = output;
    this.#isReached = isReached;
  }

  all(): ExplainedStep[] {
    return [...this.#rules(), ...this.#filters(), ...this.#outputs(), ...this.#routes()];
  }

  #rules(): ExplainedStep[] {
    const rules = this.#plan.rules.filter(({ scope }) => scope === 'record');
    const steps = rules.map(({ id, assert, severity, code, message }) => {
      const tried = this.#ask(assert);
      const broken = severity === 'warn' ? `warns: ${code}: ${message}` : `rejects the record: ${code}: ${message}`;
      return this.#step('rule', id, tried, tried.result === 'true' ? 'holds' : broken);
    });
    // Every rule is applied, whatever the others say.
    if (steps.some(({ effect }) => effect.startsWith('rejects'))) this.#isReached = false;
    return steps;
  }

  #filters(): ExplainedStep[] {
    const { counted, name } = this.#record.type;
    const left = { step: 'filter', id: 'counted', result: 'false', lookedAt: {} } as const;
    const effect = `leaves the record out: ${name} is no record of the file`;
    const steps = counted ? [] : [{ ...left, effect, isReached: this.#isReached }];
    if (!counted) this.#isReached = false;
    return [...steps, ...this.#flowFilters()];
  }

  #flowFilters(): ExplainedStep[] {
    return this.#plan.filters.map(({ id, when, reason }) => {
      const tried = this.#ask(when);
      const step = this.#step('filter', id, tried, tried.result === 'true' ? `leaves the record out: ${reason}` : 'lets it pass');
      if (tried.result !== 'false') this.#isReached = false;
      return step;
    });
  }

  #outputs(): ExplainedStep[] {
    return this.#plan.output.map(({ name, value: expression }) => {
      const tried = this.#try(expression, () => {
        const value = evaluate(expression, this.#scope);
        this.#output.push(value);
        return value;
      });
      if (tried.failure !== null) this.#output.push(null);
      const step = this.#step('output', name, tried, tried.result === null ? 'is absent' : 'is sent');
      if (tried.failure !== null) this.#isReached = false;
      return step;
    });
  }

  #routes(): ExplainedStep[] {
    const { mode, rules, default: otherwise } = this.#plan.routes;
    let hasMatched = false;
    const steps = rules.map(({ id, when, to }) => {
      const tried = this.#ask(when);
      const isLate = mode === 'first' && hasMatched;
      const goes = `goes to ${this.#names(to)}`;
      const matched = isLate ? `would go to ${this.#names(to)}, but an earlier rule matched` : goes;
      const step = this.#step('route', id, tried, tried.result === 'true' ? matched : 'does not match');
      if (tried.result === 'true') hasMatched = true;
      if (tried.failure !== null && !isLate) this.#isReached = false;
      return { ...step, isReached: step.isReached && !isLate };
    });
    const effect = hasMatched ? 'is not needed' : `goes to ${this.#names(otherwise)}`;
    return [
      ...steps,
      { step: 'route', id: 'default', result: String(!hasMatched), lookedAt: {}, effect, isReached: this.#isReached && !hasMatched },
    ];
  }

  #names(targets: readonly number[]): string {
    return targets.map((index) => this.#plan.targets[index]!.id).join(', ');
  }

  #step(step: ExplainedStep['step'], id: string, { result, failure, lookedAt }: Tried, effect: string): ExplainedStep {
    const failed = `rejects the record: E_EXPRESSION: ${failure}`;
    return { step, id, result, lookedAt, effect: failure === null ? effect : failed, isReached: this.#isReached };
  }

  #ask(condition: Expression): Tried {
    return this.#try(condition, () => evaluateBoolean(condition, this.#scope));
  }

  #try(expression: Expression, run: () => Value): Tried {
    const lookedAt = this.#lookedAt(expression);
    try {
      return { result: textOf(run()), failure: null, lookedAt };
    } catch (error) {
      if (error instanceof ExpressionFailure) return { result: null, failure: error.message, lookedAt };
      throw error;
    }
  }

  #lookedAt(expression: Expression): LookedAt {
    const seen: Record<string, string | null> = {};
    for (const field of fieldsOf(expression)) seen[`${field.scope}.${field.name}`] = textOf(this.#scope.field(field.scope, field.index));
    return seen;
  }
}

type Field = Extract<Expression, { kind: 'field' }>;

function fieldsOf(expression: Expression): Field[] {
  switch (expression.kind) {
    case 'field':
      return [expression];
    case 'call':
      return expression.arguments.flatMap(fieldsOf);
    case 'in':
      return [...fieldsOf(expression.value), ...expression.list.flatMap(fieldsOf)];
    case 'literal':
    case 'statistic':
      return [];
  }
}
