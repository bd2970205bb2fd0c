/**
 * Follows the frames of a zstd file (RFC 8878, 3.1) by their headers, without unpacking them: a decoder takes the first bytes
 * of a frame that never comes for the end of the file, so whether the file ends where a frame does is told here.
 */
const zstdMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const rleBlock = 1;

type Field = 'magic' | 'descriptor' | 'block' | 'skippable-size';
const fieldBytes: Readonly<Record<Field, number>> = { magic: 4, descriptor: 1, block: 3, 'skippable-size': 4 };

export class ZstdFrames {
  #field: Field = 'magic';
  /** Of the field, little-endian. */
  #value = 0;
  #valueBytes = 0;
  /** Before the field. */
  #skipBytes = 0;
  #checksumBytes = 0;
  #isOther = false;

  /** In order. Behind what is no frame, nothing is followed. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isOther; ) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, bytes.length - at);
        this.#skipBytes -= skipped;
        at += skipped;
        continue;
      }
      this.#value += bytes[at]! * 256 ** this.#valueBytes;
      this.#valueBytes += 1;
      at += 1;
      if (this.#valueBytes === fieldBytes[this.#field]) this.#take();
    }
  }

  /** The bytes so far are whole frames, none is begun. */
  get areWhole(): boolean {
    return !this.#isOther && this.#field === 'magic' && this.#valueBytes === 0 && this.#skipBytes === 0;
  }

  #take(): void {
    const value = this.#value;
    this.#value = 0;
    this.#valueBytes = 0;
    switch (this.#field) {
      case 'magic':
        if (value === zstdMagic) this.#next('descriptor', 0);
        else if (value >= skippableMagic && value <= skippableMagic + 15) this.#next('skippable-size', 0);
        else this.#isOther = true;
        return;
      case 'skippable-size':
        this.#next('magic', value);
        return;
      case 'descriptor':
        this.#checksumBytes = value & 0b100 ? 4 : 0;
        this.#next('block', restOfHeader(value));
        return;
      case 'block': {
        const isLast = (value & 1) === 1;
        const contentBytes = ((value >> 1) & 0b11) === rleBlock ? 1 : value >> 3;
        this.#next(isLast ? 'magic' : 'block', contentBytes + (isLast ? this.#checksumBytes : 0));
        return;
      }
    }
  }

  #next(field: Field, skipBytes: number): void {
    this.#field = field;
    this.#skipBytes = skipBytes;
  }
}

/** Bytes of the window descriptor, the dictionary's id and the size of the content. */
function restOfHeader(descriptor: number): number {
  const isSingleSegment = (descriptor & 0b10_0000) !== 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  return (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 0b11]! + sizeBytes;
}
