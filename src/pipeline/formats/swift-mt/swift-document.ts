/**
 * The messages of a file as one JSON document, written as they are read. A message is an object; its entries or fields are
 * a list in it, of which one element is held at a time. Values that come again, or when the list is open, wait in a bounded
 * list for the end of the message.
 */
import type { PackSink } from '../pack.ts';
import { JsonPieces, type JsonValue } from '../statements/json-pieces.ts';

const depths = { file: 1, messages: 2, message: 3, list: 4 } as const;
const laterMax = 1_000;

export class SwiftDocument {
  readonly #json: JsonPieces | null;
  #names = new Set<string>();
  #lists = new Map<string, JsonValue[]>();

  constructor(parsed: PackSink['parsed']) {
    this.#json = parsed === undefined ? null : new JsonPieces(parsed);
    this.#json?.open(null, 'object');
    this.#json?.open('messages', 'list');
  }

  get isWanted(): boolean {
    return this.#json !== null;
  }

  openMessage(headers: Readonly<Record<string, string | null>>): void {
    const json = this.#json;
    if (json === null) return;
    this.closeMessage();
    json.open(null, 'object');
    for (const [name, value] of Object.entries(headers)) this.value(name, value);
  }

  /** Once by a name; a second one goes to `otherFields`. */
  value(name: string, value: JsonValue): void {
    const json = this.#json;
    if (json === null || json.depth < depths.message) return;
    if (this.#names.has(name)) {
      this.later('otherFields', { name, value });
      return;
    }
    this.#names.add(name);
    json.closeTo(depths.message);
    json.value(name, value);
  }

  /** An element of a list of the message, which is written at its end. */
  later(list: string, value: JsonValue): void {
    if (this.#json === null || this.#json.depth < depths.message) return;
    let values = this.#lists.get(list);
    if (values === undefined) this.#lists.set(list, (values = []));
    if (values.length < laterMax) values.push(value);
  }

  /** An element of the one list of the message that is written as it comes. */
  element(list: string, value: JsonValue): void {
    const json = this.#json;
    if (json === null || json.depth < depths.message) return;
    if (json.depth !== depths.list) {
      if (this.#names.has(list)) {
        this.later('otherFields', { name: list, value });
        return;
      }
      this.#names.add(list);
      json.open(list, 'list');
    }
    json.value(null, value);
  }

  closeMessage(): void {
    const json = this.#json;
    if (json === null || json.depth < depths.message) return;
    json.closeTo(depths.message);
    for (const [name, values] of this.#lists) json.value(name, values);
    json.closeTo(depths.messages);
    this.#names = new Set();
    this.#lists = new Map();
  }

  end(): void {
    this.closeMessage();
    this.#json?.closeTo(0);
  }
}
