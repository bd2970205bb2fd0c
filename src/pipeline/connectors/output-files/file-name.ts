/** The names of output files, and what the placeholders of names and lines stand for in one batch. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { BodyPlan } from '../../engine/plan.ts';
import type { OutgoingBatch } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { fillTemplate } from './file-template.ts';

export const fileNameTemplate = '{flow}-{target}-{number}.{extension}';
const extensions: Record<BodyPlan['format'], string> = { ndjson: 'ndjson', csv: 'csv', 'fixed-width': 'txt' };
/** What Linux file systems take, less room for the temporary file's name. */
const nameBytesMax = 200;
/** Of what stands for one placeholder, so that no name of a sender's file fills up a name of ours. */
const textBytesMax = 100;
const plainAlready = /^[A-Za-z0-9._-]{0,100}$/;

export interface FileNameParts {
  readonly targetId: string;
  readonly format: BodyPlan['format'];
  readonly isEncrypted: boolean;
  readonly batch: Pick<OutgoingBatch, 'flowName' | 'fileName' | 'jobIds' | 'cutAt' | 'number' | 'sequence' | 'part'>;
}

/** The same for every attempt of a batch; never hidden. Fails with E_TARGET when nothing usable is left. */
export function fileNameOf(template: string, parts: FileNameParts): string {
  const { sequence, part } = parts.batch;
  // A part of a file has its number; in names they are told apart. A width is that of the number alone.
  const ofPart = part === '' || sequence === null ? template : template.replace(/\{sequence(:\d+)?\}/g, (whole) => `${whole}-${part}`);
  const name = fillTemplate(ofPart, { texts: templateTexts(ofPart, parts), amounts: {}, widthsOf: 'characters' });
  const usable = name.replace(/^\.+/, '');
  const isPlain = usable !== '' && !/[/\\\p{Cc}]/u.test(usable) && Buffer.byteLength(usable) <= nameBytesMax;
  if (!isPlain) throw new HeadgateError(connectorErrors.E_TARGET, 'the name of the target makes no usable file name');
  return usable;
}

/** All but `count` and totals, of those that `template` names. */
export function templateTexts(template: string, { targetId, format, isEncrypted, batch }: FileNameParts): Readonly<Record<string, string>> {
  const texts: Record<string, () => string> = {
    flow: () => batch.flowName,
    target: () => targetId,
    file: () => batch.fileName,
    job: () => batch.jobIds[0] ?? '',
    date: () => batch.cutAt.toISOString().slice(0, 10).replaceAll('-', ''),
    time: () => batch.cutAt.toISOString().slice(11, 19).replaceAll(':', ''),
    number: () => batch.number,
    extension: () => (isEncrypted ? `${extensions[format]}.pgp` : extensions[format]),
    ...(batch.sequence === null ? {} : { sequence: () => String(batch.sequence) }),
  };
  const named = Object.entries(texts).filter(([name]) => template.includes(`{${name}`));
  return Object.fromEntries(named.map(([name, text]) => [name, plainText(text())]));
}

/** Names of files come from senders: what is not a letter, digit, dot, hyphen or underscore becomes a hyphen. */
function plainText(text: string): string {
  if (plainAlready.test(text)) return text;
  const plain = text.replace(/[^\p{L}\p{N}._-]+/gu, '-');
  // Whole characters only.
  const { read } = new TextEncoder().encodeInto(plain, new Uint8Array(textBytesMax));
  return plain.slice(0, read);
}
