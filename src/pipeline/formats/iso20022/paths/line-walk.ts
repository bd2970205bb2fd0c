/** Gives the lines of a flow to the walker and takes them back: what is kept of header, group and record, and what was written. */
import type { FlowLines } from '../flow/flow-lines.ts';
import { amountKeys, type PlacedFamily } from '../flow/flow-places.ts';
import type { LineValues } from '../flow/line-values.ts';
import type { XmlSource } from '../xml/xml-source.ts';
import * as layout from './line-layout.ts';
import { columnKinds, columnWord, columnWords, lineWord } from './line-layout.ts';
import { linesAt, windowAt } from './path-layout.ts';
import type { PathMemory } from './path-memory.ts';

const nothing = Buffer.from('null', 'latin1');
const writtenAt = linesAt + layout.writtenOffset;
const valuesAt = linesAt + layout.valuesOffset;
const formKinds = {
  text: columnKinds.text,
  integer: columnKinds.number,
  decimal: columnKinds.number,
  date: columnKinds.date,
  amount: columnKinds.amount,
} as const;

interface Column {
  readonly kind: number;
  readonly field: number;
  readonly key: Buffer;
}

export class LineWalk {
  readonly #memory: PathMemory;
  readonly #flow: FlowLines;
  readonly #doubles: Float64Array;
  readonly #word = (name: keyof typeof lineWord): number => linesAt / 4 + lineWord[name];

  constructor(memory: PathMemory, flow: FlowLines) {
    this.#memory = memory;
    this.#flow = flow;
    this.#doubles = new Float64Array(memory.words.buffer);
    this.#describe(flow.family);
  }

  /** The values that are kept, and where in the file the source is. False: there are more than there is room for. */
  begin(source: XmlSource): boolean {
    const { values, isRecordOpen, isNoted } = this.#flow;
    if (values.length > layout.valuesBytes) return false;
    const { words, all } = this.#memory;
    const set = (name: keyof typeof lineWord, value: number): void => void (words[this.#word(name)] = value);
    this.#doubles[linesAt / 8] = source.offsetOf(0) - windowAt;
    set('isOn', 1);
    set('out', writtenAt);
    set('whole', writtenAt);
    set('kept', values.length);
    set('headerEnd', values.headerEnd);
    set('groupEnd', values.groupEnd);
    set('groups', values.groups);
    set('currency', values.currency);
    set('isOpen', isRecordOpen ? 1 : 0);
    set('isNoted', isNoted ? 1 : 0);
    words.set(values.starts, (linesAt + layout.startsOffset) / 4);
    words.set(values.ends, (linesAt + layout.endsOffset) / 4);
    words.set(values.valid, (linesAt + layout.validOffset) / 4);
    values.bytes.copy(all, valuesAt, 0, values.length);
    return true;
  }

  /** Hands over what was written. */
  take(): void {
    const { words, all } = this.#memory;
    const out = words[this.#word('out')]!;
    const whole = words[this.#word('whole')]!;
    this.#flow.walked(all.subarray(writtenAt, out), whole - writtenAt, words[this.#word('isOpen')] !== 0);
    words[this.#word('out')] = writtenAt;
    words[this.#word('whole')] = writtenAt;
    // Whatever was found is in a line that is no longer open.
    if (whole > writtenAt) words[this.#word('isNoted')] = 0;
  }

  end(): void {
    const { values } = this.#flow;
    this.#takeValues(values);
  }

  #takeValues(values: LineValues): void {
    const { words, all } = this.#memory;
    const got = (name: keyof typeof lineWord): number => words[this.#word(name)]!;
    values.reserve(got('kept'));
    values.length = got('kept');
    values.headerEnd = got('headerEnd');
    values.groupEnd = got('groupEnd');
    values.groups = got('groups');
    values.currency = got('currency');
    const list = (offset: number): Int32Array => words.subarray((linesAt + offset) / 4, (linesAt + offset) / 4 + values.starts.length);
    values.starts.set(list(layout.startsOffset));
    values.ends.set(list(layout.endsOffset));
    values.valid.set(list(layout.validOffset));
    all.copy(values.bytes, 0, valuesAt, valuesAt + values.length);
  }

  #describe(family: PlacedFamily): void {
    const { words, all } = this.#memory;
    const columns = columnsOf(family);
    let length = 0;
    for (const [index, { kind, field, key }] of columns.entries()) {
      const at = (linesAt + layout.columnsOffset) / 4 + index * columnWords;
      const text = Buffer.concat([key, nothing]);
      words[at + columnWord.kind] = kind;
      words[at + columnWord.field] = field;
      words[at + columnWord.from] = length;
      text.copy(all, linesAt + layout.templateOffset + length);
      length += text.length;
      words[at + columnWord.to] = length;
    }
    if (length > layout.templateBytes || columns.length > layout.columnsMax || family.fields.length > layout.fieldsMax)
      throw new Error('a family of messages has more fields than there is room for');
    for (const [field, { form }] of family.fields.entries())
      words[(linesAt + layout.amountsOffset) / 4 + field] = form === 'amount' && field >= family.headerFields + family.groupFields ? 1 : 0;
    const { begin, offset } = this.#flow.beginnings;
    begin.copy(all, linesAt + layout.beginOffset);
    offset.copy(all, linesAt + layout.offsetOffset);
    const set = (name: keyof typeof lineWord, value: number): void => void (words[this.#word(name)] = value);
    set('fields', family.fields.length);
    set('firstGrouped', family.headerFields);
    set('firstOfRecord', family.headerFields + family.groupFields);
    set('columns', columns.length);
    set('side', family.side);
    set('templateLength', length);
    set('beginLength', begin.length);
    set('offsetLength', offset.length);
  }
}

/** Of the line of a record, in their order. */
function columnsOf(family: PlacedFamily): readonly Column[] {
  const position = family.position === null ? [] : [{ kind: columnKinds.position, field: 0, key: family.position }];
  const own = family.fields.slice(family.headerFields).flatMap(({ key, form }, index): Column[] => {
    const field = family.headerFields + index;
    const first = { kind: formKinds[form], field, key };
    if (form !== 'amount') return [first];
    const { currency, controlAmount, credit, debit } = amountKeys;
    const last = family.hasSides
      ? [
          { kind: columnKinds.credit, field, key: credit },
          { kind: columnKinds.debit, field, key: debit },
        ]
      : [{ kind: columnKinds.amount, field, key: controlAmount }];
    return [first, { kind: columnKinds.currency, field, key: currency }, ...last];
  });
  return [...position, ...own];
}
