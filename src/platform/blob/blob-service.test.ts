import { Buffer } from 'node:buffer';
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openBlobOperator } from './blob-operator.ts';
import { type BlobCredentials, type BlobService, destinationsOf, operatorOptions } from './blob-service.ts';

const google: BlobService = { kind: 'gcs', bucket: 'box', endpoint: null };
const azure: BlobService = { kind: 'azure-blob', container: 'box', account: 'bank', endpoint: null };
const amazon: BlobService = { kind: 's3', bucket: 'box', region: 'eu-west-1', endpoint: null };
const accessKey: BlobCredentials = { kind: 'access-key', accessKeyId: 'id', secretAccessKey: 'secret' };

const privateKey = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const account = { type: 'service_account', client_email: 'a@bank.example', private_key: privateKey };
const googleToken: BlobCredentials = { kind: 'access-token', accessToken: 'ya29.a_token-of/an~hour+==' };
const googleKey = (json: unknown): BlobCredentials => ({ kind: 'service-account', json: JSON.stringify(json) });

describe('a service', () => {
  it('is connected to at its public address, or where its endpoint says, and nowhere else', () => {
    const at = (service: BlobService) => destinationsOf(service, accessKey);
    expect([amazon, azure, google].map(at)).toEqual([
      [{ host: 's3.eu-west-1.amazonaws.com', port: 443 }],
      [{ host: 'bank.blob.core.windows.net', port: 443 }],
      [{ host: 'storage.googleapis.com', port: 443 }],
    ]);
    expect(destinationsOf(google, googleToken)).toEqual([{ host: 'storage.googleapis.com', port: 443 }]);
    expect(destinationsOf(google, googleKey(account))).toEqual([
      { host: 'storage.googleapis.com', port: 443 },
      { host: 'oauth2.googleapis.com', port: 443 },
    ]);
    expect(at({ ...amazon, endpoint: 'http://minio.bank.example:9000' })).toEqual([{ host: 'minio.bank.example', port: 9000 }]);
    expect(at({ ...amazon, addressing: 'host' })).toEqual([{ host: 'box.s3.eu-west-1.amazonaws.com', port: 443 }]);
    expect(at({ ...amazon, addressing: 'host', endpoint: 'http://minio.bank.example:9000' })).toEqual([
      { host: 'box.minio.bank.example', port: 9000 },
    ]);
    expect(() => at({ ...amazon, endpoint: 'file:///etc' })).toThrow(expect.objectContaining({ kind: 'failed' }));
  });

  it('is given nothing that OpenDAL would look for elsewhere', () => {
    expect(operatorOptions(amazon, accessKey).options).toMatchObject({ disable_config_load: 'true', disable_ec2_metadata: 'true' });
    expect(operatorOptions(google, googleKey(account)).options).toMatchObject({ disable_config_load: 'true', disable_vm_metadata: 'true' });
  });

  it('of each kind can be opened with its own credentials, and with no others', () => {
    const own: [BlobService, BlobCredentials][] = [
      [amazon, accessKey],
      [azure, { kind: 'account-key', accountKey: Buffer.from('key').toString('base64') }],
      [azure, { kind: 'sas-token', sasToken: '?sv=2024-11-04&sig=abc' }],
      [google, googleKey(account)],
      [google, googleToken],
    ];
    for (const [service, credentials] of own) expect(openBlobOperator({ service, credentials, timeoutMs: 1_000 })).toBeDefined();
    for (const [service] of own)
      for (const [other, credentials] of own) {
        if (other.kind === service.kind) continue;
        expect(() => operatorOptions(service, credentials)).toThrow(expect.objectContaining({ kind: 'credentials' }));
      }
  });

  it.each([
    [
      'that name an address to ask',
      { type: 'external_account', token_url: 'http://169.254.169.254/', credential_source: { file: '/etc/passwd' } },
    ],
    ['of a person', { type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: 'c' }],
    ['without a key', { ...account, private_key: undefined }],
    ['that are nothing', null],
  ])('of Google takes no credentials %s', (_what, json) => {
    expect(() => operatorOptions(google, googleKey(json))).toThrow(expect.objectContaining({ kind: 'credentials' }));
  });

  it('of Google is told of a key only whose it is and what it is', () => {
    const { options } = operatorOptions(google, googleKey({ ...account, token_uri: 'http://169.254.169.254/', universe_domain: 'x' }));
    expect(JSON.parse(Buffer.from(options['credential']!, 'base64').toString())).toEqual(account);
  });

  it('of Google takes no token that would be more than one word of a header', () => {
    const token = (accessToken: string) => operatorOptions(google, { kind: 'access-token', accessToken }).options;
    expect(token(' ya29.one\n')).toMatchObject({ token: 'ya29.one', disable_config_load: 'true', disable_vm_metadata: 'true' });
    for (const accessToken of ['', ' ', 'two words', 'a\r\nx-other: b', 'ä', '{"type":"service_account"}'])
      expect(() => token(accessToken)).toThrow(expect.objectContaining({ kind: 'credentials' }));
  });

  it('of Azure takes no account key that is not base64, because OpenDAL would go on without one', () => {
    for (const accountKey of ['', 'not base64!', 'YQ'])
      expect(() => operatorOptions(azure, { kind: 'account-key', accountKey })).toThrow(expect.objectContaining({ kind: 'credentials' }));
  });
});
