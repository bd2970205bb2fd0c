/**
 * Field 86 for the document: free text, the structured form of German banks (a code of three digits, then parts that a sign
 * and two digits begin), or the form of Dutch banks (parts that a word between slashes begins). The bytes are left as they
 * are where no form is known for certain.
 */
export interface InformationPart {
  readonly [name: string]: string;
  readonly code: string;
  readonly text: string;
}

export interface Information {
  readonly [name: string]: string | null | readonly InformationPart[];
  /** `structured`, `tagged` or `free`. */
  readonly form: string;
  /** Of the structured form: the business transaction code. */
  readonly code: string | null;
  readonly parts: readonly InformationPart[];
  /** The lines as they are, with LF between them. */
  readonly text: string;
}

const structured = /^\s*(\d{3})([^A-Za-z0-9\s])(?=\d\d)/;
const tagged = /^\/[A-Z]{2,8}\//;
/** Words that banks agreed on; others between slashes are text. */
const tagWords =
  'ACCW|ACOR|ADDR|BENM|BIC|BUSP|CDTRREF|CDTRREFTP|CNTP|CREF|CSID|EREF|EXCH|IBAN|ID|INFO|INIT|ISDT|MARF|MREF|NAME|NRTX|OAMT|OCMT|ORDP|PREF|PREFIX|PURP|REMI|RTRN|SVCL|SVWZ|TRCD|TRTP|TRX|ULTB|ULTC|ULTD|ULTDBTR|USTD';
const tagWord = new RegExp(`/(${tagWords})/`, 'g');

/** `text`: the lines of the field, with LF between them. */
export function informationOf(text: string): Information {
  const joined = text.replaceAll('\n', '');
  const lead = structured.exec(joined);
  if (lead) return { form: 'structured', code: lead[1]!, parts: signParts(joined.slice(lead[0].length - lead[2]!.length), lead[2]!), text };
  const parts = tagged.test(text) ? wordParts(joined) : [];
  return { form: parts.length > 0 ? 'tagged' : 'free', code: null, parts, text };
}

function signParts(text: string, sign: string): InformationPart[] {
  const parts: { code: string; text: string }[] = [];
  for (const piece of text.split(sign).slice(1)) {
    const code = piece.slice(0, 2);
    if (/^\d\d$/.test(code)) parts.push({ code, text: piece.slice(2) });
    else if (parts.length > 0) parts.at(-1)!.text += sign + piece;
  }
  return parts;
}

function wordParts(text: string): InformationPart[] {
  const found = [...text.matchAll(tagWord)];
  // Neighbours share a slash, as in `/BENM//NAME/`, so an end is where the next begins.
  return found.map((match, index) => ({
    code: match[1]!,
    text: text.slice(match.index + match[0].length, found[index + 1]?.index ?? text.length).replace(/\/$/, ''),
  }));
}
