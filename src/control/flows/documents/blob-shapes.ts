/** Connections to blob services: the keys of `spec` of a Connection of type `s3`, `azure-blob` or `gcs`. */
import { pgpKeys } from './pgp-shapes.ts';
import { choice, type Key, object, type Shape, text } from './shape.ts';

const secret: Shape = { kind: 'secret' };
const type: Key = { shape: text(), required: true, description: 'Kind of connection.' };
const endpoint = (whose: string): Key => ({
  shape: text('an address such as https://blobs.example.org', '^https?://[^\\s\\u0000-\\u001f]+$', 500),
  description: `Address of the service, by default ${whose}; http only where the policy allows it.`,
});
const blobRoot: Key = {
  shape: text('a folder without ..', '^(\\.|(?!.*(^|/)\\.\\.?(/|$))[^\\u0000-\\u001f\\\\]+)$', 500),
  default: '.',
  description: 'The folder, which is what names begin with; nothing outside it is touched.',
};
const bucket: Key = {
  shape: text('the name of a bucket', '^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$', 222),
  required: true,
  description: 'The bucket.',
};

export const blobConnections = {
  s3: object({
    type,
    bucket,
    region: { shape: text('a region', '^[a-z0-9-]{1,64}$', 64), required: true, description: 'Its region.' },
    endpoint: endpoint("Amazon's of the region"),
    accessKeyId: { shape: secret, required: true, description: 'Id of the access key.' },
    secretAccessKey: { shape: secret, required: true, description: 'The access key itself.' },
    sessionToken: { shape: secret, description: 'The session token of a key that is good for a while; read anew at each use.' },
    addressing: {
      shape: choice(['path', 'host']),
      default: 'path',
      description:
        'Where requests name the bucket: in their path, or as the first part of the host, which then needs a name and a certificate of its own.',
    },
    root: blobRoot,
    ...pgpKeys,
  }),
  'azure-blob': object({
    type,
    container: {
      shape: text('the name of a container', '^(\\$root|[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9])$', 63),
      required: true,
      description: 'The container.',
    },
    account: { shape: text('the name of a storage account', '^[a-z0-9]{3,24}$', 24), required: true, description: 'Its account.' },
    endpoint: endpoint("Azure's of the account"),
    accountKey: { shape: secret, description: 'A key of the account; this or `sasToken`.' },
    sasToken: { shape: secret, description: 'A shared access signature; this or `accountKey`.' },
    root: blobRoot,
    ...pgpKeys,
  }),
  gcs: object({
    type,
    bucket,
    endpoint: endpoint("Google's"),
    serviceAccount: { shape: secret, description: 'The JSON file of a key of a service account; this or `accessToken`.' },
    accessToken: { shape: secret, description: 'An OAuth 2.0 access token, read anew at each use; this or `serviceAccount`.' },
    root: blobRoot,
    ...pgpKeys,
  }),
};
