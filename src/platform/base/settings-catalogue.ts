/**
 * Every setting of the product, in one list. A name here is `dataDir` in code and in headgate.config.yaml, HEADGATE_DATA_DIR
 * in the environment, and `--data-dir` for the commands that take it so. docs/reference/settings.md is generated from it.
 */
import {
  choiceSetting,
  choicesSetting,
  databaseUrlSetting,
  foldersSetting,
  integerSetting,
  secretReferenceSetting,
  switchSetting,
  textSetting,
} from './setting-kinds.ts';

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

export const roleNames = ['api', 'ingress', 'worker', 'delivery', 'scheduler', 'sftp'] as const;
/** A server that is open to others is started by who wants it. */
const usualRoles = ['api', 'ingress', 'worker', 'delivery', 'scheduler'] as const;

export const settingsCatalogue = {
  dataDir: textSetting({
    description:
      'Folder of this user and project for the embedded PostgreSQL, the local object store and generated keys; one that is not absolute is below the folder that the command is started in.',
    defaultValue: '.headgate',
  }),
  folderRoots: foldersSetting({
    description: "Folders that the roots of folder connections must be in; `{tenant}` stands for the tenant's name.",
    defaultText: 'every folder but those of the system, of the product and of other tenants',
    isPerTenant: true,
  }),
  mountedSecretFolders: foldersSetting({
    description:
      "Folders that an orchestrator mounts secrets into: the mode of files there is its business. A tenant's connections may refer to files below the folder of the tenant's name in them.",
    defaultText: 'none',
    isPerTenant: false,
  }),
  databaseUrl: databaseUrlSetting({
    description: 'Connection string of the role headgate_app on your own PostgreSQL 17 or 18.',
    defaultText: 'the embedded PostgreSQL',
  }),
  migrationDatabaseUrl: databaseUrlSetting({
    description: 'Connection string for `headgate migrate up` on your own server: a role with CREATEROLE that may create in the database.',
    defaultText: 'the embedded PostgreSQL',
  }),
  databaseConnections: integerSetting({ description: 'Most database connections of one process.', defaultValue: 12, min: 3, max: 200 }),
  host: textSetting({ description: 'Address that the API listens on.', defaultValue: '127.0.0.1' }),
  port: integerSetting({ description: 'Port of the API; 0 takes a free one.', defaultValue: 4680, min: 0, max: 65_535 }),
  roles: choicesSetting({
    description: 'What this process does.',
    values: roleNames,
    defaultValue: usualRoles,
    defaultText: 'all but sftp',
  }),
  cell: textSetting({
    description: 'Name of the cell (one database and object store); first part of every object name.',
    defaultValue: 'local',
    pattern: /^[a-z0-9][a-z0-9-]{0,31}$/,
    allowedText: 'lower-case letters, digits and hyphens, at most 32',
  }),
  region: textSetting({
    description: 'Name of the region; written into receipts.',
    defaultValue: 'local',
    pattern: /^[a-z0-9][a-z0-9-]{0,31}$/,
    allowedText: 'lower-case letters, digits and hyphens, at most 32',
  }),
  environment: choiceSetting({
    description: 'Which environment binds the connections of flows.',
    values: ['dev', 'test', 'prod'],
    defaultValue: 'dev',
  }),
  logLevel: choiceSetting({
    description: 'Least severe log line that is written.',
    values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    defaultValue: 'info',
  }),
  metrics: switchSetting({ description: 'Serve Prometheus metrics at /metrics.', defaultValue: true }),
  workerThreads: integerSetting({
    description: 'Threads that run the engine on big files; 0 takes one per processor.',
    defaultValue: 0,
    defaultText: '0 (automatic)',
    min: 0,
    max: 64,
  }),
  chunkBytes: integerSetting({
    description: 'Size of a chunk of a file, in bytes: what one claim, one commit and one retry cover.',
    defaultValue: 16 * mebibyte,
    min: 4 * 1024,
    max: 512 * mebibyte,
  }),
  leaseMs: integerSetting({
    description: 'How long claimed work stays claimed without a sign of life, in milliseconds on the database clock.',
    defaultValue: 30_000,
    min: 500,
    max: 600_000,
  }),
  drainMs: integerSetting({
    description: 'How long SIGTERM waits for work in hand before it is handed back, in milliseconds.',
    defaultValue: 3_500,
    min: 0,
    max: 600_000,
  }),
  sftpHost: textSetting({ description: 'Address that the SFTP server (role `sftp`) listens on.', defaultValue: '127.0.0.1' }),
  sftpPort: integerSetting({ description: 'Port of the SFTP server; 0 takes a free one.', defaultValue: 4622, min: 0, max: 65_535 }),
  sftpHostKey: secretReferenceSetting({
    description:
      'The private key by which clients know the SFTP server, as `ssh-keygen` writes it, without a passphrase. Processes that stand behind one name need the same.',
    defaultText: 'a file in the data folder, generated with mode 0600',
  }),
  sftpConnectionsMax: integerSetting({
    description:
      'Connections to the SFTP server at once, at one process; half of them of clients that have not logged in, a quarter of one tenant.',
    defaultValue: 128,
    min: 4,
    max: 10_000,
  }),
  sftpUploadsMax: integerSetting({
    description: 'Files that are being written to the SFTP server at once, at one process; a quarter of them of one tenant.',
    defaultValue: 128,
    min: 4,
    max: 10_000,
  }),
  sftpLoginMs: integerSetting({
    description: 'How long a client of the SFTP server may take until it is logged in, in milliseconds.',
    defaultValue: 20_000,
    min: 1_000,
    max: 600_000,
  }),
  sftpFailuresPerMinuteMax: integerSetting({
    description: 'Refused keys from one address within a minute before it may not connect to the SFTP server for the rest of it.',
    defaultValue: 60,
    min: 1,
    max: 1_000_000,
  }),
  sftpIdleMs: integerSetting({
    description: 'A session of the SFTP server without a request for this long is ended, in milliseconds.',
    defaultValue: 300_000,
    min: 1_000,
    max: 86_400_000,
  }),
  objectStore: textSetting({
    description: 'Where sealed objects are kept: in the data folder, or in a bucket or container (docs/operating/storage.md).',
    defaultValue: 'local',
    pattern: /^(local|(s3|azure-blob|gcs):\/\/[^\s@#]{3,900})$/,
    allowedText:
      'local, s3://bucket/folder?region=…, azure-blob://account/container/folder or gcs://bucket/folder, each with &endpoint=… where the service is elsewhere',
  }),
  objectStoreKeyId: secretReferenceSetting({ description: 'Id of the access key of an object store at S3.' }),
  objectStoreSecret: secretReferenceSetting({
    description:
      'What opens a remote object store: the secret access key (S3), an account key or SAS token (Azure), the JSON key of a service account or an access token (Google).',
  }),
  masterKey: secretReferenceSetting({
    description: 'The key that seals every tenant key: 32 bytes in base64. With several versions the highest seals, the others still open.',
    isVersioned: true,
    defaultText: 'a file in the data folder, generated with mode 0600',
  }),
  signingKey: secretReferenceSetting({
    description: 'The Ed25519 private key that signs receipts, in PEM.',
    defaultText: 'a file in the data folder, generated with mode 0600',
  }),
  requestBytesMax: integerSetting({
    description: 'Largest body of an API request that is not an upload, in bytes.',
    defaultValue: mebibyte,
    min: 1024,
    max: 64 * mebibyte,
  }),
  uploadBytesMax: integerSetting({
    description:
      'Largest file that an upload may bring, by HTTP or to the SFTP server, in bytes; `limits.maxSize` of a source bounds the files of every kind.',
    defaultValue: 50 * gibibyte,
    min: 1,
    max: 1024 * gibibyte,
  }),
  freeDiskBytesMin: integerSetting({
    description: "Below so many free bytes on the data folder's disk, uploads are refused with 507 and the process is not ready.",
    defaultValue: 256 * mebibyte,
    min: 0,
    max: 512 * 1024 * gibibyte,
  }),
  uploadIdleMs: integerSetting({
    description: 'An upload that sends nothing for this long is cut, in milliseconds.',
    defaultValue: 30_000,
    min: 100,
    max: 600_000,
  }),
  requestTimeoutMs: integerSetting({
    description: 'Longest time for the headers of a request, and for the body of one that is not an upload, in milliseconds.',
    defaultValue: 30_000,
    min: 100,
    max: 600_000,
  }),
  httpConnectionsMax: integerSetting({
    description: 'Most open connections to the API; those that have not shown a valid key yet take half of them at most.',
    defaultValue: 1_000,
    min: 1,
    max: 100_000,
  }),
  tenantConnectionsMax: integerSetting({
    description: 'Most open connections, and most requests under way, of one tenant at one process.',
    defaultValue: 200,
    min: 1,
    max: 100_000,
  }),
  packedUploadsMax: integerSetting({
    description:
      'Most uploads of archives or packed with zstd that one process unpacks at once, 8 to 16 MiB of memory each; one tenant has a quarter of them.',
    defaultValue: 32,
    min: 4,
    max: 1_000,
  }),
  exportsMax: integerSetting({
    description: 'Most exports of jobs that one process makes at once, for all tenants; one tenant has four at most.',
    defaultValue: 16,
    min: 1,
    max: 1_000,
  }),
} as const;

export type SettingName = keyof typeof settingsCatalogue;
export type Settings = { readonly [Name in SettingName]: ReturnType<(typeof settingsCatalogue)[Name]['parse']> };

/** Variables that are no settings: of tests and tools. Everything that starts with HEADGATE_SECRET_, HEADGATE_TEST_ or HEADGATE_BENCH_ is allowed as well. */
export const toolVariables = {
  HEADGATE_REQUIRE: 'Names of components, separated by commas, whose absence fails the tests instead of skipping them.',
  HEADGATE_API_KEY: 'The key that commands of the CLI present to the API.',
  HEADGATE_URL: 'Where commands of the CLI find the API.',
} as const;
