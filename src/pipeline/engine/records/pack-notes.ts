/**
 * What a pack found wrong with a record stands in its line, under a key of its own: one text, a line for each finding, of severity,
 * code, field, rule and message with tabs between them; field and rule are empty where there is none. A line without it has none.
 */
import type { RecordFinding } from './record-finding.ts';

export const notesKey = 'findings';

export interface PackNotes {
  readonly findings: readonly RecordFinding[];
  readonly warnings: readonly RecordFinding[];
}

export function readPackNotes(text: string): PackNotes {
  const findings: RecordFinding[] = [];
  const warnings: RecordFinding[] = [];
  for (const note of text.split('\n')) {
    const [severity, code = '', field = '', rule = '', message = ''] = note.split('\t');
    const finding = { code, field: field === '' ? null : field, rule: rule === '' ? null : rule, message };
    (severity === 'warn' ? warnings : findings).push(finding);
  }
  return { findings, warnings };
}
