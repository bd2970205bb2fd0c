/**
 * A repair: expressions that give fields of a record other texts, in the flow's own language. It sees every field as its text
 * in the file, whatever its type, so that it can mend what the flow cannot read. All of them see the record as it was.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import { packFlows } from '../../formats/pack-flows.ts';
import { checkExpression } from '../expressions/check.ts';
import { evaluate } from '../expressions/evaluate.ts';
import type { Expression } from '../expressions/expression.ts';
import { ExpressionFailure } from '../expressions/expression-errors.ts';
import { trimSpaces } from '../fields/field-reader.ts';
import type { Plan } from '../plan.ts';
import type { RecordFinding } from '../records/record-finding.ts';
import { createRecordReader } from '../records/record-reader.ts';
import { createRecordText } from '../records/record-text.ts';
import { receivedTable, translated, windowTable } from '../records/window-bytes.ts';
import { fieldsOf, keyFields } from './key-fields.ts';
import { createRecordEncoder, type NewTexts } from './record-encoder.ts';
import { repairErrors } from './repair-errors.ts';

/** Expression by the name of the field that gets its result. */
export type RepairTexts = Readonly<Record<string, string>>;

export interface FieldChange {
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

export type RepairedRecord =
  | { readonly content: Buffer; readonly changes: readonly FieldChange[]; readonly problem: null }
  | { readonly content: null; readonly changes: readonly FieldChange[]; readonly problem: RecordFinding };

export interface CompiledRepair {
  /** Fields that are set, each with those that its expression looks at. */
  readonly uses: ReadonlyMap<string, readonly string[]>;
  /** `content`, and that of the result: as in the file, without line end. */
  apply(content: Buffer): RepairedRecord;
}

/**
 * `hidden`: fields whose texts are not for everybody's eyes. They count as changed whatever they get, or a guess would be told from the text itself.
 * Fails with E_REPAIR, which says what is wrong with which expression, with E_REPAIR_KEY and with E_REPAIR_TIED.
 */
export function compileRepair(
  plan: Plan,
  columns: readonly string[] | null,
  set: RepairTexts,
  hidden: ReadonlySet<string> = new Set(),
): CompiledRepair {
  const data = plan.records.filter(({ role }) => role === 'data');
  const names = [...new Set(data.flatMap(({ fields }) => fields.map(({ name }) => name)))];
  const keys = keyFields(plan);
  const tied = tiedFields(plan);
  const expressions = Object.entries(set).map(([field, source]) => {
    const known = keys.get(field);
    if (known !== undefined) throw new HeadgateError(repairErrors.E_REPAIR_KEY, `${field} ${known}`);
    if (tied.has(field))
      throw new HeadgateError(
        repairErrors.E_REPAIR_TIED,
        `${field} is one of the fields of a record that say the same: ${[...tied].join(', ')}`,
      );
    return { field, expression: compileOne(names, field, source) };
  });
  const read = createRecordReader(plan, columns);
  const encoder = createRecordEncoder(plan, columns);
  const text = createRecordText();
  const tables = { window: windowTable(plan.format), received: receivedTable(plan.format) };
  const problem = (field: string | null, message: string, changes: readonly FieldChange[] = []): RepairedRecord => ({
    content: null,
    changes,
    problem: { code: repairErrors.E_REPAIR_RECORD, field, rule: null, message },
  });
  return {
    uses: new Map(expressions.map(({ field, expression }) => [field, fieldsOf(expression)])),
    apply(content) {
      const bytes = translated(content, tables.window);
      const unreadable = read(bytes, 0, bytes.length, text);
      if (unreadable !== null) return problem(null, `the record cannot be read: ${unreadable.message}`);
      const { fields } = plan.records[text.type]!;
      const values = names.map((name) => {
        const index = fields.findIndex((field) => field.name === name);
        const raw = index < 0 ? null : text.texts[index]!;
        return raw === null ? null : (fields[index]!.trim ? trimSpaces(raw) : raw) || null;
      });
      const scope = {
        field: (_scope: unknown, index: number) => values[index]!,
        statistic: () => {
          throw new ExpressionFailure('a repair sees no totals');
        },
      };
      const texts = new Map<number, string | null>();
      const changes: FieldChange[] = [];
      for (const { field, expression } of expressions) {
        const index = fields.findIndex((candidate) => candidate.name === field);
        if (index < 0) return problem(field, 'a record of this type has no such field', changes);
        try {
          const after = (evaluate(expression, scope) as string | null) || null;
          const before = values[names.indexOf(field)]!;
          if (after !== before) texts.set(index, after);
          else if (!hidden.has(field)) continue;
          changes.push({ field, before, after });
        } catch (error) {
          if (!(error instanceof ExpressionFailure)) throw error;
          return problem(field, error.message, changes);
        }
      }
      if (texts.size === 0) return { content, changes, problem: null };
      const written = encoder.encode(bytes, text, texts satisfies NewTexts);
      const file = written === null ? null : translated(written, tables.received);
      // A character of the window that the page of the file has no byte for.
      const isWhole = file !== null && translated(file, tables.window).equals(written!);
      if (!isWhole) return problem(changes[0]!.field, 'the text has no place in the format of the record', changes);
      return { content: file, changes, problem: null };
    },
  };
}

/** Of a pack: what its lines say twice, and where a record begins in the file as received. */
function tiedFields({ format }: Plan): ReadonlySet<string> {
  const pack = format.type === 'json-lines' ? format.pack : undefined;
  if (pack === undefined) return new Set();
  const schema = packFlows[pack.name].schema(new Map(Object.entries(pack.settings)));
  return new Set(['line', 'offset', ...('problem' in schema ? [] : schema.tied)]);
}

function compileOne(names: readonly string[], field: string, source: string): Expression {
  if (!names.includes(field)) {
    const nearest = nearestName(field, names);
    throw invalid(field, `the flow has no field ${JSON.stringify(field)}${nearest === null ? '' : `; did you mean ${nearest}?`}`);
  }
  const environment = {
    scopes: { record: names.map((name, index) => ({ name, type: 'string' as const, index })) },
    statistics: null,
    absent: {
      out: 'a repair sees record, the fields as they stand in the file',
      header: 'a repair sees one record',
      trailer: 'a repair sees one record',
      stats: 'a repair sees one record',
    },
    later: [],
    hiddenFields: new Map<string, string>(),
  };
  const { expression, problems } = checkExpression({ source, environment, expected: 'string' });
  if (expression === null) throw invalid(field, problems.map(({ message }) => message).join('; '));
  return expression;
}

function invalid(field: string, message: string): HeadgateError {
  return new HeadgateError(repairErrors.E_REPAIR, `${field}: ${message}`, {
    details: [{ code: repairErrors.E_REPAIR, message, path: `set.${field}` }],
  });
}
