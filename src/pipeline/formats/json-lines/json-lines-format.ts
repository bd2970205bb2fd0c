/** The json-lines format: settings, documentation, splitter. */
import { isUtf8 } from 'node:buffer';
import type { JsonLinesPlan, RecordPlan } from '../../engine/plan.ts';
import { readJsonDocument } from '../../engine/reference/json-document.ts';
import { envelopeTags } from '../envelope-types.ts';
import { encodingSetting, type Format, skipBlankLinesSetting } from '../format.ts';
import { createLineSplitter, type LineRules } from '../line-splitter.ts';

export const jsonLinesFormat: Format<JsonLinesPlan> = {
  name: 'json-lines',
  summary: 'One JSON object a line (NDJSON).',
  documentation:
    'Each line is one JSON object (RFC 8259), read strictly: no duplicate keys, at most 64 levels, numbers exact as they are written. A field is found by the path of its keys. ' +
    'With several record types, `discriminator` names the top-level key whose text is the tag.',
  settings: [
    { ...encodingSetting, choices: ['utf-8'] },
    skipBlankLinesSetting,
    { name: 'discriminator', type: 'position', default: null, description: 'Top-level key whose text is the record tag.' },
    {
      name: 'unknownKeys',
      type: 'choice',
      choices: ['ignore', 'reject'],
      default: 'ignore',
      description: 'What to do about a top-level key that no field reads.',
    },
  ],
  createSplitter: (format, records, options) =>
    createLineSplitter(format, { skipBlankLines: format.skipBlankLines, isEnvelope: envelopeTest(format, records) }, options),
};

function envelopeTest(format: JsonLinesPlan, records: readonly RecordPlan[]): LineRules['isEnvelope'] {
  const { discriminator } = format;
  const tags = discriminator === null ? null : envelopeTags(records);
  if (tags === null) return null;
  const isPlain = tags.every(isPlainTag);
  const wanted = tags.map((tag) => Buffer.from(`"${tag}"`));
  // What begins with the tag of another record is none, whatever follows: a key that comes again makes it no document.
  const others = records
    .flatMap(({ role, tag }) => (role === 'data' && tag !== null && isPlainTag(tag) && !tags.includes(tag) ? [tag] : []))
    .map((tag) => Buffer.from(`{${JSON.stringify(discriminator)}:"${tag}"`));
  return (bytes, start, end) => {
    for (const other of others) if (beginsWith(bytes, start, end, other)) return false;
    const line = bytes.subarray(start, end);
    // Without an escape the tag stands in the line as it is, so most lines need not be parsed.
    if (isPlain && !line.includes(0x5c) && !wanted.some((tag) => line.includes(tag))) return false;
    const tag = readTag(line, discriminator!);
    return tag !== null && tags.includes(tag);
  };
}

const isPlainTag = (tag: string): boolean => /^[\x20-\x7e]*$/.test(tag) && !/["\\]/.test(tag);

function beginsWith(bytes: Buffer, start: number, end: number, text: Buffer): boolean {
  if (end - start < text.length) return false;
  for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text[index]) return false;
  return true;
}

function readTag(line: Buffer, discriminator: string): string | null {
  if (!isUtf8(line) || line.includes(0)) return null;
  try {
    const document = readJsonDocument(line.toString('utf8'));
    const tag = document.kind === 'object' ? document.members.get(discriminator) : undefined;
    return tag?.kind === 'string' ? tag.value : null;
  } catch {
    return null;
  }
}
