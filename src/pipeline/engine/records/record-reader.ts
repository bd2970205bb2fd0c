/** The reader for a plan's format, with the checks on bytes that come before any format: UTF-8 and NUL. */
import { structureErrors } from '../engine-errors.ts';
import type { Plan } from '../plan.ts';
import { createDelimitedReader } from './delimited-reader.ts';
import { createFixedWidthReader } from './fixed-width-reader.ts';
import { createJsonReader } from './json-reader.ts';
import type { RecordReader } from './record-text.ts';
import type { StructureProblem } from './structure-problem.ts';
import { byteFindings, firstInvalidUtf8, inspectBytes, isValidUtf8 } from './utf8.ts';

const nulCharacter: StructureProblem = { code: structureErrors.E_CHARACTER, message: 'NUL character' };

/** `columns`: names from the header row, null where the format has none. */
export function createRecordReader(plan: Plan, columns: readonly string[] | null): RecordReader {
  const read = createFormatReader(plan, columns);
  return (bytes, start, end, into) => {
    const found = inspectBytes(bytes, start, end);
    if ((found & byteFindings.notAscii) !== 0 && !isValidUtf8(bytes, start, end)) {
      into.type = -1;
      const at = firstInvalidUtf8(bytes, start, end) - start;
      return { code: structureErrors.E_ENCODING, message: `byte ${at} of the record starts no valid UTF-8 sequence` };
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
      return createFixedWidthReader(plan, format);
    case 'json-lines':
      return createJsonReader(plan, format);
  }
}
