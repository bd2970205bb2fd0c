/** The setting `characters`: texts within the sets that payment schemes agree on, narrower than what XML allows. */
import { ValueProblem } from './values/value-problem.ts';

export type TextCheck = (bytes: Buffer, length: number) => ValueProblem | null;

/** EPC217-08: letters, digits, `/ - ? : ( ) . , ' +` and space. */
const latin = new Uint8Array(256).map((_, byte) => (byte < 0x80 && /[A-Za-z0-9/?:().,'+ -]/.test(String.fromCharCode(byte)) ? 1 : 0));

const problem = new ValueProblem('business', 'characters', 'a character that is not in the set of the setting');

/** Null: any character of XML may be there. */
export function textCheck(characters: string | boolean | number | null): TextCheck | null {
  if (characters !== 'latin') return null;
  return (bytes, length) => {
    for (let at = 0; at < length; at++) if (latin[bytes[at]!] === 0) return problem;
    return null;
  };
}
