/** `kind: Connection` and `Environment`: what flows name, and what binds the names; and the list of all kinds. */
import { blobConnections } from './blob-shapes.ts';
import { flowKeys } from './flow-shape.ts';
import { flowTestKeys } from './flow-test-shape.ts';
import { pgpKeys } from './pgp-shapes.ts';
import { metadata, tenantPolicyKeys } from './policy-shape.ts';
import { choice, integer, type Key, list, name, object, type Shape, text, type VariantShape } from './shape.ts';

const secret: Shape = { kind: 'secret' };
const headerName = text('a header name', '^[A-Za-z0-9-]{1,64}$', 64);
const type: Key = { shape: text(), required: true, description: 'Kind of connection.' };

const connectionShape: VariantShape = {
  kind: 'variant',
  tag: 'type',
  variants: {
    folder: object({
      type,
      root: {
        shape: text('an absolute path without ..', '^/(?!.*(^|/)\\.\\.(/|$))[^\\u0000-\\u001f]*$', 500),
        required: true,
        description: 'The folder; nothing outside it is touched.',
      },
      ...pgpKeys,
    }),
    pgp: object({
      type,
      privateKey: {
        shape: secret,
        required: true,
        description:
          'Armored OpenPGP private key that files of sources are encrypted to, or several: while senders change over, that of before too.',
      },
      passphrase: { shape: secret, description: 'What the private key is encrypted with.' },
      signers: {
        shape: { kind: 'list', of: secret, min: 0, max: 20 },
        default: [],
        description: 'Armored OpenPGP public keys whose signatures count.',
      },
      signature: {
        shape: choice(['required', 'optional']),
        default: 'required',
        description: 'Whether a file that none of `signers` has signed is refused.',
      },
    }),
    http: object({
      type,
      baseUrl: {
        shape: text('an address such as https://api.example.org/payments', '^https?://[^\\s\\u0000-\\u001f]+$', 500),
        required: true,
        description: 'https, or http where the policy allows it; no user, query or fragment.',
      },
      auth: {
        default: { type: 'none' },
        description: 'How requests are authenticated.',
        shape: {
          kind: 'variant',
          tag: 'type',
          variants: {
            none: object({ type }),
            bearer: object({ type, token: { shape: secret, required: true, description: 'The token.' } }),
            basic: object({
              type,
              user: { shape: text('a user name', '^[^:\\u0000-\\u001f]+$', 200), required: true, description: 'The user.' },
              password: { shape: secret, required: true, description: 'The password.' },
            }),
            header: object({
              type,
              name: { shape: headerName, required: true, description: 'The header.' },
              value: { shape: secret, required: true, description: 'Its value.' },
            }),
            oauth2: object({
              type,
              tokenUrl: {
                shape: text('an address such as https://id.example.org/oauth2/token', '^https?://[^\\s\\u0000-\\u001f]+$', 500),
                required: true,
                description: 'Token endpoint, under the same rules as `baseUrl`.',
              },
              clientId: { shape: text('visible ASCII characters', '^[\\x21-\\x7e]+$', 200), required: true, description: 'The client.' },
              clientSecret: { shape: secret, required: true, description: 'Its secret.' },
              scope: {
                shape: text('scopes with a space between', '^[\\x21-\\x7e]+( [\\x21-\\x7e]+)*$', 1_000),
                description: 'What is asked for.',
              },
              audience: {
                shape: text('visible ASCII characters', '^[\\x21-\\x7e]+$', 500),
                description: 'For whom, where the endpoint wants to know.',
              },
              clientAuth: {
                shape: choice(['basic', 'body']),
                default: 'basic',
                description: 'Whether the client shows its secret in the Authorization header or in the body.',
              },
              certificateAuthority: {
                shape: secret,
                description: "PEM of the authority that signed the token endpoint; by default the connection's.",
              },
            }),
          },
          laterVariants: ['aws'],
          later: [],
        },
      },
      signature: {
        description: 'Every request is signed with a shared secret (HMAC-SHA-256), whatever `auth` says.',
        shape: object({
          scheme: {
            shape: choice(['message-signature', 'timestamp']),
            default: 'message-signature',
            description:
              'HTTP Message Signatures (RFC 9421), or time, method, path and hash of the body in headers whose names are set here.',
          },
          keyId: {
            shape: text('visible ASCII characters', '^[\\x21-\\x7e]+$', 200),
            required: true,
            description: 'By which the service knows the secret.',
          },
          secret: { shape: secret, required: true, description: 'The shared secret.' },
          signatureHeader: { shape: headerName, description: 'timestamp: header of the signature in hex; by default X-Signature.' },
          timestampHeader: { shape: headerName, description: 'timestamp: header of the time in seconds; by default X-Timestamp.' },
          keyIdHeader: { shape: headerName, description: 'timestamp: header of the key id; by default X-Key-Id.' },
        }),
      },
      certificateAuthority: { shape: secret, description: 'PEM of the authority that signed the server, where it is not a public one.' },
      clientCertificate: {
        shape: secret,
        description: 'PEM of the certificate that is shown to the server, with its chain; goes with `clientKey`.',
      },
      clientKey: { shape: secret, description: 'PEM of the private key of the client certificate.' },
      healthPath: {
        shape: text('a path that begins with /', '^/(?!/)[^\\u0000-\\u0020#?\\\\]*$', 500),
        description:
          'Below the base address; answers GET with 2xx while the service is well. Without it a probe sends OPTIONS to the path of the target.',
      },
    }),
    amqp: object({
      type,
      host: {
        shape: text('a host name or address', '^[A-Za-z0-9._:-]{1,253}$', 253),
        required: true,
        description: 'The broker.',
      },
      port: { shape: integer(1, 65_535), description: 'Its port; by default 5671, and 5672 without TLS.' },
      protocol: {
        shape: choice(['amqp-0-9-1', 'amqp-1.0']),
        default: 'amqp-0-9-1',
        description: 'What is spoken; 1.0 with the addresses of RabbitMQ 4.',
      },
      vhost: { shape: text('a virtual host', '^[\\x20-\\x7e]+$', 255), default: '/', description: 'Virtual host.' },
      user: { shape: text('a user name', '^[^\\u0000-\\u001f]+$', 200), required: true, description: 'The user.' },
      password: { shape: secret, required: true, description: 'Its password.' },
      tls: {
        shape: choice(['verify-full', 'require', 'disable']),
        default: 'verify-full',
        description: '`disable` only where the policy allows plain connections.',
      },
      certificateAuthority: { shape: secret, description: 'PEM of the authority that signed the broker.' },
      maxMessageBytes: {
        shape: integer(1_024, 512 * 1024 * 1024),
        default: 16 * 1024 * 1024,
        description: 'The largest message that the broker takes; a larger record is refused alone.',
      },
    }),
    kafka: object({
      type,
      brokers: {
        shape: list(text('host:port', '^(\\[[0-9A-Fa-f:.]{2,45}\\]|[A-Za-z0-9._-]{1,253}):[0-9]{1,5}$', 260), { min: 1, max: 20 }),
        required: true,
        description: 'Brokers that are asked first, in order; they name the others.',
      },
      tls: {
        shape: choice(['verify-full', 'require', 'disable']),
        default: 'verify-full',
        description: '`disable` only where the policy allows plain connections.',
      },
      certificateAuthority: { shape: secret, description: 'PEM of the authority that signed the brokers.' },
      sasl: {
        shape: choice(['none', 'plain', 'scram-sha-256', 'scram-sha-512']),
        default: 'none',
        description: 'How the user is authenticated.',
      },
      user: { shape: text('a user name', '^[^\\u0000-\\u001f]+$', 200), description: 'The user, with `sasl`.' },
      password: { shape: secret, description: 'Its password, with `sasl`.' },
      maxMessageBytes: {
        shape: integer(10_240, 64 * 1024 * 1024),
        default: 1_000_000,
        description: 'The most that the topic takes at once (its max.message.bytes); a larger record is refused alone.',
      },
    }),
    postgres: object({
      type,
      host: {
        shape: text('a host name or address', '^[A-Za-z0-9._:-]{1,253}$', 253),
        required: true,
        description: 'The server; no sockets.',
      },
      port: { shape: integer(1, 65_535), default: 5432, description: 'Its port.' },
      database: { shape: text('a database name', '^[A-Za-z_][A-Za-z0-9_-]{0,62}$', 63), required: true, description: 'The database.' },
      user: { shape: text('a role name', '^[A-Za-z_][A-Za-z0-9_-]{0,62}$', 63), required: true, description: 'The role.' },
      password: { shape: secret, required: true, description: 'Its password.' },
      tls: {
        shape: choice(['verify-full', 'require', 'disable']),
        default: 'verify-full',
        description: '`disable` only where the policy allows plain connections.',
      },
      certificateAuthority: { shape: secret, description: 'PEM of the authority that signed the server.' },
    }),
    mysql: object({
      type,
      host: {
        shape: text('a host name or address', '^[A-Za-z0-9._:-]{1,253}$', 253),
        required: true,
        description: 'The server, MySQL or MariaDB, by its name; an address only without `tls: verify-full`; no sockets.',
      },
      port: { shape: integer(1, 65_535), default: 3306, description: 'Its port.' },
      database: { shape: text('a database name', '^[A-Za-z_][A-Za-z0-9_-]{0,62}$', 63), required: true, description: 'The database.' },
      user: { shape: text('a user name', '^[^\\u0000-\\u001f]+$', 128), required: true, description: 'The user.' },
      password: { shape: secret, required: true, description: 'Its password.' },
      tls: {
        shape: choice(['verify-full', 'require', 'disable']),
        default: 'verify-full',
        description: '`disable` only where the policy allows plain connections.',
      },
      certificateAuthority: { shape: secret, description: 'PEM of the authority that signed the server.' },
    }),
    sftp: object({
      type,
      host: {
        shape: text('a host name or address', '^[A-Za-z0-9._:-]{1,253}$', 253),
        required: true,
        description: 'The server.',
      },
      port: { shape: integer(1, 65_535), default: 22, description: 'Its port.' },
      user: { shape: text('a user name', '^[^\\s\\u0000-\\u001f]+$', 200), required: true, description: 'The user.' },
      password: { shape: secret, description: 'Its password; this or `privateKey`.' },
      privateKey: { shape: secret, description: 'Its private key, as OpenSSH or PEM writes it; this or `password`.' },
      passphrase: { shape: secret, description: 'What the private key is encrypted with.' },
      hostKeys: {
        shape: list(
          text('SHA256:… as `ssh-keygen -lf` prints it, or a public key as `ssh-keyscan` does', '^[A-Za-z0-9][^\\u0000-\\u001f]+$', 4_000),
          {
            min: 1,
            max: 10,
          },
        ),
        required: true,
        description: 'Keys of the server that are trusted: fingerprints, or public keys. A server that shows another is never used.',
      },
      root: {
        shape: text('a folder without ..', '^(?!.*(^|/)\\.\\.(/|$))[^\\u0000-\\u001f]+$', 500),
        default: '.',
        description:
          'The folder at the server, below the one in which sessions of the user start unless it begins with a slash; nothing outside it is touched.',
      },
      ...pgpKeys,
    }),
    'sftp-server': object({
      type,
      publicKeys: {
        shape: list(text('a public key, as ssh-keygen writes it into id_*.pub', '^[a-z][^\\u0000-\\u001f]+$', 4_000), { min: 1, max: 10 }),
        required: true,
        description:
          'Keys with which the user logs in, as `<tenant>.<name of this connection>`: Ed25519, ECDSA, or RSA of 2048 bits at least.',
      },
      maxSessions: { shape: integer(1, 64), default: 8, description: 'Sessions at once, at each process.' },
      maxUploads: { shape: integer(1, 64), default: 8, description: 'Files that are being written at once, at each process.' },
      filesPerMinute: { shape: integer(1, 100_000), default: 600, description: 'Files that the user may bring within a minute.' },
      bytesPerMinute: {
        shape: { kind: 'size', minBytes: 1, maxBytes: 1024 ** 4 },
        default: '20GiB',
        description: 'Bytes that the user may bring within a minute before the next file is refused.',
      },
    }),
    ...blobConnections,
  },
  laterVariants: ['ftps', 'jms', 'oracle', 'sqlserver', 'mongodb', 'smtp'],
  later: ['proxy', 'pool'],
};

export const connectionKeys: Readonly<Record<string, Key>> = {
  metadata,
  spec: { required: true, description: 'The connection itself.', shape: connectionShape },
};

export const environmentKeys: Readonly<Record<string, Key>> = {
  metadata,
  spec: {
    required: true,
    description: 'The environment itself.',
    shape: object({
      stage: { shape: choice(['development', 'test', 'production']), required: true, description: 'What it is for.' },
      connections: {
        default: {},
        description: 'Which connection stands behind a name that flows use. A name that is not here stands for itself.',
        shape: { kind: 'map', keyPattern: name.pattern!, keyExpected: name.expected!, of: name, min: 0, max: 500 },
      },
    }),
  },
};

export const documentKinds = {
  FlowDefinition: flowKeys,
  Connection: connectionKeys,
  Environment: environmentKeys,
  TenantPolicy: tenantPolicyKeys,
} as const;
export type DocumentKind = keyof typeof documentKinds;
/** With those that people write and nobody applies. */
export const writtenKinds = { ...documentKinds, FlowTest: flowTestKeys } as const;
export type WrittenKind = keyof typeof writtenKinds;
export const laterKinds = ['Calendar'];
export const apiVersion = 'headgate/v1';

/** The whole document of a kind. */
export function documentShape(kind: WrittenKind): Extract<Shape, { kind: 'object' }> {
  return object({
    apiVersion: { shape: choice([apiVersion]), required: true, description: 'Version of this language.' },
    kind: { shape: choice([kind]), required: true, description: 'What the document is.' },
    ...writtenKinds[kind],
  });
}
