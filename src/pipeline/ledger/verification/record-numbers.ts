/** The numbers of records as a job knows them: records that are sent again keep those that they had in the file that they came in. */
import type { Finding } from '../../engine/chunk.ts';
import type { ReferenceRecord } from '../../engine/reference/reference-run.ts';
import type { Receipt } from '../receipt.ts';

export class RecordNumbers {
  readonly #receipt: Receipt;
  #chunk = -1;
  #taken = 0;

  constructor(receipt: Receipt) {
    this.#receipt = receipt;
  }

  /** Records come in file order; `chunk` is the place of theirs among the receipt's chunks. */
  take(read: ReferenceRecord, chunk: number): ReferenceRecord {
    if (this.#receipt.job.redrive === undefined) return read;
    if (chunk !== this.#chunk) [this.#chunk, this.#taken] = [chunk, 0];
    const record = this.#receipt.chunks[chunk]!.firstRecord + this.#taken++;
    const place = (finding: Finding): Finding => ({ ...finding, record });
    return { ...read, record, findings: read.findings.map(place), warnings: read.warnings.map(place) };
  }
}
