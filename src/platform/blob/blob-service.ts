/**
 * How a bucket or container is reached: Amazon S3 and what speaks its protocol, Azure Blob Storage, Google Cloud Storage.
 * Everything OpenDAL would look for elsewhere, in variables, files or at the machine's own identity, is turned off: what is not
 * said here is not used.
 */
import { Buffer } from 'node:buffer';
import { BlobFailure } from './blob-failure.ts';

export type BlobService =
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly region: string;
      /** Null: Amazon's of the region. */
      readonly endpoint: string | null;
      /** `host`: the bucket is the first part of the host's name; `path` by default. */
      readonly addressing?: 'path' | 'host';
    }
  | {
      readonly kind: 'azure-blob';
      readonly container: string;
      readonly account: string;
      /** Null: Azure's of the account. */
      readonly endpoint: string | null;
    }
  | {
      readonly kind: 'gcs';
      readonly bucket: string;
      /** Null: Google's. */
      readonly endpoint: string | null;
    };

/** Of the kind that the service takes. */
export type BlobCredentials =
  | {
      readonly kind: 'access-key';
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      /** Of a key that is good for a while. */
      readonly sessionToken?: string;
    }
  | { readonly kind: 'account-key'; readonly accountKey: string }
  | { readonly kind: 'sas-token'; readonly sasToken: string }
  /** The JSON file of a service account's key. */
  | { readonly kind: 'service-account'; readonly json: string }
  /** An OAuth 2.0 token that somebody else renews. */
  | { readonly kind: 'access-token'; readonly accessToken: string };

export interface Destination {
  readonly host: string;
  readonly port: number;
}

const googleTokens = 'https://oauth2.googleapis.com';

export function endpointOf(service: BlobService): URL {
  const text = service.endpoint ?? publicEndpointOf(service);
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new BlobFailure('failed', 'the endpoint is no address that begins with https:// or http://');
  return url;
}

/** Every host that is connected to for the service: the key of a service account is exchanged for a token. */
export function destinationsOf(service: BlobService, credentials: BlobCredentials): readonly Destination[] {
  const own = endpointOf(service);
  if (isByHost(service)) own.hostname = `${service.bucket}.${own.hostname}`;
  const urls = [own, ...(credentials.kind === 'service-account' ? [new URL(googleTokens)] : [])];
  return urls.map((url) => ({ host: url.hostname, port: portOf(url) }));
}

function isByHost(service: BlobService): service is Extract<BlobService, { kind: 's3' }> {
  return service.kind === 's3' && service.addressing === 'host';
}

export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'http:' ? 80 : 443;
}

/** Scheme and options, as OpenDAL names them. Fails with a BlobFailure for credentials of another kind than the service takes. */
export function operatorOptions(
  service: BlobService,
  credentials: BlobCredentials,
): { readonly scheme: string; readonly options: Readonly<Record<string, string>> } {
  const endpoint = endpointOf(service).href.replace(/\/$/, '');
  const common = { root: '/', endpoint };
  switch (service.kind) {
    case 's3':
      if (credentials.kind !== 'access-key') throw otherCredentials();
      return {
        scheme: 's3',
        options: {
          ...common,
          bucket: service.bucket,
          region: service.region,
          access_key_id: credentials.accessKeyId,
          secret_access_key: credentials.secretAccessKey,
          ...(credentials.sessionToken !== undefined && { session_token: credentials.sessionToken }),
          ...(isByHost(service) && { enable_virtual_host_style: 'true' }),
          disable_config_load: 'true',
          disable_ec2_metadata: 'true',
        },
      };
    case 'azure-blob': {
      const { container, account } = service;
      if (credentials.kind === 'account-key')
        return {
          scheme: 'azblob',
          options: { ...common, container, account_name: account, account_key: validBase64(credentials.accountKey) },
        };
      if (credentials.kind !== 'sas-token') throw otherCredentials();
      return {
        scheme: 'azblob',
        options: { ...common, container, account_name: account, sas_token: credentials.sasToken.trim().replace(/^\?/, '') },
      };
    }
    case 'gcs':
      return {
        scheme: 'gcs',
        options: {
          ...common,
          bucket: service.bucket,
          ...googleCredentials(credentials),
          disable_config_load: 'true',
          disable_vm_metadata: 'true',
        },
      };
  }
}

function publicEndpointOf(service: BlobService): string {
  switch (service.kind) {
    case 's3':
      return `https://s3.${service.region}.amazonaws.com`;
    case 'azure-blob':
      return `https://${service.account}.blob.core.windows.net`;
    case 'gcs':
      return 'https://storage.googleapis.com';
  }
}

function googleCredentials(credentials: BlobCredentials): Readonly<Record<string, string>> {
  if (credentials.kind === 'access-token') return { token: sendableToken(credentials.accessToken) };
  if (credentials.kind !== 'service-account') throw otherCredentials();
  return { credential: Buffer.from(serviceAccountKey(credentials.json)).toString('base64') };
}

/** Other kinds of Google's credential files name addresses to ask and files to read. */
function serviceAccountKey(json: string): string {
  let key: Readonly<Record<string, unknown>> | null;
  try {
    key = JSON.parse(json) as Readonly<Record<string, unknown>> | null;
  } catch {
    key = null;
  }
  const { client_email: email, private_key: privateKey } = key ?? {};
  if (key?.['type'] !== 'service_account' || typeof email !== 'string' || typeof privateKey !== 'string')
    throw new BlobFailure('credentials', 'the credentials are not the JSON file of a key of a service account');
  return JSON.stringify({ type: 'service_account', client_email: email, private_key: privateKey });
}

/** The characters of RFC 6750, section 2.1: others would be no header. */
function sendableToken(given: string): string {
  const token = given.trim();
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) throw new BlobFailure('credentials', 'the access token is none that can be sent');
  return token;
}

/** OpenDAL would pass one that can not be decoded over, and try without. */
function validBase64(key: string): string {
  const text = key.trim();
  if (text === '' || Buffer.from(text, 'base64').toString('base64') !== text)
    throw new BlobFailure('credentials', 'the account key is not base64');
  return text;
}

function otherCredentials(): BlobFailure {
  return new BlobFailure('credentials', 'the credentials are not of the kind that the service takes');
}
