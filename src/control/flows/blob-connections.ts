/** Connections to blob services, as a definition has them once it is read. Secrets are references. */
import type { PgpKeysOfConnection } from './pgp-keys.ts';

export interface S3Connection extends PgpKeysOfConnection {
  readonly type: 's3';
  readonly bucket: string;
  readonly region: string;
  readonly endpoint?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly addressing: 'path' | 'host';
  readonly root: string;
}

/** An account key or a SAS token. */
export interface AzureBlobConnection extends PgpKeysOfConnection {
  readonly type: 'azure-blob';
  readonly container: string;
  readonly account: string;
  readonly endpoint?: string;
  readonly accountKey?: string;
  readonly sasToken?: string;
  readonly root: string;
}

/** The key of a service account or an access token. */
export interface GcsConnection extends PgpKeysOfConnection {
  readonly type: 'gcs';
  readonly bucket: string;
  readonly endpoint?: string;
  readonly serviceAccount?: string;
  readonly accessToken?: string;
  readonly root: string;
}

export type BlobConnection = S3Connection | AzureBlobConnection | GcsConnection;
