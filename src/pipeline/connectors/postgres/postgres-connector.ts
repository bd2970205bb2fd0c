/** The postgres connector. */
import type { Connector } from '../connector.ts';
import { postgresConnectionSettings, postgresTargetSettings } from './postgres-settings.ts';
import { openPostgresTarget } from './postgres-target.ts';
import { targetDdl } from './target-ddl.ts';

export const postgresConnector: Connector = {
  name: 'postgres',
  summary: 'Rows of a PostgreSQL table, a transaction for each batch.',
  documentation: 'connectors/postgres.md',
  connectionType: 'postgres',
  bodies: ['ndjson'],
  targetSettings: postgresTargetSettings,
  connectionSettings: postgresConnectionSettings,
  open: openPostgresTarget,
  prepare: targetDdl,
};
