/**
 * A pack in front of the splitter of its lines: it takes a file as received and gives the lines that flows read of it. What it finds
 * in a record is in the record's line; what it finds about the file as a whole holds the file.
 */
import type { Finding } from '../engine/chunk.ts';
import { FindingGroups } from '../engine/finding-groups.ts';
import type { PackPlan } from '../engine/plan.ts';
import type { SplitResult, Splitter } from './format.ts';
import type { Pack } from './pack.ts';
import type { PackFinding } from './pack-finding.ts';
import { placedMessage, RecordLines } from './record-lines.ts';
import { RecordsHash } from './records-hash.ts';

/** Of the file as a whole; what is beyond is only counted. */
const damageMax = 1_000;

export interface PackSplitterOptions {
  readonly pack: Pack;
  readonly settings: PackPlan['settings'];
  /** Of the lines. */
  readonly lines: Splitter;
  /** Takes the lines, in order and whole; they are valid until it returns. */
  readonly keep: (bytes: Uint8Array) => void;
  readonly hashesRecords?: boolean;
}

export function createPackSplitter({ pack, settings, lines: splitter, keep, hashesRecords = false }: PackSplitterOptions): Splitter {
  const damage: Finding[] = [];
  const warnings = new FindingGroups();
  const records = hashesRecords ? new RecordsHash() : null;
  let leftOut = 0;
  const lines = new RecordLines((bytes) => {
    keep(bytes);
    records?.push(bytes);
    splitter.push(bytes);
  });
  const reader = pack.createReader(new Map(Object.entries(settings)), {
    lines,
    finding(finding) {
      if (lines.isOpen) lines.finding(finding);
      if (lines.isOpen && finding.concernsFile !== true) return;
      if (finding.severity !== 'error') {
        if (!lines.isOpen) warnings.add(damageOf(finding));
      } else if (damage.length < damageMax) damage.push(damageOf(finding));
      else leftOut++;
    },
  });
  return {
    push: (bytes) => reader.push(bytes),
    end(): SplitResult {
      reader.end();
      lines.flush();
      const split = splitter.end();
      const last = damage.at(-1);
      if (last !== undefined && leftOut > 0) damage[damage.length - 1] = { ...last, message: `${last.message} (and ${leftOut} more)` };
      const all = [...damage, ...split.damage];
      const recordsSha256 = records?.end() ?? null;
      return { ...split, damage: all, warnings: warnings.toGroups(), recordsSha256: all.length > 0 ? null : recordsSha256 };
    },
  };
}

/** `offset` is one of the file as received. */
function damageOf(finding: PackFinding): Finding {
  const { code, offset, field, rule } = finding;
  return { record: 0, offset, code, field, rule, message: placedMessage(finding, field) };
}

const nothing: SplitResult = { chunks: [], records: 0, blankLines: 0, comments: 0, spans: [], damage: [] };
/** Where the lines are not split, or later. */
export const noSplitter: Splitter = { push() {}, end: () => nothing };
