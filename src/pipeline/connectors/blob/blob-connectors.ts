/** The connectors of blob services: one for each kind of service, all alike. */
import { type BlobConnectionType, blobConnectionTypes } from '../../../platform/blob/blob-connection.ts';
import type { Connector } from '../connector.ts';
import { blobConnectionSettings, blobTargetSettings } from './blob-settings.ts';
import { openBlobTarget } from './blob-target.ts';

const services: Readonly<Record<BlobConnectionType, string>> = {
  s3: 'a bucket of Amazon S3 or of what speaks its protocol',
  'azure-blob': 'a container of Azure Blob Storage',
  gcs: 'a bucket of Google Cloud Storage',
};

export const blobConnectors: readonly Connector[] = blobConnectionTypes.map((type) => ({
  name: type,
  summary: `Objects in ${services[type]}, each whole or not there.`,
  documentation: 'connectors/blob.md',
  connectionType: type,
  bodies: ['ndjson', 'csv', 'fixed-width'],
  targetSettings: blobTargetSettings,
  connectionSettings: blobConnectionSettings[type],
  open: (options) => openBlobTarget(type, options),
}));
