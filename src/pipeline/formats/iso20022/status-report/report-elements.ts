/**
 * Elements of a status report as text. What is quoted of the original is often what was wrong with it: identifications are cut
 * to the length of their type, and numbers and dates that have no form are left out.
 */
import { Buffer } from 'node:buffer';
import { valueType } from '../values/value-types.ts';
import { escapeText, isXmlText } from '../writing/xml-escapes.ts';
import type { StatusTally } from './outcomes.ts';
import type { StatusReason } from './reason-codes.ts';

const identificationMax = 35;
const informationMax = 105;
/** Lines of additional information of a reason. */
const linesMax = 10;
/** Reasons of one status. */
const reasonsMax = 20;
/** What stands where the original has no identification. */
const notProvided = 'NOTPROVIDED';

export function element(tag: string, content: string): string {
  return `<${tag}>${content}</${tag}>\n`;
}

export function textElement(tag: string, text: string): string {
  return element(tag, escapeText(text));
}

/** Of at most 35 characters. */
export function identification(tag: string, text: string | null): string {
  const cut = [...cleaned((text ?? '').slice(0, identificationMax * 2))].slice(0, identificationMax).join('');
  return textElement(tag, cut === '' ? notProvided : cut);
}

export function optionalIdentification(tag: string, text: string | null): string {
  return text === null || text === '' ? '' : identification(tag, text);
}

/** Nothing where `text` is not of the type, such as `n15`. */
export function typedElement(tag: string, text: string | null, type: string): string {
  if (text === null || text.length > identificationMax * 2) return '';
  const bytes = Buffer.from(text);
  return valueType(type).check(bytes, 0, bytes.length) === null ? textElement(tag, text) : '';
}

export function reasonElements(reasons: readonly StatusReason[]): string {
  return reasons.slice(0, reasonsMax).map(reasonElement).join('');
}

function reasonElement({ code, information }: StatusReason): string {
  const lines = linesOf([...cleaned(information.slice(0, informationMax * linesMax * 2))]);
  return element('StsRsnInf', `\n<Rsn><Cd>${escapeText(code)}</Cd></Rsn>\n${lines.map((line) => textElement('AddtlInf', line)).join('')}`);
}

/** Cut behind a space where there is one: together they are the text. */
function linesOf(characters: readonly string[]): string[] {
  const lines: string[] = [];
  for (let at = 0; at < characters.length && lines.length < linesMax; ) {
    const full = characters.slice(at, at + informationMax);
    const isLast = at + informationMax >= characters.length;
    const line = isLast ? full : full.slice(0, full.lastIndexOf(' ') + 1 || informationMax);
    lines.push(line.join(''));
    at += line.length;
  }
  return lines;
}

export function countElements(tally: StatusTally): string {
  return tally.counts
    .map(([status, count]) => element('NbOfTxsPerSts', `<DtldNbOfTxs>${count}</DtldNbOfTxs><DtldSts>${status}</DtldSts>`))
    .join('');
}

/** A cut may leave half a character, and words of others may hold what XML does not have. */
function cleaned(text: string): string {
  return isXmlText(text) ? text : [...text].map((character) => (isXmlText(character) ? character : '?')).join('');
}
