/**
 * Remembers what lies between the records of a document: line ends, and whatever else a file has there. So that a writer
 * can give a file its bytes again. Bounded: of longer gaps nothing is kept.
 */

/** Of one gap; the trailer of a file, which is one too, has at most nine records of filler where it is as it should be. */
export const gapBytesMax = 4_096;

export class RecordGaps {
  /** In the file, of the first byte after the last record of the document. */
  #end = 0;
  /** What was read from there in pieces before the present one, up to the bound for a gap and a record. */
  #held: Buffer = Buffer.alloc(0);
  #piece: Buffer = Buffer.alloc(0);
  #pieceOffset = 0;

  /** Before the records of a piece are taken. */
  begin(piece: Uint8Array): void {
    this.#piece = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  }

  /** When they were taken: the piece may be written over after that. */
  endPiece(): void {
    const next = this.#pieceOffset + this.#piece.length;
    const fresh = this.#piece.subarray(Math.max(0, this.#end - this.#pieceOffset));
    const room = gapBytesMax + 1 - this.#held.length;
    if (room > 0 && fresh.length > 0) this.#held = Buffer.concat([this.#held, fresh.subarray(0, room)]);
    this.#pieceOffset = next;
    this.#piece = Buffer.alloc(0);
  }

  /** What lies before a record; null: more than is kept. The gap after that begins behind the record. */
  take(record: { readonly offset: number; readonly length: number }): string | null {
    const text = this.#textTo(record.offset);
    this.#end = record.offset + record.length;
    this.#held = Buffer.alloc(0);
    return text;
  }

  /** What lies behind the last record, when all pieces were read. */
  rest(): string | null {
    return this.#textTo(this.#pieceOffset);
  }

  #textTo(offset: number): string | null {
    const length = offset - this.#end;
    if (length > gapBytesMax) return null;
    const held = this.#held.subarray(0, length);
    const from = Math.max(this.#end, this.#pieceOffset) - this.#pieceOffset;
    const rest = this.#piece.subarray(from, Math.max(from, offset - this.#pieceOffset));
    // A character may lie in both.
    return (held.length === 0 ? rest : Buffer.concat([held, rest])).toString();
  }
}
