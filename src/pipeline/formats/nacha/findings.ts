/** Hands findings on, with the severity that the settings give their rule, and counts those that refuse the file. */
import type { PackSink } from '../pack.ts';
import type { RecordLayout } from './field-layouts.ts';
import { nachaErrors } from './nacha-errors.ts';
import { type NachaRuleId, nachaRules } from './nacha-rules.ts';
import type { NachaSettings } from './nacha-settings.ts';

/** Where a record is. */
export interface RecordPlace {
  readonly line: number;
  /** In the file, of the first byte of the line. */
  readonly offset: number;
  /** Bytes of it in the file: fewer than its columns where its end was cut. */
  readonly length: number;
  /** Null: it is not known. */
  readonly layout: RecordLayout | null;
  /** 0-based columns of characters that took two bytes in the file. */
  readonly wideColumns: readonly number[];
}

export class Findings {
  /** Findings so far that refuse the file. */
  errors = 0;
  /** A declared count or total differs from that of the records, whatever the settings make of it. */
  isUnbalanced = false;
  readonly #severities: NachaSettings['severities'];
  readonly #sink: PackSink;

  constructor(severities: NachaSettings['severities'], sink: PackSink) {
    this.#severities = severities;
    this.#sink = sink;
  }

  /** Of a field of the record's layout, or of part of one: 0-based column in the record and length. */
  field(rule: NachaRuleId, place: RecordPlace, name: string, message: string, part?: readonly [at: number, length: number]): void {
    const field = place.layout?.fields.find((candidate) => candidate.name === name);
    const [at, length] = part ?? [field!.at, field!.length];
    const first = at + widened(place, at);
    this.#hand(rule, place, [first + 1, at + length + widened(place, at + length)], name, message);
  }

  record(rule: NachaRuleId, place: RecordPlace, message: string): void {
    this.#hand(rule, place, null, null, message);
  }

  #hand(rule: NachaRuleId, place: RecordPlace, columns: [number, number] | null, field: string | null, message: string): void {
    const severity = this.#severities.get(rule);
    if (nachaRules[rule].code === nachaErrors.E_NACHA_TOTAL && rule !== 'block-count') this.isUnbalanced = true;
    if (severity === undefined) return;
    if (severity === 'error') this.errors++;
    this.#sink.finding({
      code: nachaRules[rule].code,
      severity,
      line: place.line,
      columns,
      offset: place.offset + (columns === null ? 0 : Math.min(columns[0] - 1, place.length)),
      record: place.layout?.name ?? null,
      field,
      rule,
      message,
    });
  }
}

/** How many bytes more than columns there are before a column. */
function widened({ wideColumns }: RecordPlace, column: number): number {
  let bytes = 0;
  while (bytes < wideColumns.length && wideColumns[bytes]! < column) bytes++;
  return bytes;
}
