/** The names of output files: a template of the flow, filled with values that are cut down to plain file name characters. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { BodyPlan } from '../../engine/plan.ts';
import type { OutgoingBatch } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';

export const fileNameTemplate = '{flow}-{target}-{number}.{extension}';
const extensions: Record<BodyPlan['format'], string> = { ndjson: 'ndjson', csv: 'csv', 'fixed-width': 'txt' };
/** What Linux file systems take, less room for the temporary file's name. */
const nameBytesMax = 200;

export interface FileNameParts {
  readonly targetId: string;
  readonly format: BodyPlan['format'];
  readonly batch: Pick<OutgoingBatch, 'flowName' | 'fileName' | 'jobIds' | 'cutAt' | 'number'>;
}

/** The same for every attempt of a batch; never hidden. Fails with E_TARGET when nothing usable is left. */
export function fileNameOf(template: string, { targetId, format, batch }: FileNameParts): string {
  const values: Record<string, string> = {
    flow: batch.flowName,
    target: targetId,
    file: batch.fileName,
    job: batch.jobIds[0] ?? '',
    date: batch.cutAt.toISOString().slice(0, 10).replaceAll('-', ''),
    number: batch.number,
    extension: extensions[format],
  };
  const name = template.replace(/\{([a-z]+)\}/g, (_, key: string) => {
    if (!Object.hasOwn(values, key)) throw new HeadgateError(connectorErrors.E_TARGET, `the name of the target holds an unknown {${key}}`);
    return plainText(values[key]!);
  });
  const usable = name.replace(/^\.+/, '');
  const isPlain = usable !== '' && !/[/\\\p{Cc}]/u.test(usable) && Buffer.byteLength(usable) <= nameBytesMax;
  if (!isPlain) throw new HeadgateError(connectorErrors.E_TARGET, 'the name of the target makes no usable file name');
  return usable;
}

/** Names of files come from senders: what is not a letter, digit, dot, hyphen or underscore becomes a hyphen. */
function plainText(text: string): string {
  return text.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 100);
}
