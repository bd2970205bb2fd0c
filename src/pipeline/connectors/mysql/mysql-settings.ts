/** Settings of mysql targets and connections, and the checks that need more than one of them. */
import { isIP } from 'node:net';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { OutputFieldPlan } from '../../engine/plan.ts';
import type { OpenOptions } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { type ConnectorSetting, readSettings } from '../connector-settings.ts';

export const mysqlTargetSettings: readonly ConnectorSetting[] = [
  {
    name: 'table',
    type: 'text',
    isRequired: true,
    default: null,
    description: 'Table, or database.table, in lower case; its columns are named as the output fields.',
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

export const mysqlConnectionSettings: readonly ConnectorSetting[] = [
  { name: 'host', type: 'text', isRequired: true, default: null, description: 'Host name or address; no sockets.' },
  { name: 'port', type: 'integer', default: 3306, description: 'Port.' },
  { name: 'database', type: 'text', isRequired: true, default: null, description: 'Database.' },
  { name: 'user', type: 'text', isRequired: true, default: null, description: 'User.' },
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

export interface MysqlSettings {
  readonly table: TableName;
  readonly mode: 'insert' | 'upsert';
  readonly keys: readonly string[];
  readonly columns: readonly OutputFieldPlan[];
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls: 'verify-full' | 'require' | 'disable';
  readonly certificateAuthority: string | null;
}

export interface TableName {
  /** Null: the connection's. */
  readonly database: string | null;
  readonly name: string;
}

/** Made by `headgate target ddl`, in the database of the target's table. */
export const effectsTable = 'headgate_effects';

const databasesOfTheServer = ['mysql', 'information_schema', 'performance_schema', 'sys'];

/** Fails with E_TARGET. */
export function readMysqlSettings({ plan, target, connection, egress }: OpenOptions): MysqlSettings {
  const own = readSettings(mysqlTargetSettings, target.settings);
  const server = readSettings(mysqlConnectionSettings, connection.settings);
  const refuse = (message: string): never => {
    throw new HeadgateError(connectorErrors.E_TARGET, message);
  };
  if (target.body.format !== 'ndjson') refuse('a mysql target needs a body of format ndjson');
  const keys = (own['keys'] as readonly string[] | undefined) ?? [];
  if (own['mode'] === 'upsert' && keys.length === 0) refuse('mode upsert needs keys');
  if (own['mode'] === 'insert' && keys.length > 0) refuse('keys are for mode upsert');
  if (keys.some((key) => !plan.output.some(({ name }) => name === key))) refuse('a key of the target is no output field');
  const host = server['host'] as string;
  if (!/^[A-Za-z0-9._:-]{1,253}$/.test(host)) refuse('the host of the connection is no host name or address');
  if (server['tls'] === 'disable' && !egress.allowPlain) refuse("MySQL without TLS needs `egress.allowPlain` in the tenant's policy");
  // The client can't compare an address with a certificate.
  if (server['tls'] === 'verify-full' && isIP(host) !== 0) refuse('tls verify-full needs a host name, which the certificate has');
  const table = tableName(own['table'] as string);
  const database = server['database'] as string;
  if (databasesOfTheServer.includes((table.database ?? database).toLowerCase())) refuse('the tables of the server itself are no targets');
  return {
    table,
    mode: own['mode'] as MysqlSettings['mode'],
    keys,
    columns: plan.output,
    host,
    port: server['port'] as number,
    database,
    user: server['user'] as string,
    password: server['password'] as string,
    tls: server['tls'] as MysqlSettings['tls'],
    certificateAuthority: (server['certificateAuthority'] as string | undefined) ?? null,
  };
}

/** Fails with E_TARGET for anything but one or two plain lower-case names. */
export function tableName(text: string): TableName {
  const match = /^(?:([a-z_][a-z0-9_]{0,62})\.)?([a-z_][a-z0-9_]{0,62})$/.exec(text);
  if (match === null) throw new HeadgateError(connectorErrors.E_TARGET, 'the table of the target is no table name');
  return { database: match[1] ?? null, name: match[2]! };
}

/** Never text of a value: names only. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function quoteTable({ database, name }: TableName): string {
  return database === null ? quoteName(name) : `${quoteName(database)}.${quoteName(name)}`;
}
