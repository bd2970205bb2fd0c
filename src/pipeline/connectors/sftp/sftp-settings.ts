/** Settings of sftp targets and connections, and the checks that need more than one of them. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { type HostKeyPin, readHostKeyPin } from '../../../platform/sftp/host-keys.ts';
import type { OpenOptions } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { type ConnectorSetting, readSettings } from '../connector-settings.ts';
import type { OutputFileSettings } from '../output-files/output-file.ts';
import { outputFileSettings, pgpConnectionSettings } from '../output-files/output-file-settings.ts';

export const sftpTargetSettings: readonly ConnectorSetting[] = [
  { name: 'path', type: 'text', default: '.', description: "Folder below the connection's root; it must be there." },
  ...outputFileSettings,
  {
    name: 'readBack',
    type: 'choice',
    choices: ['hash', 'size', 'none'],
    default: 'hash',
    description: 'What is compared of a written file before it gets its name: all of its bytes, its size, or nothing.',
  },
];

export const sftpConnectionSettings: readonly ConnectorSetting[] = [
  { name: 'host', type: 'text', isRequired: true, default: null, description: 'Host name or address.' },
  { name: 'port', type: 'integer', default: 22, description: 'Port.' },
  { name: 'user', type: 'text', isRequired: true, default: null, description: 'User.' },
  { name: 'password', type: 'secret', default: null, description: 'Reference to its password; this or privateKey.' },
  { name: 'privateKey', type: 'secret', default: null, description: 'Reference to its private key; this or password.' },
  { name: 'passphrase', type: 'secret', default: null, description: 'Reference to what the private key is encrypted with.' },
  { name: 'hostKeys', type: 'texts', isRequired: true, default: null, description: 'Keys of the server that are trusted.' },
  { name: 'root', type: 'text', default: '.', description: 'Folder at the server; nothing outside it is touched.' },
  ...pgpConnectionSettings,
];

export interface SftpSettings extends OutputFileSettings {
  readonly path: string;
  readonly readBack: 'hash' | 'size' | 'none';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | null;
  readonly privateKey: string | null;
  readonly passphrase: string | null;
  readonly hostKeys: readonly HostKeyPin[];
  readonly root: string;
}

/** Fails with E_TARGET on settings that can't work. */
export function readSftpSettings({ target, connection }: OpenOptions): SftpSettings {
  const given = {
    password: null,
    privateKey: null,
    passphrase: null,
    ...readSettings(sftpTargetSettings, target.settings),
    ...readSettings(sftpConnectionSettings, connection.settings),
  } as unknown as Omit<SftpSettings, 'hostKeys'> & { readonly hostKeys: readonly string[] };
  if ((given.password === null) === (given.privateKey === null))
    throw new HeadgateError(connectorErrors.E_TARGET, 'the user of the connection needs a password or a privateKey, and not both');
  if (`/${given.path}/`.includes('/../'))
    throw new HeadgateError(connectorErrors.E_TARGET, "the path of the target leads out of its connection's root");
  const hostKeys = given.hostKeys.map(readHostKeyPin).filter((pin) => pin !== null);
  if (hostKeys.length === 0 || hostKeys.length < given.hostKeys.length)
    throw new HeadgateError(connectorErrors.E_TARGET, 'a host key of the connection is none that is taken');
  return { ...given, hostKeys };
}
