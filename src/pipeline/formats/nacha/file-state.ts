/** What may follow what in an ACH file, as one table: state and type of the record that comes. */
import type { NachaRuleId } from './nacha-rules.ts';

/** `start`: nothing was read. `file`: between batches. `batch`: after a batch header. `entry`: after an entry. `ended`: after the file control. */
export type FileState = 'start' | 'file' | 'batch' | 'entry' | 'ended';
export type RecordType = '1' | '5' | '6' | '7' | '8' | '9';

/** The state after the record; or the rule that the record breaks where it is, so that it is left out. */
type Step = { readonly next: FileState } | { readonly breaks: NachaRuleId };

const misplaced: Step = { breaks: 'file-header-misplaced' };
const entryOutside: Step = { breaks: 'entry-outside-batch' };
const addendaOutside: Step = { breaks: 'addenda-outside-entry' };
const controlOutside: Step = { breaks: 'batch-control-outside' };
const afterControl: Step = { breaks: 'record-after-file-control' };
const betweenBatches = {
  '5': { next: 'batch' },
  '6': entryOutside,
  '7': addendaOutside,
  '8': controlOutside,
  '9': { next: 'ended' },
} as const;

export const fileSteps: Readonly<Record<FileState, Readonly<Record<RecordType, Step>>>> = {
  start: { '1': { next: 'file' }, ...betweenBatches },
  file: { '1': misplaced, ...betweenBatches },
  batch: {
    '1': misplaced,
    '5': { next: 'batch' },
    '6': { next: 'entry' },
    '7': addendaOutside,
    '8': { next: 'file' },
    '9': { next: 'ended' },
  },
  entry: {
    '1': misplaced,
    '5': { next: 'batch' },
    '6': { next: 'entry' },
    '7': { next: 'entry' },
    '8': { next: 'file' },
    '9': { next: 'ended' },
  },
  ended: { '1': afterControl, '5': afterControl, '6': afterControl, '7': afterControl, '8': afterControl, '9': afterControl },
};

export function isRecordType(character: string): character is RecordType {
  return character in fileSteps.start;
}
