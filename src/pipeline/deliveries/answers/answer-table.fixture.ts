/** Tables of answers, and what they hit among the lines of a batch, as tests ask for them. */
import { createBodyWriter } from '../../engine/bodies/body-writer.ts';
import { OutputFields } from '../../engine/bodies/output-fields.ts';
import type { BodyPlan, OutputFieldPlan } from '../../engine/plan.ts';
import type { AnswerSettings } from './answer-settings.ts';
import { AnswerTable } from './answer-table.ts';
import { type Hits, LineMatching } from './batch-answers.ts';

const settings: AnswerSettings = {
  of: [{ flow: 'out', target: 'bank' }],
  status: 'status',
  accepted: ['ACCP', 'ACSC'],
  refused: ['RJCT'],
  pending: ['PDNG'],
  partial: ['PART'],
  unlisted: 'unanswered',
};

export interface Answer {
  readonly file: string | null;
  readonly group: string | null;
  readonly key: string | null;
  readonly status: string | null;
  readonly reason: string | null;
}
const answerOutput = ['file', 'group', 'key', 'status', 'reason'].map((name) => ({ name, type: 'string' }) as unknown as OutputFieldPlan);
const recordOutput = ['amount', 'id', 'group'].map((name) => ({ name, type: 'string' }) as unknown as OutputFieldPlan);
const ndjson: BodyPlan = { format: 'ndjson' };
const csv: BodyPlan = { format: 'csv', delimiter: 0x2c, header: true, lineEnd: '\n' };

export function tableOf(answers: readonly Answer[], given: Partial<AnswerSettings> = {}): AnswerTable {
  const table = new AnswerTable(answers.length, { ...settings, ...given }, Buffer.alloc(16, 3));
  const fields = new OutputFields(ndjson, answerOutput, [0, 1, 2, 3, 4]);
  const write = createBodyWriter(ndjson, answerOutput);
  for (const { file, group, key, status, reason } of answers) {
    fields.read(Buffer.from(write([file, group, key, status, reason]) as string));
    table.add(fields);
  }
  return table;
}

export interface Sent {
  readonly id: string | null;
  readonly group: string | null;
}

export function hitsOf(table: AnswerTable, sent: readonly Sent[], isGrouped: boolean): Hits {
  const fields = new OutputFields(csv, recordOutput, [1, isGrouped ? 2 : null]);
  const options = { hasKeys: table.hasKeys, hasGroups: isGrouped && table.hasGroups, isGrouped, isMeant: () => true, isFree: () => true };
  const matching = new LineMatching(fields, table, options);
  const write = createBodyWriter(csv, recordOutput);
  for (const { id, group } of sent) matching.add(Buffer.from(write(['1.00', id, group]) as string));
  return matching.hits;
}
