/**
 * The text of an armored message as it comes: one armor, with nothing behind it, because readers pass over a second one without
 * a word. It comes in whole lines, many at a time: the library misreads an armor that is cut into a few characters.
 */
import { UnpackError } from './unpack-problem.ts';

const begin = '-----BEGIN ';
const beginMessage = `${begin}PGP MESSAGE-----`;
const end = '-----END PGP MESSAGE-----';
const textMin = 16 * 1024;
/** Lines of an armor have 76 characters; what has none is no armor, and is not kept until one comes. */
const lineMax = 64 * 1024;

/** Fails with an UnpackError. */
export async function* armorText(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let begins = 0;
  let isMessage = false;
  let before = '';
  let held = '';
  for await (const piece of pieces) {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1');
    held += text;
    if (!isMessage) isMessage = beginsMessage(held);
    begins += (before + text).split(begin).length - 1;
    if (begins > 1) throw new UnpackError('integrity', 'there is more than one OpenPGP message');
    before = (before + text).slice(-(begin.length - 1));
    // As much stays for the last time.
    const lineEnd = held.lastIndexOf('\n', held.length - textMin) + 1;
    if (held.length - lineEnd > textMin + lineMax) throw noMessage();
    if (lineEnd < textMin) continue;
    yield held.slice(0, lineEnd);
    held = held.slice(lineEnd);
  }
  if (!isMessage) throw noMessage();
  if (!held.trimEnd().endsWith(end))
    throw new UnpackError('integrity', 'the OpenPGP message is cut off, or there is something behind its end');
  yield held;
}

/** False: not enough of it is there yet. Signed text, a signature of its own, a key and text before the armor are no message. */
function beginsMessage(text: string): boolean {
  if (text.length < beginMessage.length) return false;
  if (!text.startsWith(beginMessage)) throw noMessage();
  return true;
}

function noMessage(): UnpackError {
  return new UnpackError('message', 'the file is no OpenPGP message, as its source says that it is');
}
