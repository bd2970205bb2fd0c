/** Settings that all targets have that hold files, and of the keys that files are encrypted with. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { ConnectorSetting } from '../connector-settings.ts';
import { fileNameTemplate } from './file-name.ts';

export const outputFileSettings: readonly ConnectorSetting[] = [
  {
    name: 'name',
    type: 'text',
    default: fileNameTemplate,
    description:
      'Name of a file: {flow}, {target}, {file}, {job}, {date}, {time} (UTC), {number}, {sequence} and {extension} are replaced.',
  },
  {
    name: 'headerLines',
    type: 'texts',
    default: null,
    description:
      'Lines before the records: placeholders of names, {count}, {sum.field}, {minorUnits.field}, each with a width such as {count:9}.',
  },
  { name: 'trailerLines', type: 'texts', default: null, description: 'Lines behind the records, with the same placeholders.' },
  {
    name: 'encrypt',
    type: 'boolean',
    default: false,
    description: "Files are OpenPGP messages to the connection's pgpRecipients; {extension} ends with .pgp.",
  },
  { name: 'sign', type: 'boolean', default: false, description: "encrypt: also signed with the connection's pgpSigningKey." },
  { name: 'rollUp', type: 'boolean', default: false, description: 'Small jobs of the flow share a file.' },
];

export const pgpConnectionSettings: readonly ConnectorSetting[] = [
  { name: 'pgpRecipients', type: 'texts', default: null, description: 'References to armored public keys that files are encrypted to.' },
  { name: 'pgpSigningKey', type: 'secret', default: null, description: 'Reference to the armored private key that files are signed with.' },
  { name: 'pgpPassphrase', type: 'secret', default: null, description: 'Reference to the passphrase of pgpSigningKey.' },
];

/** References, not keys. */
export interface PgpKeys {
  readonly recipients: readonly string[];
  /** Null: files are not signed. */
  readonly signingKey: string | null;
  readonly passphrase: string | null;
}

/** Null: files are not encrypted. Fails with E_TARGET where the connection has no key for what the target asks for. */
export function readPgpKeys(
  { encrypt, sign }: { readonly encrypt: boolean; readonly sign: boolean },
  { pgpRecipients, pgpSigningKey, pgpPassphrase }: Readonly<Record<string, unknown>>,
): PgpKeys | null {
  const refuse = (message: string): HeadgateError => new HeadgateError(connectorErrors.E_TARGET, message);
  if (!encrypt) {
    if (sign) throw refuse('a target signs only what it encrypts');
    return null;
  }
  const recipients = (pgpRecipients ?? []) as readonly string[];
  if (recipients.length === 0) throw refuse('the connection of the target has no pgpRecipients to encrypt to');
  if (sign && pgpSigningKey === undefined) throw refuse('the connection of the target has no pgpSigningKey');
  const signingKey = sign ? (pgpSigningKey as string) : null;
  return { recipients, signingKey, passphrase: (pgpPassphrase as string | undefined) ?? null };
}
