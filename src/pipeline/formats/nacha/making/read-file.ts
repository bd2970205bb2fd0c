/** Reads an ACH file that another one is made of: what the reader refuses, with its settings, is refused, with the line. */
import type { PackFinding } from '../../pack-finding.ts';
import { NachaReader } from '../nacha-reader.ts';
import type { NachaSettings } from '../nacha-settings.ts';
import type { RecordTaker } from '../record-taker.ts';
import { type Place, refuse } from '../writing/document-values.ts';

/** A line of a file, in place of a pointer. */
export class FilePlace implements Place {
  readonly #name: string;
  readonly #line: number;
  readonly #field: string | null;

  constructor(name: string, line: number, field: string | null = null) {
    this.#name = name;
    this.#line = line;
    this.#field = field;
  }

  pointer(): string {
    return `${this.#name}, line ${this.#line}${this.#field === null ? '' : `, ${this.#field}`}`;
  }
}

export class ReadFile {
  readonly name: string;
  readonly #reader: NachaReader;
  #refused: PackFinding | null = null;

  /** `isFaulty`: errors are let pass; records that can be taken are. */
  constructor(name: string, settings: NachaSettings, taker: RecordTaker, { isFaulty = false } = {}) {
    this.name = name;
    const finding = (found: PackFinding): void => {
      if (found.severity === 'error' && !isFaulty) this.#refused ??= found;
    };
    this.#reader = new NachaReader(settings, { finding }, taker);
  }

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    this.#refuseFound();
  }

  end(): void {
    this.#reader.end();
    this.#refuseFound();
  }

  #refuseFound(): void {
    if (this.#refused === null) return;
    const { line, field, message, rule, code } = this.#refused;
    throw refuse(new FilePlace(this.name, line, field), `${message} (${rule})`, code);
  }
}
