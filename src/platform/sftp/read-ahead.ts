/**
 * Reads a remote file from a position to its end with many requests under way, and gives its pieces in order. Answers that
 * are shorter than asked for are completed, and smaller pieces asked for from then on.
 */
import { readBytesMax, type SftpFile } from './sftp-session.ts';

const piecesAhead = 16;

interface Piece {
  readonly position: number;
  readonly bytes: number;
  readonly data: Promise<Buffer | null>;
}

export interface ReadAheadOptions {
  readonly from: number;
  readonly sizeBytes: number;
  /** Asked for the failure where the file is shorter or longer than it was said to be. */
  readonly onOtherSize: () => Error;
}

/** Fails with what `onOtherSize` gives, and with the session's failures. */
export async function* readAhead(file: SftpFile, { from, sizeBytes, onOtherSize }: ReadAheadOptions): AsyncGenerator<Buffer> {
  const pieces: Piece[] = [];
  let pieceBytes = readBytesMax;
  let asked = from;
  const ask = (position: number, bytes: number): Piece => {
    const data = file.read(position, bytes);
    // Awaited in order; one that fails while an earlier one is awaited is not forgotten by that.
    data.catch(() => {});
    return { position, bytes, data };
  };
  // The last one lies behind the end, and must find nothing.
  const isAllAsked = () => asked > sizeBytes;
  while (!isAllAsked() || pieces.length > 0) {
    while (!isAllAsked() && pieces.length < piecesAhead) {
      const bytes = asked === sizeBytes ? 1 : Math.min(pieceBytes, sizeBytes - asked);
      pieces.push(ask(asked, bytes));
      asked += bytes;
    }
    const { position, bytes, data } = pieces.shift()!;
    const read = await data;
    if (position === sizeBytes) {
      if (read !== null) throw onOtherSize();
      return;
    }
    if (read === null) throw onOtherSize();
    yield read;
    if (read.length === bytes) continue;
    pieceBytes = read.length;
    pieces.unshift(ask(position + read.length, bytes - read.length));
  }
}
