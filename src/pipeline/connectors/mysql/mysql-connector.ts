/** The mysql connector: MySQL and MariaDB. */
import type { Connector } from '../connector.ts';
import { mysqlDdl } from './mysql-ddl.ts';
import { mysqlConnectionSettings, mysqlTargetSettings } from './mysql-settings.ts';
import { openMysqlTarget } from './mysql-target.ts';

export const mysqlConnector: Connector = {
  name: 'mysql',
  summary: 'Rows of a MySQL or MariaDB table, a transaction for each batch.',
  documentation: 'connectors/mysql.md',
  connectionType: 'mysql',
  bodies: ['ndjson'],
  targetSettings: mysqlTargetSettings,
  connectionSettings: mysqlConnectionSettings,
  open: openMysqlTarget,
  prepare: mysqlDdl,
};
