/** From what a flow says of answers to the Plan: which output fields name what was sent, and how what comes back is read. */
import type { Expression } from '../../../pipeline/engine/expressions/expression.ts';
import type { AnswersPlan, OutputFieldPlan, RecordPlan } from '../../../pipeline/engine/plan.ts';
import type { AnswersTargetDefinition, FormatDefinition, TargetDefinition } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';

export interface AnswersContext {
  readonly output: readonly OutputFieldPlan[];
  readonly records: readonly RecordPlan[];
  readonly format: FormatDefinition;
}

/** Undefined: the target is not to answer. */
export function compileExpected(
  target: TargetDefinition,
  { output }: Pick<AnswersContext, 'output'>,
  path: Path,
  report: Report,
): AnswersPlan | undefined {
  const { answers } = target;
  if (answers === undefined) return undefined;
  const at: Path = [...path, 'answers'];
  if (target.type === 'answers')
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: at,
      message: 'answers are not answered: answers is for targets that something is sent to',
    });
  const indexOf = (key: 'key' | 'group') => fieldIndex(answers[key], output, [...at, key], report);
  return { withinMs: answers.within, key: indexOf('key'), group: indexOf('group') };
}

/** Statuses of ISO 20022 (ExternalPaymentGroupStatus1Code, ExternalPaymentTransactionStatus1Code). */
const statusWords = {
  accepted: ['ACCP', 'ACSP', 'ACSC', 'ACCC', 'ACWC', 'ACWP', 'ACFC'],
  refused: ['RJCT', 'CANC', 'BLCK'],
  pending: ['RCVD', 'PDNG', 'ACTC', 'PATC'],
  partial: ['PART', 'PRES', 'PACT'],
} as const;
const statusFields = {
  file: 'out.originalMessageId',
  group: 'out.originalPaymentInformationId',
  key: 'out.originalEndToEndId',
  status: 'out.status',
  reason: 'out.reasonCode',
} as const;

const fieldKeys = ['file', 'group', 'key', 'level', 'status', 'reason'] as const;
const wordKeys = ['accepted', 'refused', 'pending', 'partial'] as const;

/** The settings of a target of type answers. */
export function answersSettings(
  target: AnswersTargetDefinition,
  context: AnswersContext,
  path: Path,
  report: Report,
): Record<string, unknown> {
  const { output, records, format } = context;
  const refuse = (key: string, message: string, code: string = flowErrors.E_CONFIG_CONFLICT): void =>
    report.add({ code, path: key === '' ? path : [...path, key], message });
  const isStatusReport = format.type === 'iso20022' && (format['message'] === 'pain.002' || format['message'] === 'pacs.002');
  const has = (field: string) => output.some(({ name }) => `out.${name}` === field);
  const fields: Record<string, string> = {};
  for (const key of fieldKeys) {
    const standard = key === 'level' ? levelField(output) : has(statusFields[key]) ? statusFields[key] : undefined;
    const given = target[key] ?? (isStatusReport ? standard : undefined);
    if (given === undefined || fieldIndex(given, output, [...path, key], report) === null) continue;
    fields[key] = given.slice('out.'.length);
  }
  if (target.status === undefined && fields['status'] === undefined)
    refuse('', 'status is missing: the output field that says what became of a file or record', flowErrors.E_CONFIG_KEY);
  if (target.file === undefined && target.group === undefined && target.key === undefined && !isStatusReport)
    refuse('', 'file, group or key is missing: the output field that says what an answer is about', flowErrors.E_CONFIG_KEY);
  const reason = output.find(({ name }) => name === fields['reason'])?.value;
  if (reason !== undefined && isMasked(reason, records))
    refuse('reason', 'a masked field is made of this: codes of reasons are shown to everybody who sees deliveries');
  const words = Object.fromEntries(wordKeys.map((key) => [key, [...(target[key] ?? (isStatusReport ? statusWords[key] : []))]]));
  const all = Object.values(words).flat();
  if (words['accepted']!.length === 0 && words['refused']!.length === 0)
    refuse('', 'accepted and refused are missing: the statuses that decide', flowErrors.E_CONFIG_KEY);
  const twice = all.find((word, index) => all.indexOf(word) < index);
  if (twice !== undefined) refuse('', `the status ${JSON.stringify(twice)} is named twice`, flowErrors.E_CONFIG_DUPLICATE);
  if (target.order !== undefined && target.order !== 'file') refuse('order', 'answers are matched in the order of their file');
  if (target.batch?.linger !== undefined) refuse('batch', 'answers wait for no others');
  const isEachStatus = format.type === 'iso20022' && format['statuses'] === 'all';
  const about = target.about ?? (isStatusReport && !isEachStatus && fields['key'] !== undefined ? 'records' : 'any');
  // A transaction may be named by what the target does not look at: it is none of many then.
  if (isEachStatus && about === 'any' && fields['level'] === undefined && target.level === undefined)
    refuse(
      '',
      'transform leaves out record.level, which tells what is said of one transaction from what is said of many: keep it as a field',
    );
  return {
    of: target.of.map(({ flow, target: of }) => ({ flow, target: of })),
    ...fields,
    about,
    ...words,
    unlisted: target.unlisted,
  };
}

/** The output field that is `record.level` as it was read. */
function levelField(output: readonly OutputFieldPlan[]): string | undefined {
  const field = output.find(({ value }) => value.kind === 'field' && value.name === 'level');
  return field === undefined ? undefined : `out.${field.name}`;
}

/** Null after a finding, or where nothing is named. */
function fieldIndex(given: string | undefined, output: readonly OutputFieldPlan[], path: Path, report: Report): number | null {
  if (given === undefined) return null;
  const index = output.findIndex(({ name }) => `out.${name}` === given);
  if (index >= 0) return index;
  report.add({
    code: flowErrors.E_CONFIG_REFERENCE,
    path,
    message: `no output field ${given.slice('out.'.length)}; there are ${output
      .map(({ name }) => name)
      .slice(0, 10)
      .join(', ')}`,
    atValue: true,
  });
  return null;
}

function isMasked(value: Expression, records: readonly RecordPlan[]): boolean {
  switch (value.kind) {
    case 'field':
      return records.some(({ role, fields }) => role === 'data' && fields.some(({ name, mask }) => name === value.name && mask !== 'none'));
    case 'call':
      return value.arguments.some((argument) => isMasked(argument, records));
    case 'in':
      return isMasked(value.value, records);
    case 'literal':
    case 'statistic':
      return false;
  }
}
