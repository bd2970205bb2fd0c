/** A document that is held as a whole, for writers of files that are small. Bounded. */
import { DocumentStream, type JsonValue } from './document-stream.ts';

export class WholeDocument {
  readonly #stream: DocumentStream;
  #value: JsonValue | null = null;

  /** A longer document is refused with `E_DOCUMENT_SIZE` as soon as it is. */
  constructor(bytesMax: number) {
    const take = (_: unknown, value: JsonValue): void => void (this.#value = value);
    this.#stream = new DocumentStream({ open: () => null, take }, { wholeBytesMax: bytesMax });
  }

  push(bytes: Uint8Array): void {
    this.#stream.push(bytes);
  }

  end(): JsonValue {
    this.#stream.end();
    return this.#value!;
  }
}
