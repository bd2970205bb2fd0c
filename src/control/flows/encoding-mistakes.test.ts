/** Planted mistakes in how a flow says that its text and numbers are held, as in `flow-mistakes.test.ts`. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadFlow } from './load-flow.ts';

const example = (name: string) => readFileSync(new URL(`../../../examples/${name}.yaml`, import.meta.url), 'utf8');
const mainframe = example('mainframe');
const cards = example('cards');
const invoices = example('invoices');

interface Mistake {
  readonly of: string;
  readonly change: readonly [string, string];
  readonly code: string;
  /** The text at the reported line and column. */
  readonly at: string;
  readonly says?: RegExp;
}

const mistakes: readonly Mistake[] = [
  {
    of: mainframe,
    change: ['encoding: ibm1047', 'encoding: ibm1074'],
    code: 'E_CONFIG_VALUE',
    at: 'ibm1074',
    says: /did you mean ibm1047/,
  },
  { of: invoices, change: ['type: json-lines', 'type: json-lines, encoding: ibm037'], code: 'E_CONFIG_VALUE', at: 'ibm037' },
  { of: mainframe, change: ['    recordLength: 60\n', ''], code: 'E_CONFIG_KEY', at: 'format', says: /recordLength is missing/ },
  { of: mainframe, change: ['recordLength: 60', 'recordLength: 60\n    shortLines: pad'], code: 'E_CONFIG_CONFLICT', at: 'shortLines' },
  {
    of: mainframe,
    change: ['encoding: ibm1047', 'positions: characters'],
    code: 'E_CONFIG_CONFLICT',
    at: 'positions',
    says: /in bytes/,
  },
  {
    of: mainframe,
    change: ['lineEnds: false', 'lineEnds: true'],
    code: 'E_CONFIG_CONFLICT',
    at: 'usage: packed',
    says: /lineEnds: false/,
  },
  { of: mainframe, change: ['at: [43, 6], type: decimal', 'at: [43, 6], type: date'], code: 'E_CONFIG_CONFLICT', at: 'usage: packed' },
  { of: mainframe, change: ['usage: binary', 'usage: zoned, sign: upfront'], code: 'E_CONFIG_VALUE', at: 'upfront' },
  {
    of: mainframe,
    change: ['usage: binary', 'usage: binary, sign: leading'],
    code: 'E_CONFIG_CONFLICT',
    at: 'sign',
    says: /not for binary/,
  },
  { of: mainframe, change: ['at: [57, 2]', 'at: [57, 3]'], code: 'E_CONFIG_LAYOUT', at: 'at: [57', says: /2, 4 or 8/ },
  { of: mainframe, change: ['at: [11, 8]', 'at: [11, 21]'], code: 'E_CONFIG_LAYOUT', at: 'at: [11', says: /20 bytes/ },
  { of: cards, change: ['amount: {', 'amount: { usage: packed,'], code: 'E_CONFIG_CONFLICT', at: 'usage', says: /for fixed-width/ },
  {
    of: mainframe,
    change: [
      / {6}fields:\n {8}count:[\s\S]*?COMP-3\n/.exec(mainframe)![0],
      '      fields: { all: { at: [1, 60], type: decimal, scale: 2, usage: packed } }\n',
    ],
    code: 'E_CONFIG_LAYOUT',
    at: 'fields: { all',
    says: /holds no text/,
  },
];

test('the flow of the mainframe has neither errors nor warnings', () => {
  expect(loadFlow(mainframe).diagnostics).toEqual([]);
});

describe('a mistake in numbers and encodings', () => {
  test.each(mistakes.map((mistake) => [`${mistake.code} ${mistake.change[1].trim().slice(0, 60)}`, mistake] as const))(
    '%s',
    (_name, { of, change, code, at, says }) => {
      expect(of).toContain(change[0]);
      const changed = of.replace(change[0], () => change[1]);
      const { plan, diagnostics } = loadFlow(changed);
      const found = diagnostics.map(({ line, column, ...more }) => ({ ...more, at: changed.split('\n')[line - 1]!.slice(column - 1) }));
      const wanted = found.filter((each) => each.code === code && each.at.startsWith(at) && (says?.test(each.message) ?? true));
      expect(wanted, JSON.stringify(found, null, 1)).not.toEqual([]);
      expect(plan).toBeNull();
    },
  );
});
