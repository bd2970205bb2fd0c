/** From `validate`, `filter` and `transform` to the Plan's rules, filters and output fields. */
import type { Expression } from '../../../pipeline/engine/expressions/expression.ts';
import type { FilterPlan, OutputFieldPlan, RecordPlan, RulePlan } from '../../../pipeline/engine/plan.ts';
import { valueTypeOf } from '../../../pipeline/engine/records/record-scope.ts';
import type { FlowSpec, RuleDefinition } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { compileExpression, type FlowScopes } from './expression-scopes.ts';
import { constantValue } from './reachability.ts';

/** In place of an expression that could not be compiled. */
export const never: Expression = { kind: 'literal', type: 'bool', value: 'false' };
const outputFieldsMax = 500;

/** `ofPack`: so many of the rules come first and are not the author's: no text holds them. */
export function compileRules(
  { rules, ofPack }: { readonly rules: readonly RuleDefinition[]; readonly ofPack: number },
  scopes: FlowScopes,
  report: Report,
): RulePlan[] {
  checkIds(rules, ['spec', 'validate'], report, ofPack);
  return rules.map((rule, index) => {
    const path = ['spec', 'validate', index - ofPack];
    if (/^E_/.test(rule.code))
      report.add({
        code: flowErrors.E_CONFIG_CODE,
        path: [...path, 'code'],
        message: "codes that begin with E_ are the product's; choose one such as AMT01",
        atValue: true,
      });
    const environment = rule.scope === 'file' ? scopes.file : scopes.record;
    const assert = compileExpression({ source: rule.assert, path: [...path, 'assert'], environment, expected: 'bool' }, report);
    if (assert !== null) checkRuleConstant(assert, [...path, 'assert'], report);
    const { id, scope, severity, onFail, code, message } = rule;
    return { id, scope, severity, onFail, code, message, assert: assert ?? never };
  });
}

function checkRuleConstant(assert: Expression, path: Path, report: Report): void {
  const constant = constantValue(assert);
  if (constant === true)
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path,
      severity: 'warning',
      message: 'this is always true: the rule checks nothing',
      atValue: true,
    });
  if (constant === false)
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path, message: 'this is never true: nothing would pass', atValue: true });
}

/** A filter sees the record after its rules and before the output is made. */
export function compileFilters(filters: FlowSpec['filter'], scopes: FlowScopes, report: Report): FilterPlan[] {
  checkIds(filters, ['spec', 'filter'], report);
  return filters.map(({ id, when, reason }, index) => {
    const path = ['spec', 'filter', index, 'when'];
    const condition = compileExpression({ source: when, path, environment: scopes.record, expected: 'bool' }, report);
    const constant = condition === null ? null : constantValue(condition);
    if (constant === true)
      report.add({ code: flowErrors.E_CONFIG_CONFLICT, path, message: 'this is always true: no record would be left', atValue: true });
    if (constant === false)
      report.add({
        code: flowErrors.E_CONFIG_CONFLICT,
        path,
        severity: 'warning',
        message: 'this is never true: the filter does nothing',
        atValue: true,
      });
    return { id, when: condition ?? never, reason };
  });
}

/** Without transforms: every field of the main record type under its own name. */
export function compileOutput(spec: FlowSpec, records: readonly RecordPlan[], scopes: FlowScopes, report: Report): OutputFieldPlan[] {
  checkIds(spec.transform, ['spec', 'transform'], report);
  if (spec.transform.length === 0) {
    const main = records.find((record) => record.role === 'data')!;
    return main.fields.map(({ name, type }, index) => {
      const value: Expression = { kind: 'field', type: valueTypeOf(type), scope: 'record', index, name };
      return { name, type: value.type, value };
    });
  }
  const output: OutputFieldPlan[] = [];
  for (const [index, step] of spec.transform.entries()) {
    for (const [name, source] of Object.entries(step.set)) {
      const path = ['spec', 'transform', index, 'set', name];
      if (output.some((field) => field.name === name))
        report.add({ code: flowErrors.E_CONFIG_DUPLICATE, path, message: `${name} is set twice` });
      const value = compileExpression({ source, path, environment: scopes.record, expected: null }, report) ?? never;
      output.push({ name, type: value.type, value });
    }
  }
  if (output.length > outputFieldsMax) {
    report.add({
      code: flowErrors.E_CONFIG_VALUE,
      path: ['spec', 'transform'],
      message: `${output.length} output fields; at most ${outputFieldsMax} are allowed`,
    });
  }
  return output;
}

/** The first `unwritten` items are not in the text. */
export function checkIds(items: readonly { readonly id: string }[], path: Path, report: Report, unwritten = 0): void {
  const seen = new Set<string>();
  for (const [index, { id }] of items.entries()) {
    if (seen.has(id))
      report.add({
        code: flowErrors.E_CONFIG_DUPLICATE,
        path: [...path, index - unwritten, 'id'],
        message: `the id ${id} is there twice`,
        atValue: true,
      });
    seen.add(id);
  }
}
