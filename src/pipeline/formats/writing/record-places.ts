/**
 * Where the records of a file of lines come from in the document, so that a finding about a line can be told with its JSON
 * pointer. Keeps what may still be spoken of: the records since the file was read back last, and a few before.
 */
interface Place {
  readonly line: number;
  readonly pointer: string;
}

export class RecordPlaces {
  readonly #places: Place[] = [];
  /** Of the next record, from 1. */
  #line = 1;

  /** The next lines are a record that comes from `pointer`. */
  add(pointer: string, lines: number): void {
    this.#places.push({ line: this.#line, pointer });
    this.#line += lines;
  }

  /** What was written has been read back, and of it only the last records may still be spoken of. */
  keepLast(records: number): void {
    if (this.#places.length > records) this.#places.splice(0, this.#places.length - records);
  }

  /** The empty pointer where the line is of no record that is kept. */
  pointerOf(line: number): string {
    return this.#places.findLast((place) => place.line <= line)?.pointer ?? '';
  }
}
