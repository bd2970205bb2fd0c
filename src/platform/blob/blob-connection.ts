/** Connections to blob services as their documents write them. */
import type { BlobCredentials, BlobService } from './blob-service.ts';

/** As `type` of a connection. */
export const blobConnectionTypes = ['s3', 'azure-blob', 'gcs'] as const;

export type BlobConnectionType = (typeof blobConnectionTypes)[number];

export interface BlobConnection {
  readonly service: BlobService;
  /** Each value is a secret reference; `revealCredentials` puts the secrets in their place. */
  readonly credentials: BlobCredentials;
}

export function isBlobConnectionType(type: string): type is BlobConnectionType {
  return (blobConnectionTypes as readonly string[]).includes(type);
}

/** Of a document that was checked when it was applied. */
export function blobConnectionOf(type: BlobConnectionType, settings: Readonly<Record<string, unknown>>): BlobConnection {
  const text = (key: string): string => settings[key] as string;
  const endpoint = (settings['endpoint'] as string | undefined) ?? null;
  switch (type) {
    case 's3':
      return {
        service: {
          kind: 's3',
          bucket: text('bucket'),
          region: text('region'),
          endpoint,
          addressing: settings['addressing'] as 'path' | 'host',
        },
        credentials: {
          kind: 'access-key',
          accessKeyId: text('accessKeyId'),
          secretAccessKey: text('secretAccessKey'),
          sessionToken: settings['sessionToken'] as string | undefined,
        },
      };
    case 'azure-blob':
      return {
        service: { kind: 'azure-blob', container: text('container'), account: text('account'), endpoint },
        credentials:
          settings['accountKey'] === undefined
            ? { kind: 'sas-token', sasToken: text('sasToken') }
            : { kind: 'account-key', accountKey: text('accountKey') },
      };
    case 'gcs':
      return {
        service: { kind: 'gcs', bucket: text('bucket'), endpoint },
        credentials:
          settings['serviceAccount'] === undefined
            ? { kind: 'access-token', accessToken: text('accessToken') }
            : { kind: 'service-account', json: text('serviceAccount') },
      };
  }
}

/** Fails as `reveal` does. */
export function revealCredentials(references: BlobCredentials, reveal: (reference: string) => string): BlobCredentials {
  switch (references.kind) {
    case 'access-key':
      return {
        kind: 'access-key',
        accessKeyId: reveal(references.accessKeyId).trim(),
        secretAccessKey: reveal(references.secretAccessKey).trim(),
        sessionToken: references.sessionToken === undefined ? undefined : reveal(references.sessionToken).trim(),
      };
    case 'account-key':
      return { kind: 'account-key', accountKey: reveal(references.accountKey) };
    case 'sas-token':
      return { kind: 'sas-token', sasToken: reveal(references.sasToken) };
    case 'service-account':
      return { kind: 'service-account', json: reveal(references.json) };
    case 'access-token':
      return { kind: 'access-token', accessToken: reveal(references.accessToken) };
  }
}
