/** Writes messages for tests, and says what a refusal says. */
import { Buffer } from 'node:buffer';
import { HeadgateError } from '../../../../platform/base/errors.ts';
import type { PackSummary } from '../../pack.ts';
import { writeChecked } from '../../writing/checked-writing.ts';
import { iso20022Errors } from '../iso20022-errors.ts';
import { iso20022Pack } from '../iso20022-pack.ts';
import { MessageText } from './message-text.ts';

export interface Written {
  readonly text: string;
  readonly summary: PackSummary;
}

/** `document`: as an object. */
export function writeMessage(document: unknown, options: Readonly<Record<string, string>> = {}): Written {
  const settings = new Map(iso20022Pack.settings.map(({ name, default: value }) => [name, options[name] ?? value]));
  const writing = writeChecked(new MessageText(document), { pack: iso20022Pack, settings, code: iso20022Errors.E_ISO20022_DOCUMENT });
  const pieces: Buffer[] = [];
  for (;;) {
    const next = writing.next();
    if (next.done) return { text: Buffer.concat(pieces).toString(), summary: next.value };
    pieces.push(next.value);
  }
}

/** Code and message of the refusal; null: it is written. */
export function refusalOf(document: unknown): readonly [code: string, message: string] | null {
  try {
    writeMessage(document);
    return null;
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return [error.code, error.message];
  }
}
