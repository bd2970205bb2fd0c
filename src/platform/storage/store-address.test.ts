import { describe, expect, it } from 'vitest';
import { hostsOfStore } from './remote-store.ts';
import { readStoreSettings } from './store-address.ts';

const read = (objectStore: string, more: Partial<Parameters<typeof readStoreSettings>[0]> = {}) =>
  readStoreSettings(
    { objectStore, objectStoreKeyId: 'env:ID', objectStoreSecret: 'env:SECRET', masterKey: 'env:MASTER', ...more },
    (reference) => ` ${reference} revealed\n`,
  );

describe('the address of a store', () => {
  it('is local, or a bucket or container with a folder, a region and an endpoint', () => {
    expect(read('local')).toBeNull();
    expect(read('s3://bank-objects/cell/one?region=eu-west-1')).toEqual({
      service: { kind: 's3', bucket: 'bank-objects', region: 'eu-west-1', endpoint: null },
      credentials: { kind: 'access-key', accessKeyId: 'env:ID revealed', secretAccessKey: 'env:SECRET revealed' },
      folder: 'cell/one/',
    });
    expect(read('azure-blob://bankaccount/objects?endpoint=https%3A%2F%2Fblobs.bank.example%2Fbankaccount')).toEqual({
      service: { kind: 'azure-blob', account: 'bankaccount', container: 'objects', endpoint: 'https://blobs.bank.example/bankaccount' },
      credentials: { kind: 'account-key', accountKey: 'env:SECRET revealed' },
      folder: '',
    });
    expect(read('gcs://bank-objects/a')).toEqual({
      service: { kind: 'gcs', bucket: 'bank-objects', endpoint: null },
      credentials: { kind: 'access-token', accessToken: 'env:SECRET revealed' },
      folder: 'a/',
    });
  });

  it('tells a signature from an account key', () => {
    const plan = readStoreSettings(
      { objectStore: 'azure-blob://account/objects', objectStoreKeyId: undefined, objectStoreSecret: 'env:S', masterKey: 'env:M' },
      () => '?sv=2024-11-04&sig=abc',
    );
    expect(plan!.credentials).toEqual({ kind: 'sas-token', sasToken: '?sv=2024-11-04&sig=abc' });
  });

  it("tells Google's key of a service account from a token, and which hosts each leads to", () => {
    const planOf = (secret: string) =>
      readStoreSettings(
        { objectStore: 'gcs://objects', objectStoreKeyId: undefined, objectStoreSecret: 'env:S', masterKey: 'env:M' },
        () => secret,
      )!;
    const [key, token] = [planOf(' {"type": "service_account"}\n'), planOf('ya29.token\n')];
    expect(key.credentials).toEqual({ kind: 'service-account', json: '{"type": "service_account"}' });
    expect(token.credentials).toEqual({ kind: 'access-token', accessToken: 'ya29.token' });
    expect([key, token].map(hostsOfStore)).toEqual([['storage.googleapis.com', 'oauth2.googleapis.com'], ['storage.googleapis.com']]);
  });

  it.each([
    ['no region', 's3://bucket/folder', {}, 'region'],
    ['no key id', 's3://bucket/folder?region=x', { objectStoreKeyId: undefined }, 'HEADGATE_OBJECT_STORE_KEY_ID'],
    ['no secret', 'gcs://bucket', { objectStoreSecret: undefined }, 'HEADGATE_OBJECT_STORE_SECRET'],
    ['no master key of its own', 'gcs://bucket', { masterKey: undefined }, 'HEADGATE_MASTER_KEY'],
    ['no container', 'azure-blob://account', {}, 'container'],
    ['a password', 's3://id:secret@bucket?region=x', {}, 'no address'],
    ['an unknown part', 's3://bucket?region=x&ssl=false', {}, 'region and endpoint only'],
    ['an unknown service', 'ftp://bucket', {}, 's3://'],
    ['a folder of other characters', 's3://bucket/a%20b?region=x', {}, 'folders'],
    ['no text of an address', 'bucket', {}, 'no address'],
  ])('with %s is refused', (_what, address, more, said) => {
    expect(() => read(address, more)).toThrow(
      expect.objectContaining({ code: 'E_STORE_SETTINGS', message: expect.stringContaining(said) }),
    );
  });
});
