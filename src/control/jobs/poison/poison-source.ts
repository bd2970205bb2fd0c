/**
 * Lets the rest of a file be read when a record of it ended the worker: the record's bytes are shown as bytes that no
 * text holds, so that the engine rejects it unread, as the record that it is; its finding is then named E_POISON.
 */

import type { ChunkSummary, Finding } from '../../../pipeline/engine/chunk.ts';
import { FindingGroups } from '../../../pipeline/engine/finding-groups.ts';
import type { FormatPlan } from '../../../pipeline/engine/plan.ts';
import { poisonMessage } from '../../../pipeline/ledger/rejection-lines.ts';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import type { PoisonRecord } from '../groups/group-run.ts';
import { jobErrors } from '../job-errors.ts';

/** No byte of UTF-8. */
const notUtf8 = 0xff;
/** NUL, which no text may hold and no packed decimal ends with; every byte of a code page but this one may be a character. */
const nul = 0;

export function withoutPoison(source: ByteSource, poison: readonly PoisonRecord[], format: FormatPlan): ByteSource {
  const unreadable = format.type === 'json-lines' || format.encoding === undefined ? notUtf8 : nul;
  return {
    size: source.size,
    read(into, at, length, position) {
      const count = source.read(into, at, length, position);
      for (const { offset, length: recordLength } of poison) {
        const start = Math.max(offset, position);
        const end = Math.min(offset + recordLength, position + count);
        if (start < end) into.fill(unreadable, at + start - position, at + end - position);
      }
      return count;
    },
  };
}

/** Renames the findings of poison records, one by one and in the summary's groups. */
export class PoisonFindings {
  readonly #offsets: ReadonlySet<number>;
  readonly #groups = new FindingGroups();

  constructor(poison: readonly PoisonRecord[]) {
    this.#offsets = new Set(poison.map((record) => record.offset));
  }

  take(finding: Finding): Finding {
    if (this.#offsets.size === 0) return finding;
    const taken = this.#offsets.has(finding.offset) ? { ...finding, code: jobErrors.E_POISON, message: poisonMessage } : finding;
    this.#groups.add(taken);
    return taken;
  }

  correct(summary: ChunkSummary): ChunkSummary {
    return this.#offsets.size === 0 ? summary : { ...summary, errors: this.#groups.toGroups() };
  }
}
