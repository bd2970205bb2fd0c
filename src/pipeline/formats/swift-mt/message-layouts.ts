/**
 * The fields of each message type in their order, as data, and those of its variants, which field 119 of block 3 names.
 * Source: Standards MT, format specifications of MT 101, 103, 103 REMIT, 103 STP, 202, 202 COV, 940, 941, 942 and 950.
 */

export type MessageType = '101' | '103' | '202' | '940' | '941' | '942' | '950';

export interface FieldStep {
  readonly tags: readonly string[];
  readonly isMandatory: boolean;
  readonly isRepeatable: boolean;
  /** Index of the sequence in `MessageLayout.sequences`; null: of none. */
  readonly sequence: number | null;
}

export interface Sequence {
  readonly first: number;
  readonly last: number;
  readonly isMandatory: boolean;
  readonly isRepeatable: boolean;
}

export interface MessageLayout {
  readonly steps: readonly FieldStep[];
  readonly sequences: readonly Sequence[];
  readonly tags: ReadonlySet<string>;
  readonly isStatement: boolean;
}

/** `20!`: mandatory, `21`: optional, `65*`: any number, `50A|F|K`: one of the options; `(…)`: a sequence, with `!`, `*` after it. */
const layouts: Readonly<Record<MessageType | '103 STP' | '103 REMIT' | '202 COV', string>> = {
  '101':
    '20! 21R 28D! 50C|L 50F|G|H 52A|C 51A 30! 25 ( 21! 21F 23E* 32B! 50C|L 50F|G|H 52A|C 56A|C|D 57A|C|D 59-|A|F! 70 77B 33B 71A! 25A 36 )!*',
  '103':
    '20! 13C* 23B! 23E* 26T 32A! 33B 36 50A|F|K! 51A 52A|D 53A|B|D 54A|B|D 55A|B|D 56A|C|D 57A|B|C|D 59-|A|F! 70 71A! 71F* 71G 72 77B 77T',
  '103 STP': '20! 13C* 23B! 23E* 26T 32A! 33B 36 50A|F|K! 52A 53A|B 54A 55A 56A 57A 59-|A|F! 70 71A! 71F* 71G 72 77B',
  '103 REMIT':
    '20! 13C* 23B! 23E* 26T 32A! 33B 36 50A|F|K! 51A 52A|D 53A|B|D 54A|B|D 55A|B|D 56A|C|D 57A|B|C|D 59-|A|F! 71A! 71F* 71G 72 77B 77T!',
  '202': '20! 21! 13C* 32A! 52A|D 53A|B|D 54A|B|D 56A|D 57A|B|D 58A|D! 72 ( 50A|F|K! 52A|D 56A|C|D 57A|B|C|D 59-|A|F! 70 72 33B )',
  '202 COV': '20! 21! 13C* 32A! 52A|D 53A|B|D 54A|B|D 56A|D 57A|B|D 58A|D! 72 ( 50A|F|K! 52A|D 56A|C|D 57A|B|C|D 59-|A|F! 70 72 33B )!',
  '940': '20! 21 25-|P! 28C|-! 60F|M! ( 61! 86 )* 62F|M! 64 65* 86',
  '941': '20! 21 25-|P! 28-|C! 13D 60F 90D 90C 62F! 64 65* 86',
  '942': '20! 21 25-|P! 28C|-! 34F! 34F 13D|-! ( 61! 86 )* 90D 90C 86',
  '950': '20! 25! 28C|-! 60F|M! 61* 62F|M! 64',
};

const statements: ReadonlySet<string> = new Set(['940', '941', '942', '950']);

const built: ReadonlyMap<string, MessageLayout> = new Map(
  Object.entries(layouts).map(([type, text]) => [type, buildLayout(text, statements.has(type))]),
);

/** Undefined for a type that is not read. A variant that the type does not have is none. */
export function layoutOf(type: string, variant: string | null = null): MessageLayout | undefined {
  return built.get(`${type} ${variant}`) ?? built.get(type);
}

function buildLayout(text: string, isStatement: boolean): MessageLayout {
  const steps: FieldStep[] = [];
  const sequences: Sequence[] = [];
  let first: number | null = null;
  for (const word of text.split(' ')) {
    if (word === '(') first = steps.length;
    else if (word.startsWith(')')) {
      sequences.push({ first: first!, last: steps.length - 1, isMandatory: word.includes('!'), isRepeatable: word.includes('*') });
      first = null;
    } else steps.push(buildStep(word, first === null ? null : sequences.length));
  }
  return { steps, sequences, tags: new Set(steps.flatMap(({ tags }) => tags)), isStatement };
}

/** `-` is the tag without an option letter. */
function buildStep(word: string, sequence: number | null): FieldStep {
  const [, digits, options] = /^(\d\d)([A-Z|-]*)/.exec(word)!;
  const tags = options!.split('|').map((option) => digits! + (option === '-' ? '' : option));
  return { tags, isMandatory: word.endsWith('!'), isRepeatable: word.endsWith('*'), sequence };
}
