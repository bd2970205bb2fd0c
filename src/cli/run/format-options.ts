/**
 * `--format NAME --option key=value`: turns the described settings of a format into the part of a plan that says how bytes
 * become records. Strict: unknown options and values are refused with what is allowed.
 */

import type { DelimitedPlan, FixedWidthPlan, FormatPlan } from '../../pipeline/engine/plan.ts';
import type { SingleByteEncoding } from '../../pipeline/engine/reference-data/code-pages.ts';
import type { Format, FormatSetting } from '../../pipeline/formats/format.ts';
import type { Pack, PackSettings } from '../../pipeline/formats/pack.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { runErrors } from './run-errors.ts';

/** Where there is no flow to hold a sender to, a quote inside an unquoted field is text, as most programs read it. */
export interface ParsedFormat {
  readonly format: FormatPlan;
  readonly keepsStrayQuotes: boolean;
}

const strayQuotes: FormatSetting = {
  name: 'strayQuotes',
  type: 'choice',
  choices: ['keep', 'reject'],
  default: 'keep',
  description: 'A quote inside an unquoted field is text, or rejects the record as in a flow.',
};

/** They speak of a schema, or of what a flow may leave out. */
const needingFlow: ReadonlySet<string> = new Set(['columns', 'unknownKeys', 'skipBlankLines', 'positions', 'shortLines']);

type Values = ReadonlyMap<string, string | boolean | number | null>;

/** Formats that can be read without a flow. Blank lines are records there: nothing says that they are none. */
export function parsedFormat(
  name: string,
  options: readonly string[],
  { formats, packs }: { readonly formats: readonly Format[]; readonly packs: Readonly<Record<string, unknown>> },
): ParsedFormat {
  const format = formats.find((candidate) => candidate.name === name);
  if (format === undefined)
    throw refuse(
      `there is no format ${JSON.stringify(name)}; there are ${[...formats.map((each) => each.name), ...Object.keys(packs)].join(', ')}`,
    );
  const values = readOptions(format, options);
  switch (format.name) {
    case 'delimited':
      return { format: delimitedPlan(values), keepsStrayQuotes: values.get(strayQuotes.name) === 'keep' };
    case 'json-lines':
      return { format: { type: 'json-lines', discriminator: null, unknownKeys: 'ignore', skipBlankLines: false }, keepsStrayQuotes: false };
    case 'fixed-width':
      return { format: fixedWidthPlan(values), keepsStrayQuotes: false };
  }
}

/** Options of a pack, as its settings describe them. */
export function packSettings({ name, settings }: Pick<Pack, 'name' | 'settings'>, options: readonly string[]): PackSettings {
  return readGiven(name, settings, options);
}

function readOptions(format: Format, options: readonly string[]): Values {
  const described = format.settings.filter((setting) => setting.type !== 'position' && !needingFlow.has(setting.name));
  const settings = format.name === 'delimited' ? [...described, strayQuotes] : described;
  const values = readGiven(format.name, settings, options);
  const isGiven = (wanted: string) => options.some((option) => option.startsWith(`${wanted}=`));
  if (values.has('escape') && !isGiven('escape')) return new Map([...values, ['escape', values.get('quote') ?? null]]);
  return values;
}

function readGiven(format: string, settings: readonly FormatSetting[], options: readonly string[]): Values {
  const values = new Map(settings.map((setting) => [setting.name, setting.default]));
  const given = new Set<string>();
  for (const option of options) {
    const equals = option.indexOf('=');
    const name = equals < 0 ? option : option.slice(0, equals);
    const text = equals < 0 ? '' : option.slice(equals + 1);
    if (equals < 0) throw refuse(`the option ${JSON.stringify(option)} is not written as name=value`);
    if (given.has(name)) throw refuse(`the option ${name} is given twice`);
    given.add(name);
    const setting = settings.find((candidate) => candidate.name === name);
    // What packs read is said by their own standards.
    if (name === 'encoding' && setting === undefined) requireUtf8(text);
    else {
      if (setting === undefined)
        throw refuse(
          `${format} has no option ${JSON.stringify(name)}; it has ${[...new Set([...settings.map((each) => each.name), 'encoding'])].join(', ')}`,
        );
      values.set(name, readValue(setting, text));
    }
  }
  return values;
}

function requireUtf8(text: string): void {
  if (!/^utf-?8$/i.test(text)) throw refuse(`the encoding ${JSON.stringify(text)} is not supported yet; utf-8 is`);
}

function readValue(setting: FormatSetting, text: string): string | boolean | number {
  switch (setting.type) {
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      throw refuse(`the option ${setting.name} is true or false`);
    case 'choice':
      if (setting.choices!.includes(text)) return text;
      throw refuse(`the option ${setting.name} is one of ${setting.choices!.join(', ')}`);
    case 'integer':
      if (/^[0-9]{1,9}$/.test(text)) return Number(text);
      throw refuse(`the option ${setting.name} is a number`);
    case 'byte':
    case 'position':
      return text;
  }
}

const namedBytes: Readonly<Record<string, string>> = { '\\t': '\t', tab: '\t', '\\0': '\0' };

function byteOf(values: Values, name: string): number | null {
  const text = String(values.get(name) ?? '');
  if (text === '') return null;
  const character = Object.hasOwn(namedBytes, text) ? namedBytes[text]! : text;
  const code = character.charCodeAt(0);
  if (character.length !== 1 || code > 0x7f || code === 0x0a || code === 0x0d || code === 0) {
    throw refuse(`the option ${name} is one ASCII character other than NUL and line ends`);
  }
  return code;
}

function encodingOf(values: Values): { readonly encoding?: SingleByteEncoding } {
  const name = values.get('encoding') as 'utf-8' | SingleByteEncoding;
  return name === 'utf-8' ? {} : { encoding: name };
}

const recordLengthMax = 1_000_000;

function fixedWidthPlan(values: Values): FixedWidthPlan {
  const recordLength = values.get('recordLength') as number | null;
  const hasLineEnds = values.get('lineEnds') === true;
  if (hasLineEnds !== (recordLength === null))
    throw refuse(hasLineEnds ? 'the option recordLength belongs to lineEnds=false' : 'lineEnds=false needs the option recordLength');
  if (recordLength !== null && (recordLength < 1 || recordLength > recordLengthMax))
    throw refuse(`the option recordLength is from 1 to ${recordLengthMax}`);
  return {
    type: 'fixed-width',
    ...encodingOf(values),
    ...(hasLineEnds ? {} : { lineEnds: false }),
    discriminator: null,
    recordLength,
    shortLines: 'reject',
    skipBlankLines: false,
  };
}

function delimitedPlan(values: Values): DelimitedPlan {
  const delimiter = byteOf(values, 'delimiter');
  const quote = byteOf(values, 'quote');
  const comment = byteOf(values, 'comment');
  const escapeByte = quote === null ? null : byteOf(values, 'escape');
  if (delimiter === null) throw refuse('the option delimiter is one ASCII character');
  if (delimiter === quote || delimiter === escapeByte || delimiter === comment || (quote !== null && quote === comment)) {
    throw refuse('delimiter, quote and comment are different characters');
  }
  return {
    type: 'delimited',
    ...encodingOf(values),
    delimiter,
    quote,
    escape: escapeByte,
    comment,
    header: values.get('header') === true,
    columns: 'lenient',
    skipBlankLines: false,
    discriminator: null,
  };
}

function refuse(message: string): HeadgateError {
  return new HeadgateError(runErrors.E_FORMAT_OPTION, message);
}
