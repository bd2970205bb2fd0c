/**
 * What a pack writes is read back by its own reader while it is written, so that no file leaves that the reader would refuse:
 * totals, balances, lengths and codes are judged in one place. Bytes that were given before a refusal are no file.
 */
import { Buffer } from 'node:buffer';
import type { PackReader, PackSink, PackSummary, PackWritten } from '../pack.ts';
import type { PackFinding } from '../pack-finding.ts';
import { refusalAt } from './document-values.ts';

/** Text is collected to pieces of about this many characters: more than a reader waits for before it looks at its first line. */
const pieceLength = 64 * 1024;
/** Warnings that are kept. */
const warningsMax = 1_000;

export interface CheckedOutputParts {
  createReader(sink: PackSink): PackReader;
  /** Of refusals. */
  readonly code: string;
  /** Where in the document what a finding speaks of comes from: a JSON pointer (RFC 6901). */
  pointerOf(finding: PackFinding): string;
  /** A piece of the file that was read back; valid until the call returns. */
  bytes(piece: Uint8Array): void;
  /** Of what was written so far only the last record may still be spoken of. */
  readBack?(): void;
}

export class CheckedOutput {
  readonly #parts: CheckedOutputParts;
  readonly #reader: PackReader;
  readonly #warnings: PackFinding[] = [];
  #refusal: PackFinding | null = null;
  #text = '';

  constructor(parts: CheckedOutputParts) {
    this.#parts = parts;
    this.#reader = parts.createReader({
      finding: (finding) => {
        if (finding.severity === 'error') this.#refusal ??= finding;
        else if (this.#warnings.length < warningsMax) this.#warnings.push(finding);
      },
    });
  }

  write(text: string): void {
    this.#text += text;
    if (this.#text.length <= pieceLength) return;
    this.#flush();
    this.#parts.readBack?.();
  }

  /** Gives what the reader says of the whole. */
  end(): PackWritten {
    this.#flush();
    const { records, amounts, controlTotals, details }: PackSummary = this.#reader.end();
    this.#stopIfRefused();
    return { records: records.read, amounts, details, controlTotals: controlTotals.declared, warnings: this.#warnings };
  }

  #flush(): void {
    if (this.#text === '') return;
    const piece = Buffer.from(this.#text);
    this.#text = '';
    this.#reader.push(piece);
    this.#stopIfRefused();
    this.#parts.bytes(piece);
  }

  #stopIfRefused(): void {
    if (this.#refusal === null) return;
    const { rule, message } = this.#refusal;
    throw refusalAt(this.#parts.code, this.#parts.pointerOf(this.#refusal), `${message} (rule ${rule})`);
  }
}
