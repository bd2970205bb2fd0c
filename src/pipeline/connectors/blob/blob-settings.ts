/** Settings of targets in buckets and containers and of their connections, and the checks that need more than one of them. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { type BlobConnection, type BlobConnectionType, blobConnectionOf } from '../../../platform/blob/blob-connection.ts';
import { endpointOf } from '../../../platform/blob/blob-service.ts';
import type { OpenOptions } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { type ConnectorSetting, readSettings } from '../connector-settings.ts';
import type { OutputFileSettings } from '../output-files/output-file.ts';
import { outputFileSettings, pgpConnectionSettings } from '../output-files/output-file-settings.ts';

export const blobTargetSettings: readonly ConnectorSetting[] = [
  { name: 'path', type: 'text', default: '.', description: "Folder below the connection's root: what the names of objects begin with." },
  ...outputFileSettings,
  {
    name: 'readBack',
    type: 'choice',
    choices: ['hash', 'size', 'none'],
    default: 'size',
    description: 'What is compared of an object once it is written: all of its bytes, its size, or nothing.',
  },
];

const common: readonly ConnectorSetting[] = [
  { name: 'endpoint', type: 'text', default: null, description: "Address of the service; by default the service's own." },
  { name: 'root', type: 'text', default: '.', description: 'Folder; nothing outside it is touched.' },
  ...pgpConnectionSettings,
];

export const blobConnectionSettings: Readonly<Record<BlobConnectionType, readonly ConnectorSetting[]>> = {
  s3: [
    { name: 'bucket', type: 'text', isRequired: true, default: null, description: 'The bucket.' },
    { name: 'region', type: 'text', isRequired: true, default: null, description: 'Its region.' },
    { name: 'accessKeyId', type: 'secret', isRequired: true, default: null, description: 'Reference to the id of the access key.' },
    { name: 'secretAccessKey', type: 'secret', isRequired: true, default: null, description: 'Reference to the access key itself.' },
    {
      name: 'sessionToken',
      type: 'secret',
      default: null,
      description: 'Reference to the session token of a key that is good for a while.',
    },
    { name: 'addressing', type: 'choice', choices: ['path', 'host'], default: 'path', description: 'Where requests name the bucket.' },
    ...common,
  ],
  'azure-blob': [
    { name: 'container', type: 'text', isRequired: true, default: null, description: 'The container.' },
    { name: 'account', type: 'text', isRequired: true, default: null, description: 'Its account.' },
    { name: 'accountKey', type: 'secret', default: null, description: 'Reference to a key of the account; this or sasToken.' },
    { name: 'sasToken', type: 'secret', default: null, description: 'Reference to a shared access signature; this or accountKey.' },
    ...common,
  ],
  gcs: [
    { name: 'bucket', type: 'text', isRequired: true, default: null, description: 'The bucket.' },
    { name: 'serviceAccount', type: 'secret', default: null, description: 'Reference to the JSON file of a key; this or accessToken.' },
    { name: 'accessToken', type: 'secret', default: null, description: 'Reference to an OAuth 2.0 access token; this or serviceAccount.' },
    ...common,
  ],
};

export interface BlobSettings extends OutputFileSettings {
  /** What names begin with: empty, or with a slash at its end. */
  readonly folder: string;
  readonly readBack: 'hash' | 'size' | 'none';
  readonly blob: BlobConnection;
}

/** Fails with E_TARGET on settings that can't work or that the policy closes. */
export function readBlobSettings(type: BlobConnectionType, { target, connection, egress }: OpenOptions): BlobSettings {
  const given = readSettings(blobTargetSettings, target.settings) as unknown as Omit<BlobSettings, 'folder' | 'blob'> & { path: string };
  const reached = readSettings(blobConnectionSettings[type], connection.settings);
  if (type === 'azure-blob' && (reached['accountKey'] === undefined) === (reached['sasToken'] === undefined))
    throw new HeadgateError(connectorErrors.E_TARGET, 'the connection of the target needs an accountKey or a sasToken, and not both');
  if (type === 'gcs' && (reached['serviceAccount'] === undefined) === (reached['accessToken'] === undefined))
    throw new HeadgateError(
      connectorErrors.E_TARGET,
      'the connection of the target needs a serviceAccount or an accessToken, and not both',
    );
  const parts = `${reached['root'] as string}/${given.path}`.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new HeadgateError(connectorErrors.E_TARGET, "the path of the target leads out of its connection's root");
  const blob = blobConnectionOf(type, reached);
  if (!egress.allowPlain && endpointOf(blob.service).protocol === 'http:')
    throw new HeadgateError(connectorErrors.E_TARGET, "connections without TLS need `egress.allowPlain` in the tenant's policy");
  return { ...given, folder: parts.map((part) => `${part}/`).join(''), blob };
}
