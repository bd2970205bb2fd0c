/** The reader for a plan's format, with the checks on bytes that come before any format: that they are text, and NUL. */
import type { Plan } from '../plan.ts';
import { createCharacterReader } from './character-reader.ts';
import { createDelimitedReader } from './delimited-reader.ts';
import { createFixedWidthReader } from './fixed-width-reader.ts';
import { createJsonReader } from './json-reader.ts';
import type { RecordReader } from './record-text.ts';
import { textPageOf } from './text-page.ts';
import { hasNumbersInBytes } from './text-spans.ts';
import { byteFindings, inspectBytes, nulCharacter } from './utf8.ts';

/** `columns`: names from the header row, null where the format has none. */
export function createRecordReader(plan: Plan, columns: readonly string[] | null): RecordReader {
  const read = createFormatReader(plan, columns);
  // Which bytes are text is known when the type is.
  if (hasNumbersInBytes(plan.records)) return read;
  const page = textPageOf(plan.format);
  return (bytes, start, end, into) => {
    const found = inspectBytes(bytes, start, end);
    const unreadable = (found & byteFindings.notAscii) === 0 ? -1 : page.firstUnreadable(bytes, start, end);
    if (unreadable >= 0) {
      into.type = -1;
      return page.unreadableProblem(unreadable - start);
    }
    if ((found & byteFindings.nul) !== 0) {
      into.type = -1;
      return nulCharacter;
    }
    return read(bytes, start, end, into);
  };
}

function createFormatReader(plan: Plan, columns: readonly string[] | null): RecordReader {
  const { format } = plan;
  switch (format.type) {
    case 'delimited':
      return createDelimitedReader(plan, format, columns);
    case 'fixed-width':
      return format.positions === 'characters' ? createCharacterReader(plan, format) : createFixedWidthReader(plan, format);
    case 'json-lines':
      return createJsonReader(plan, format);
  }
}
