/**
 * What a pack writes is read back by its own reader while it is written, so that no file leaves that the reader would refuse:
 * totals, balances, lengths and codes are judged in one place. Bytes that were given before a refusal are no file.
 */
import { Buffer } from 'node:buffer';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Pack, PackFinding, PackSettings, PackSummary } from '../pack.ts';

/** The text of a file in pieces, and where in the document what a finding speaks of comes from. */
export interface WrittenText {
  pieces(): Iterable<string>;
  /** JSON pointer (RFC 6901). */
  pointerOf(finding: PackFinding): string;
}

export interface CheckedWriting {
  readonly pack: Pick<Pack, 'createReader'>;
  readonly settings: PackSettings;
  /** Of refusals. */
  readonly code: string;
  /** Gets findings that refuse nothing. */
  readonly warned?: ((finding: PackFinding) => void) | undefined;
}

/**
 * Gives the bytes of the file, and at the end what the reader says of it. Throws a HeadgateError with `code` at the first
 * finding that would refuse the file; its message begins with the JSON pointer.
 */
export function* writeChecked(text: WrittenText, { pack, settings, code, warned }: CheckedWriting): Generator<Buffer, PackSummary> {
  let refusal: PackFinding | null = null;
  const reader = pack.createReader(settings, {
    finding(finding) {
      if (finding.severity === 'error') refusal ??= finding;
      else warned?.(finding);
    },
  });
  const stopIfRefused = (): void => {
    if (refusal !== null) throw refusalAt(code, text.pointerOf(refusal), `${refusal.message} (rule ${refusal.rule})`);
  };
  for (const piece of text.pieces()) {
    const bytes = Buffer.from(piece);
    reader.push(bytes);
    stopIfRefused();
    yield bytes;
  }
  const summary = reader.end();
  stopIfRefused();
  return summary;
}

/** `pointer` is the JSON pointer of the place; the document as a whole is the empty one. */
export function refusalAt(code: string, pointer: string, message: string): HeadgateError {
  return new HeadgateError(code, `${pointer === '' ? 'the document' : pointer}: ${message}`);
}
