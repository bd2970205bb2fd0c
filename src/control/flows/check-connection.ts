/** What a Connection's keys must be together, and which secrets it may name. Names of hosts are judged when they are connected to, by the connector. */
import { isIP } from 'node:net';
import { isBlobConnectionType } from '../../platform/blob/blob-connection.ts';
import { secretRefusal } from '../../platform/secrets/connection-secrets.ts';
import { secretErrors } from '../../platform/secrets/secret-errors.ts';
import { parseSecretReference } from '../../platform/secrets/secret-references.ts';
import { readHostKeyPin } from '../../platform/sftp/host-keys.ts';
import { readUserKey } from '../../platform/sftp/user-keys.ts';
import type { BlobConnection } from './blob-connections.ts';
import { checkAddress } from './check-address.ts';
import { checkHttp } from './check-http-connection.ts';
import type { KafkaConnection, MysqlConnection, SftpConnection, SftpServerConnection } from './connection-definition.ts';
import type { Connection } from './definition.ts';
import type { Path, Report } from './documents/diagnostics.ts';
import { flowErrors } from './flow-errors.ts';
import type { PgpKeysOfConnection } from './pgp-keys.ts';

interface NamedSecret {
  readonly path: Path;
  readonly reference: string;
}

/** Every secret that the connection refers to. */
function secretsOf({ spec }: Connection): readonly NamedSecret[] {
  if (spec.type === 'sftp-server') return [];
  if (spec.type === 'folder') return pgpSecrets(spec);
  if (spec.type === 'pgp') {
    const signers = (spec.signers ?? []).map((reference, index): [Path, string | undefined] => [['spec', 'signers', index], reference]);
    return namedSecrets([[['spec', 'privateKey'], spec.privateKey], [['spec', 'passphrase'], spec.passphrase], ...signers]);
  }
  if (spec.type === 'sftp')
    return [
      ...(['password', 'privateKey', 'passphrase'] as const).flatMap((key) => {
        const reference = spec[key];
        return reference === undefined ? [] : [{ path: ['spec', key], reference }];
      }),
      ...pgpSecrets(spec),
    ];
  if (isBlobConnection(spec)) {
    const keys = ['accessKeyId', 'secretAccessKey', 'sessionToken', 'accountKey', 'sasToken', 'serviceAccount', 'accessToken'];
    const own = keys.flatMap((key) => {
      const reference = (spec as unknown as Readonly<Record<string, string | undefined>>)[key];
      return reference === undefined ? [] : [{ path: ['spec', key], reference }];
    });
    return [...own, ...pgpSecrets(spec)];
  }
  const own = spec.type === 'http' ? {} : { password: spec.password };
  const http = spec.type === 'http' ? spec : undefined;
  const auth = (http?.auth ?? {}) as Readonly<Record<string, string>>;
  const found: [Path, string | undefined][] = [
    [['spec', 'signature', 'secret'], http?.signature?.secret],
    [['spec', 'clientCertificate'], http?.clientCertificate],
    [['spec', 'clientKey'], http?.clientKey],
    [['spec', 'password'], own.password],
    ...['token', 'password', 'value', 'clientSecret', 'certificateAuthority'].map((key): [Path, string | undefined] => [
      ['spec', 'auth', key],
      auth[key],
    ]),
    [['spec', 'certificateAuthority'], spec.certificateAuthority],
  ];
  return namedSecrets(found);
}

function namedSecrets(found: readonly [Path, string | undefined][]): readonly NamedSecret[] {
  return found.flatMap(([path, reference]) => (reference === undefined ? [] : [{ path, reference }]));
}

function pgpSecrets({ pgpRecipients, pgpSigningKey, pgpPassphrase }: PgpKeysOfConnection): readonly NamedSecret[] {
  const found: [Path, string | undefined][] = [
    ...(pgpRecipients ?? []).map((reference, index): [Path, string | undefined] => [['spec', 'pgpRecipients', index], reference]),
    [['spec', 'pgpSigningKey'], pgpSigningKey],
    [['spec', 'pgpPassphrase'], pgpPassphrase],
  ];
  return namedSecrets(found);
}

/** Which secrets it may name. With `folders`: of those that pass without, which lie elsewhere than below these. */
export function checkSecrets(connection: Connection, report: Report, folders?: readonly string[]): void {
  const { tenant } = connection.metadata;
  for (const { path, reference } of secretsOf(connection)) {
    const read = parseSecretReference(reference);
    const atFirst = secretRefusal(read, tenant);
    const message = folders === undefined ? atFirst : atFirst === undefined ? secretRefusal(read, tenant, folders) : undefined;
    if (message !== undefined) report.add({ code: secretErrors.E_SECRET_NOT_ALLOWED, path, message, atValue: true });
  }
}

/** Keys that could not be read are undefined, and not looked at. */
export function checkConnection(connection: Connection, report: Report): void {
  const { spec } = connection;
  checkSecrets(connection, report);
  if (spec.type === 'sftp') checkSftp(spec, report);
  if (spec.type === 'sftp-server') checkUserKeys(spec, report);
  if (spec.type === 'pgp' && spec.signature === 'required' && spec.signers?.length === 0)
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: ['spec'],
      message: 'signature: required needs signers, whose signatures count',
    });
  if (spec.type === 'mysql') checkMysql(spec, report);
  if (spec.type === 'kafka') checkKafka(spec, report);
  if ('pgpPassphrase' in spec && spec.pgpPassphrase !== undefined && spec.pgpSigningKey === undefined)
    report.add({
      code: flowErrors.E_CONFIG_VALUE,
      path: ['spec', 'pgpPassphrase'],
      message: 'pgpPassphrase is that of a pgpSigningKey',
      atValue: true,
    });
  if (isBlobConnection(spec)) checkBlob(spec, report);
  if (spec.type === 'http') checkHttp(spec, report);
}

function checkKafka({ sasl, user, password, brokers }: KafkaConnection, report: Report): void {
  for (const [index, broker] of (brokers ?? []).entries()) {
    const port = Number(broker?.slice(broker.lastIndexOf(':') + 1) ?? 1);
    if (port < 1 || port > 65_535)
      report.add({ code: flowErrors.E_CONFIG_VALUE, path: ['spec', 'brokers', index], message: 'the port is none', atValue: true });
  }
  if (sasl === undefined) return;
  const isNamed = user !== undefined || password !== undefined;
  if (sasl === 'none' ? !isNamed : user !== undefined && password !== undefined) return;
  const message = sasl === 'none' ? 'user and password are for sasl' : `sasl: ${sasl} needs user and password`;
  report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: ['spec', ...(sasl === 'none' ? [] : ['sasl'])], message });
}

function isBlobConnection(spec: Connection['spec']): spec is BlobConnection {
  return isBlobConnectionType(spec.type);
}

function checkBlob(spec: BlobConnection, report: Report): void {
  if (spec.endpoint !== undefined)
    checkAddress({ path: ['spec', 'endpoint'], address: spec.endpoint, instead: 'use its own keys' }, report);
  const refuse = (path: Path, message: string): void => report.add({ code: flowErrors.E_CONFIG_VALUE, path, message, atValue: true });
  if (spec.type === 'azure-blob') {
    const { accountKey, sasToken } = spec;
    if (accountKey !== undefined && sasToken !== undefined) refuse(['spec', 'sasToken'], 'an accountKey or a sasToken, not both');
    if (accountKey === undefined && sasToken === undefined)
      refuse(['spec'], 'a container has an accountKey or a sasToken; this one has none that can be read');
  }
  if (spec.type === 'gcs') {
    const { serviceAccount, accessToken } = spec;
    if (serviceAccount !== undefined && accessToken !== undefined)
      refuse(['spec', 'accessToken'], 'a serviceAccount or an accessToken, not both');
    if (serviceAccount === undefined && accessToken === undefined)
      refuse(['spec'], "Google's bucket has a serviceAccount or an accessToken; this one has none that can be read");
  }
}

function checkMysql({ host, tls }: MysqlConnection, report: Report): void {
  if (tls !== 'verify-full' || host === undefined || isIP(host) === 0) return;
  const message = 'tls: verify-full needs the host by its name, which the certificate has';
  report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: ['spec', 'host'], message, atValue: true });
}

function checkSftp({ password, privateKey, passphrase, hostKeys }: SftpConnection, report: Report): void {
  const refuse = (path: Path, message: string): void => report.add({ code: flowErrors.E_CONFIG_VALUE, path, message, atValue: true });
  if (password !== undefined && privateKey !== undefined) refuse(['spec', 'password'], 'a user has a password or a privateKey, not both');
  if (password === undefined && privateKey === undefined)
    refuse(['spec'], 'a user has a password or a privateKey; this one has none that can be read');
  if (passphrase !== undefined && privateKey === undefined) refuse(['spec', 'passphrase'], 'a passphrase is that of a privateKey');
  for (const [index, key] of (hostKeys ?? []).entries()) {
    if (key === undefined || readHostKeyPin(key) !== null) continue;
    refuse(
      ['spec', 'hostKeys', index],
      `spec.hostKeys[${index}] must be SHA256: and 43 characters, as \`ssh-keygen -lf\` prints it, or a public key of type Ed25519, ECDSA or RSA`,
    );
  }
}

function checkUserKeys({ publicKeys }: SftpServerConnection, report: Report): void {
  for (const [index, key] of (publicKeys ?? []).entries()) {
    if (key === undefined || readUserKey(key) !== null) continue;
    report.add({
      code: flowErrors.E_CONFIG_VALUE,
      path: ['spec', 'publicKeys', index],
      message: `spec.publicKeys[${index}] must be a public key of type Ed25519, ECDSA, or RSA of 2048 bits at least, as ssh-keygen writes it`,
      atValue: true,
    });
  }
}
