/** Where the object store is, as the settings say it: `local`, or the address of a bucket or container with what opens it. */

import { HeadgateError } from '../base/errors.ts';
import type { Settings } from '../base/settings-catalogue.ts';
import type { BlobCredentials, BlobService } from '../blob/blob-service.ts';
import { endpointOf } from '../blob/blob-service.ts';
import type { RemoteStorePlan } from './remote-store.ts';
import { storageErrors } from './storage-errors.ts';

type StoreSettings = Pick<Settings, 'objectStore' | 'objectStoreKeyId' | 'objectStoreSecret' | 'masterKey'>;

/** Null: the store is local. Fails with E_STORE_SETTINGS, and as `reveal` does. */
export function readStoreSettings(settings: StoreSettings, reveal: (reference: string) => string): RemoteStorePlan | null {
  const { objectStore, objectStoreKeyId, objectStoreSecret, masterKey } = settings;
  if (objectStore === 'local') return null;
  const url = URL.parse(objectStore);
  if (url === null || url.host === '' || url.username !== '' || url.password !== '' || url.hash !== '')
    throw wrong('HEADGATE_OBJECT_STORE is no address of a bucket or container');
  if (objectStoreSecret === undefined) throw wrong('a remote object store needs HEADGATE_OBJECT_STORE_SECRET');
  if (masterKey === undefined)
    throw wrong('a remote object store needs HEADGATE_MASTER_KEY: a key that this machine makes would be on no other, and lost with it');
  const { service, folders } = serviceOf(url);
  endpointOf(service);
  const secret = reveal(objectStoreSecret).trim();
  const keyId = objectStoreKeyId === undefined ? undefined : reveal(objectStoreKeyId).trim();
  const folder = folders.map((name) => `${name}/`).join('');
  return { service, credentials: credentialsOf(service, secret, keyId), folder };
}

function serviceOf(url: URL): { readonly service: BlobService; readonly folders: readonly string[] } {
  const parts = url.pathname.split('/').filter((part) => part !== '');
  if (parts.some((part) => !/^[A-Za-z0-9._-]{1,100}$/.test(part)))
    throw wrong('folders of HEADGATE_OBJECT_STORE are of letters, digits, dots, hyphens and underscores');
  const known = url.protocol === 's3:' ? ['region', 'endpoint'] : ['endpoint'];
  for (const key of url.searchParams.keys())
    if (!known.includes(key)) throw wrong(`HEADGATE_OBJECT_STORE knows ${known.join(' and ')} only`);
  const endpoint = url.searchParams.get('endpoint');
  switch (url.protocol) {
    case 's3:': {
      const region = url.searchParams.get('region');
      if (region === null) throw wrong('HEADGATE_OBJECT_STORE needs the region: s3://bucket/folder?region=eu-west-1');
      return { service: { kind: 's3', bucket: url.hostname, region, endpoint }, folders: parts };
    }
    case 'azure-blob:': {
      const [container, ...folders] = parts;
      if (container === undefined) throw wrong('HEADGATE_OBJECT_STORE needs the container: azure-blob://account/container/folder');
      return { service: { kind: 'azure-blob', account: url.hostname, container, endpoint }, folders };
    }
    case 'gcs:':
      return { service: { kind: 'gcs', bucket: url.hostname, endpoint }, folders: parts };
    default:
      throw wrong('HEADGATE_OBJECT_STORE begins with s3://, azure-blob:// or gcs://, or is local');
  }
}

function credentialsOf(service: BlobService, secret: string, keyId: string | undefined): BlobCredentials {
  switch (service.kind) {
    case 's3':
      if (keyId === undefined) throw wrong('an object store at S3 needs HEADGATE_OBJECT_STORE_KEY_ID');
      return { kind: 'access-key', accessKeyId: keyId, secretAccessKey: secret };
    case 'azure-blob':
      // An account key is base64; a signature is a query.
      return /[?&]?sig=/.test(secret) ? { kind: 'sas-token', sasToken: secret } : { kind: 'account-key', accountKey: secret };
    case 'gcs':
      // A key is a JSON file; a token is one word.
      return secret.startsWith('{') ? { kind: 'service-account', json: secret } : { kind: 'access-token', accessToken: secret };
  }
}

function wrong(message: string): HeadgateError {
  return new HeadgateError(storageErrors.E_STORE_SETTINGS, message);
}
