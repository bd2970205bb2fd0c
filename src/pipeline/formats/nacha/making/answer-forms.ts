/**
 * How an entry can be answered, as data: which codes ask for which addenda, what category of entries they answer, and which values
 * they take. Source: Nacha Operating Rules, Appendix Four (returns) and Five (notifications of change).
 */
import {
  contestedReturnCodes,
  deathReturnCodes,
  dishonoredReturnCodes,
  iatChangeCodes,
  refusalCodes,
  returnCodes,
} from '../code-tables.ts';
import type { Category } from '../open-batch.ts';

type AnswerValue = 'correctedData' | 'dateOfDeath' | 'addendaInformation' | 'dateOriginalEntryReturned' | 'originalSettlementDate';

export interface AnswerForm {
  readonly addenda: 'addenda98' | 'addenda98Refused' | 'addenda99' | 'addenda99Dishonored' | 'addenda99Contested';
  /** Of the entries that are answered so. */
  readonly answers: Category;
  /** In a batch of class COR, with an amount of zero. */
  readonly isNotification: boolean;
  readonly takes: readonly AnswerValue[];
  readonly requires: readonly AnswerValue[];
}

const forward = { answers: 'Forward', isNotification: false } as const;
const returned: AnswerForm = { ...forward, addenda: 'addenda99', takes: ['addendaInformation'], requires: [] };
const returnedForDeath: AnswerForm = { ...returned, takes: ['addendaInformation', 'dateOfDeath'], requires: ['dateOfDeath'] };
const dishonored: AnswerForm = { ...returned, addenda: 'addenda99Dishonored', answers: 'Return' };
const contested: AnswerForm = {
  ...forward,
  addenda: 'addenda99Contested',
  answers: 'DishonoredReturn',
  takes: ['dateOriginalEntryReturned', 'originalSettlementDate'],
  requires: [],
};
/** The original return was timely, which its dates show. */
const contestedAsTimely: AnswerForm = { ...contested, requires: contested.takes };
const changed: AnswerForm = {
  addenda: 'addenda98',
  answers: 'Forward',
  isNotification: true,
  takes: ['correctedData'],
  requires: ['correctedData'],
};
const refusedChange: AnswerForm = { addenda: 'addenda98Refused', answers: 'NOC', isNotification: true, takes: [], requires: [] };

/** Null: there is no such code. C08 is refused where its entry is none of IAT, as all that the reader refuses. */
export function answerFormOf(code: string): AnswerForm | null {
  if (dishonoredReturnCodes.has(code)) return dishonored;
  if (contestedReturnCodes.has(code)) return code === 'R73' ? contestedAsTimely : contested;
  if (returnCodes.has(code)) return deathReturnCodes.has(code) ? returnedForDeath : returned;
  if (refusalCodes.has(code)) return refusedChange;
  return iatChangeCodes.has(code) ? changed : null;
}
