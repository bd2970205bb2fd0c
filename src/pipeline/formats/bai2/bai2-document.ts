/**
 * The content of a BAI2 file as one JSON document, written as it is read: the file header, groups with their header and
 * accounts, accounts with their summaries and details, and the trailers. What is out of order in the file is left out.
 */
import type { PackSink } from '../pack.ts';
import { JsonPieces } from '../statements/json-pieces.ts';
import type { FieldValues } from './record-fields.ts';

/** How deep the lists and objects lie: the file, its groups, one group, its accounts, one account, its details. */
const depths = { file: 1, group: 3, account: 5, details: 6 } as const;

export class Bai2Document {
  readonly #json: JsonPieces | null;

  constructor(parsed: PackSink['parsed']) {
    this.#json = parsed === undefined ? null : new JsonPieces(parsed);
    this.#json?.open(null, 'object');
  }

  /** Where a record puts its values; null: nobody wants them. */
  values(): FieldValues | null {
    return this.#json === null ? null : {};
  }

  fileHeader(values: FieldValues | null): void {
    this.#json?.value('fileHeader', values);
  }

  openGroup(header: FieldValues | null): void {
    const json = this.#json;
    if (json === null) return;
    if (json.depth < depths.group - 1) json.open('groups', 'list');
    json.open(null, 'object');
    json.value('groupHeader', header);
    json.open('accounts', 'list');
  }

  closeGroup(trailer: FieldValues | null): void {
    const json = this.#json;
    if (json === null) return;
    json.closeTo(depths.group);
    if (trailer !== null) json.value('trailer', trailer);
    json.closeTo(depths.group - 1);
  }

  openAccount(values: FieldValues | null): void {
    const json = this.#json;
    if (json === null) return;
    json.open(null, 'object');
    for (const [name, value] of Object.entries(values ?? {})) json.value(name, value);
    json.open('details', 'list');
  }

  detail(values: FieldValues | null): void {
    if (this.#json?.depth === depths.details) this.#json.value(null, values);
  }

  closeAccount(trailer: FieldValues | null): void {
    const json = this.#json;
    if (json === null) return;
    json.closeTo(depths.account);
    if (trailer !== null) json.value('trailer', trailer);
    json.closeTo(depths.account - 1);
  }

  fileTrailer(values: FieldValues | null): void {
    this.#json?.closeTo(depths.file);
    this.#json?.value('fileTrailer', values);
  }

  end(): void {
    this.#json?.closeTo(0);
  }
}
