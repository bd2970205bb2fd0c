/** Settings of postgres targets and connections, and the checks that need more than one of them. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { OpenOptions } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { type ConnectorSetting, readSettings } from '../connector-settings.ts';

export const postgresTargetSettings: readonly ConnectorSetting[] = [
  {
    name: 'table',
    type: 'text',
    isRequired: true,
    default: null,
    description: 'Table, or schema.table, in lower case; its columns are named as the output fields.',
  },
  {
    name: 'mode',
    type: 'choice',
    choices: ['insert', 'upsert'],
    default: 'insert',
    description: '`upsert` replaces the row with the same keys.',
  },
  { name: 'keys', type: 'texts', default: null, description: 'upsert: the output fields that tell rows apart.' },
];

export const postgresConnectionSettings: readonly ConnectorSetting[] = [
  { name: 'host', type: 'text', isRequired: true, default: null, description: 'Host name or address; no sockets.' },
  { name: 'port', type: 'integer', default: 5432, description: 'Port.' },
  { name: 'database', type: 'text', isRequired: true, default: null, description: 'Database.' },
  { name: 'user', type: 'text', isRequired: true, default: null, description: 'Role.' },
  { name: 'password', type: 'secret', isRequired: true, default: null, description: 'Reference to its password.' },
  {
    name: 'tls',
    type: 'choice',
    choices: ['verify-full', 'require', 'disable'],
    default: 'verify-full',
    description: '`disable` only where the policy allows plain connections.',
  },
  { name: 'certificateAuthority', type: 'secret', default: null, description: 'PEM of the authority that signed the server.' },
];

export interface PostgresSettings {
  readonly table: TableName;
  readonly mode: 'insert' | 'upsert';
  readonly keys: readonly string[];
  readonly columns: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls: 'verify-full' | 'require' | 'disable';
  readonly certificateAuthority: string | null;
}

export interface TableName {
  /** `public` where the flow names none: search paths are no business of a flow. */
  readonly schema: string;
  readonly name: string;
}

/** Made by `headgate target ddl`, in the schema of the target's table. */
export const effectsTable = 'headgate_effects';

/** Fails with E_TARGET. */
export function readPostgresSettings({ plan, target, connection, egress }: OpenOptions): PostgresSettings {
  const own = readSettings(postgresTargetSettings, target.settings);
  const server = readSettings(postgresConnectionSettings, connection.settings);
  const refuse = (message: string): never => {
    throw new HeadgateError(connectorErrors.E_TARGET, message);
  };
  if (target.body.format !== 'ndjson') refuse('a postgres target needs a body of format ndjson');
  const columns = plan.output.map(({ name }) => name);
  const keys = (own['keys'] as readonly string[] | undefined) ?? [];
  if (own['mode'] === 'upsert' && keys.length === 0) refuse('mode upsert needs keys');
  if (own['mode'] === 'insert' && keys.length > 0) refuse('keys are for mode upsert');
  if (keys.some((key) => !columns.includes(key))) refuse('a key of the target is no output field');
  const host = server['host'] as string;
  if (!/^[A-Za-z0-9._:-]{1,253}$/.test(host)) refuse('the host of the connection is no host name or address');
  if (server['tls'] === 'disable' && !egress.allowPlain) refuse("PostgreSQL without TLS needs `egress.allowPlain` in the tenant's policy");
  return {
    table: tableName(own['table'] as string),
    mode: own['mode'] as PostgresSettings['mode'],
    keys,
    columns,
    host,
    port: server['port'] as number,
    database: server['database'] as string,
    user: server['user'] as string,
    password: server['password'] as string,
    tls: server['tls'] as PostgresSettings['tls'],
    certificateAuthority: (server['certificateAuthority'] as string | undefined) ?? null,
  };
}

/** Fails with E_TARGET for anything but one or two plain lower-case names. */
export function tableName(text: string): TableName {
  const match = /^(?:([a-z_][a-z0-9_]{0,62})\.)?([a-z_][a-z0-9_]{0,62})$/.exec(text);
  if (match === null) throw new HeadgateError(connectorErrors.E_TARGET, 'the table of the target is no table name');
  return { schema: match[1] ?? 'public', name: match[2]! };
}

/** Never text of a value: names only. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable({ schema, name }: TableName): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}
