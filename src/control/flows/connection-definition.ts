/** What a Connection says of each type, as it is once a document was read: checked keys with their defaults. Secrets are references. */
import type { PgpKeysOfConnection } from './pgp-keys.ts';

export interface FolderConnection extends PgpKeysOfConnection {
  readonly type: 'folder';
  readonly root: string;
}

export interface AmqpConnection {
  readonly type: 'amqp';
  readonly host: string;
  readonly port?: number;
  readonly protocol: 'amqp-0-9-1' | 'amqp-1.0';
  readonly vhost: string;
  readonly user: string;
  readonly password: string;
  readonly tls: 'verify-full' | 'require' | 'disable';
  readonly certificateAuthority?: string;
  readonly maxMessageBytes: number;
}

export interface KafkaConnection {
  readonly type: 'kafka';
  readonly brokers: readonly string[];
  readonly tls: 'verify-full' | 'require' | 'disable';
  readonly certificateAuthority?: string;
  readonly sasl: 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly user?: string;
  readonly password?: string;
  readonly maxMessageBytes: number;
}

export interface PostgresConnection {
  readonly type: 'postgres';
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls: 'verify-full' | 'require' | 'disable';
  readonly certificateAuthority?: string;
}

export interface MysqlConnection extends Omit<PostgresConnection, 'type'> {
  readonly type: 'mysql';
}

/** A password or a private key. */
export interface SftpConnection extends PgpKeysOfConnection {
  readonly type: 'sftp';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly privateKey?: string;
  readonly passphrase?: string;
  readonly hostKeys: readonly string[];
  readonly root: string;
}

/** A user of the SFTP server. */
export interface SftpServerConnection {
  readonly type: 'sftp-server';
  readonly publicKeys: readonly string[];
  readonly maxSessions: number;
  readonly maxUploads: number;
  readonly filesPerMinute: number;
  readonly bytesPerMinute: number;
}

/** References to keys that files of sources are decrypted and verified with. */
export interface PgpConnection {
  readonly type: 'pgp';
  readonly privateKey: string;
  readonly passphrase?: string;
  readonly signers: readonly string[];
  readonly signature: 'required' | 'optional';
}
