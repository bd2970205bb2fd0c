/** What of a version of a flow tells records apart: which of their fields are keys, and how the text of a field is read. */
import { hasUniqueKey } from '../../pipeline/deliveries/cutting/record-facts.ts';
import type { FieldPlan, Plan } from '../../pipeline/engine/plan.ts';

/** What tells records apart, and so makes their delivery keys and their order. */
export function identityOf(plan: Plan) {
  const types = plan.records.map(({ name, role, tag, counted, key, fields }) => ({
    ...{ name, role, tag, counted },
    key: key.map((index) => readingOf(fields[index]!)),
  }));
  return { types, isUnique: hasUniqueKey(plan) };
}

/** What makes the text of a field, and its value. What only refuses some of them does not, nor who may see them. */
const makesText: Readonly<Record<keyof FieldPlan, boolean>> = {
  name: true,
  type: true,
  at: true,
  required: false,
  trim: true,
  minLength: false,
  maxLength: false,
  pattern: false,
  enum: false,
  min: false,
  max: false,
  point: true,
  scale: true,
  usage: true,
  sign: true,
  dateFormat: true,
  unique: false,
  sum: false,
  currencyField: false,
  mask: false,
  class: false,
  search: false,
};

/** The place of a column with a name is not part of it. */
export function readingOf(field: FieldPlan) {
  const { at } = field;
  const place = 'column' in at && at.header !== null ? { header: at.header } : at;
  return [place, ...Object.entries(makesText).map(([name, counts]) => (counts && name !== 'at' ? field[name as keyof FieldPlan] : null))];
}
