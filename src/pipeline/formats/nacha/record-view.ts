/**
 * One record while it is looked at: 94 bytes, one for each character, somewhere in a buffer that others own. The same view is
 * moved from record to record; nothing of it may be kept.
 */
import { type FieldLayout, type RecordLayout, recordLength } from './field-layouts.ts';
import type { RecordPlace } from './findings.ts';

const zero = 0x30;
const space = 0x20;

export class RecordView implements RecordPlace {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  line = 0;
  offset = 0;
  length = recordLength;
  layout: RecordLayout | null = null;
  wideColumns: readonly number[] = [];
  /** As in the file, where `bytes` are a copy in which numbers were made readable; else null. */
  original: Buffer | null = null;
  /** Names of numeric fields that hold no number; their digits are zeros. */
  unreadable: readonly string[] = [];

  byte(column: number): number {
    return this.bytes[this.at + column]!;
  }

  /** Up to 15 digits. */
  number(column: number, length: number): number {
    let value = 0;
    const end = this.at + column + length;
    for (let index = this.at + column; index < end; index++) value = value * 10 + (this.bytes[index]! - zero);
    return value;
  }

  bigNumber(column: number, length: number): bigint {
    return BigInt(this.text(column, length));
  }

  text(column: number, length: number): string {
    return this.bytes.toString('latin1', this.at + column, this.at + column + length);
  }

  field(name: string): FieldLayout {
    return this.layout!.fields.find((field) => field.name === name)!;
  }

  fieldText(name: string): string {
    const { at, length } = this.field(name);
    return this.text(at, length);
  }

  fieldNumber(name: string): number {
    const { at, length } = this.field(name);
    return this.number(at, length);
  }

  isBlank(column: number, length: number): boolean {
    const end = this.at + column + length;
    for (let index = this.at + column; index < end; index++) if (this.bytes[index] !== space) return false;
    return true;
  }

  /** The 94 characters, as in the file. */
  originalText(): string {
    return this.original === null ? this.text(0, recordLength) : this.original.toString('latin1', 0, recordLength);
  }

  /** Spaces and zeros only. */
  isNothing(column: number, length: number): boolean {
    const end = this.at + column + length;
    for (let index = this.at + column; index < end; index++) {
      const byte = this.bytes[index];
      if (byte !== space && byte !== zero) return false;
    }
    return true;
  }

  isReadable(name: string): boolean {
    return !this.unreadable.includes(name);
  }
}
