/**
 * The flow of a soak with all targets: files by upload, folder and SFTP, and one target of each kind that keeps the order of
 * keys. Few keys of a file and many files of a key, so that order within files and over them can be told.
 */

/** Where the outside parties of this flow listen. */
export interface WidePlace {
  /** host:port */
  readonly broker: string;
  readonly topic: string;
  readonly queuePort: number;
  readonly queueUser: string;
  readonly ledgerPort: number;
  readonly ledgerDatabase: string;
  readonly ledgerUser: string;
  readonly sftpPort: number;
  readonly sftpUser: string;
  /** A line of a known_hosts file without its name. */
  readonly sftpHostKey: string;
}

export const queueName = 'TRANSFERS';

/** Variables of the serving processes. */
export const wideSecretVariables = {
  table: 'HEADGATE_SECRET_EAST__SINK',
  queue: 'HEADGATE_SECRET_EAST__MQ',
  ledger: 'HEADGATE_SECRET_EAST__LEDGER',
  sftp: 'HEADGATE_SECRET_EAST__SFTP',
} as const;

/** Connections by name: their kinds and settings, as the text of a `spec`. */
export function wideConnections(place: WidePlace): Readonly<Record<string, string>> {
  const { queue, ledger, sftp } = wideSecretVariables;
  return {
    topic: `{ type: kafka, brokers: ["${place.broker}"], tls: disable }`,
    queue: `{ type: amqp, host: 127.0.0.1, port: ${place.queuePort}, user: ${place.queueUser}, password: "env:${queue}", tls: disable }`,
    ledger: `{ type: mysql, host: 127.0.0.1, port: ${place.ledgerPort}, database: ${place.ledgerDatabase}, user: ${place.ledgerUser}, password: "env:${ledger}", tls: disable }`,
    server: `{ type: sftp, host: 127.0.0.1, port: ${place.sftpPort}, user: ${place.sftpUser}, privateKey: "env:${sftp}", hostKeys: [${JSON.stringify(place.sftpHostKey)}] }`,
  };
}

/** `sources`: the block of that name with upload and folder; `targetDefaults`: the line of that name. */
export function transfersFlow(topic: string, { sources, targetDefaults }: { readonly sources: string; readonly targetDefaults: string }) {
  return `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: east, service: soak, name: transfers, version: 1.0.0 }
spec:
  ${sources}
    - { id: partner, type: sftp, connection: server, path: in, match: "*.csv", ready: { stableFor: 2s }, poll: 1s }
  format: { type: delimited, header: true }
  schema:
    record:
      key: [account]
      fields:
        id: { type: string, required: true, pattern: "^[A-Z][0-9]{6}-[0-9]{4}$" }
        account: { type: string, required: true }
        amount: { type: decimal, scale: 2, required: true, currency: currency, sum: true }
        currency: { type: currency, required: true }
        note: { type: string }
  validate:
    - { id: positive, assert: "record.amount > 0", code: AMT01, message: "Amount must be above zero" }
  routes:
    mode: all
    rules:
      - { id: every, when: "record.amount > 0", to: [kafka, rabbitmq, mariadb] }
      - { id: large, when: "record.amount >= decimal('5000')", to: [http] }
      - { id: huge, when: "record.amount >= decimal('80000')", to: [sftp] }
      - { id: small, when: "record.amount < decimal('5000')", to: [postgres] }
    default: { to: [kafka, rabbitmq, mariadb] }
  targets:
    kafka: { type: kafka, connection: topic, topic: ${topic}, key: "out.account", order: by-key, batch: { size: 20 } }
    rabbitmq: { type: amqp, connection: queue, queue: ${queueName}, order: by-key, batch: { size: 20 } }
    mariadb: { type: mysql, connection: ledger, table: transfer, mode: insert, order: by-key, batch: { size: 20 } }
    postgres: { type: postgres, connection: table, table: transfer, mode: insert, order: by-key, batch: { size: 20 } }
    http: { type: http, connection: service, path: /transfers, order: by-key, batch: { size: 20 } }
    sftp: { type: sftp, connection: server, path: courier, format: csv, order: by-key }
  ${targetDefaults}
`;
}
