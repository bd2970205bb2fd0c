/**
 * Reads who the check of a file excluded, from the sealed list that the job's totals name (`encodeExclusions`: NDJSON in
 * record order). The place of a record is found by halving and read on from there in pieces, so that a page costs the same
 * whatever the length of the list; a job that excluded nothing opens nothing.
 */
import type { FindingGroup } from '../../../pipeline/engine/chunk.ts';
import { fileErrors } from '../../../pipeline/engine/engine-errors.ts';
import type { Exclusion } from '../../../pipeline/ledger/exclusions.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { SealedObject, SealedReader, SealedStore } from '../../../platform/storage/object-store.ts';
import type { SegmentPart } from '../groups/chunk-parts.ts';

/** Columns of a row `j` of jobs that was joined as `exclusionsJoin` says. */
export const exclusionsColumns = `j.totals #> '{checked,exclusions}' as "exclusionsPart", e.object as "exclusionsObject",
  case when e.object is not null then j.totals #> '{checked,exclusionGroups}' end as "exclusionGroups"`;
export const exclusionsJoin = `left join headgate.segments e on e.tenant_id = j.tenant_id and e.segment_id = (j.totals #>> '{checked,exclusions,segmentId}')::uuid`;

export interface ExclusionsRow {
  readonly exclusionsPart: SegmentPart | null;
  readonly exclusionsObject: SealedObject | null;
  readonly exclusionGroups: readonly FindingGroup[] | null;
}

export interface ExclusionFinding {
  readonly code: string;
  /** Null where the file has exclusions of this code for several fields: the list does not say which. */
  readonly field: string | null;
  readonly rule: string | null;
  readonly message: string;
}

const pieceBytes = 16 * 1024;
/** A line holds a number and a code. */
const lineBytesMax = 1024;

export class ExcludedRecords {
  readonly #source: SealedReader;
  readonly #start: number;
  readonly #end: number;
  readonly #groups: readonly FindingGroup[];

  constructor(source: SealedReader, part: Pick<SegmentPart, 'start' | 'end'>, groups: readonly FindingGroup[]) {
    this.#source = source;
    this.#start = part.start;
    this.#end = part.end;
    this.#groups = groups;
  }

  /** From this record number on, ascending. Fails with E_SEGMENT, and as storage does. */
  *from(record: number): Generator<Exclusion> {
    let position = this.#firstAt(record);
    let rest = '';
    while (position < this.#end) {
      const piece = this.#read(position, pieceBytes);
      position += piece.length;
      const lines = (rest + piece.toString('latin1')).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const exclusion = parseLine(line);
        if (exclusion.record >= record) yield exclusion;
      }
    }
  }

  /** What is said of a record that was excluded for this code. */
  findingOf({ code }: Exclusion): ExclusionFinding {
    const groups = this.#groups.filter((group) => group.code === code);
    const [first] = groups;
    const isOne = groups.length === 1;
    return {
      code,
      field: isOne ? first!.field : null,
      rule: isOne ? first!.rule : null,
      message: first?.message ?? 'the check of the whole file excluded the record',
    };
  }

  /** Whether any record was excluded for this code; reads nothing. */
  hasCode(code: string): boolean {
    return this.#groups.some((group) => group.code === code);
  }

  close(): void {
    this.#source.close();
  }

  /** Where a line starts before which every record is lower. */
  #firstAt(record: number): number {
    let low = this.#start;
    let high = this.#end;
    while (high - low > pieceBytes) {
      const middle = low + Math.floor((high - low) / 2);
      const piece = this.#read(middle, 2 * lineBytesMax).toString('latin1');
      const lineStart = piece.indexOf('\n') + 1;
      const lineEnd = piece.indexOf('\n', lineStart);
      if (lineStart === 0 || lineEnd < 0) throw unreadable();
      if (parseLine(piece.slice(lineStart, lineEnd)).record < record) low = middle + lineStart;
      else high = middle;
    }
    return low;
  }

  #read(position: number, bytesMax: number): Buffer {
    const piece = Buffer.alloc(Math.min(bytesMax, this.#end - position));
    let length = 0;
    while (length < piece.length) {
      const count = this.#source.read(piece, length, piece.length - length, position + length);
      if (count === 0) throw unreadable();
      length += count;
    }
    return piece;
  }
}

/** Asked in record order, whether each record is excluded. */
export function askedInOrder(excluded: ExcludedRecords | null, from: number): (record: number) => boolean {
  const exclusions = excluded?.from(from);
  let next = exclusions?.next().value;
  return (record) => {
    while (next && next.record < record) next = exclusions?.next().value;
    return next?.record === record;
  };
}

/** Null when the file's check excluded nothing. The caller closes it. */
export function openExcluded(store: SealedStore, tenantId: string, row: ExclusionsRow): ExcludedRecords | null {
  const { exclusionsPart: part, exclusionsObject: object, exclusionGroups } = row;
  if (part === null || object === null) return null;
  return new ExcludedRecords(store.open(tenantId, object), part, exclusionGroups ?? []);
}

function parseLine(line: string): Exclusion {
  try {
    return JSON.parse(line) as Exclusion;
  } catch {
    throw unreadable();
  }
}

function unreadable(): HeadgateError {
  return new HeadgateError(fileErrors.E_SEGMENT, 'the list of excluded records cannot be read');
}
