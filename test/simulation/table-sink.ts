/**
 * A downstream database: its own database and role, one table without any key, so that a record written twice is seen twice,
 * and the effects table that the connector asks for.
 */
import { randomBytes } from 'node:crypto';
import type { Db } from '../../src/platform/postgres/database.ts';
import type { EmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { createDatabaseIfMissing } from '../../src/platform/postgres/open-database.ts';
import { openPool } from '../../src/platform/postgres/pool.ts';

export interface TableSink {
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** As the superuser of the sink. */
  readonly db: Db;
}

/** `tables`: what the owner of a target's database is told to make. */
export async function createTableSink(cluster: EmbeddedPostgres, database: string, tables: string): Promise<TableSink> {
  const user = `${database}_writer`;
  const password = randomBytes(18).toString('base64url');
  await createDatabaseIfMissing(cluster.adminUrl('postgres'), database);
  const db = openPool({ url: cluster.adminUrl(database), applicationName: 'headgate soak sink', connectionsMax: 2 });
  await db.query(`/* make sink role */ create role ${user} login password '${password}'`);
  for (const statement of tables.split(/;\s*$/m)) if (statement.trim() !== '') await db.query(`/* make sink tables */ ${statement}`);
  await db.query(`/* let the sink role write */ grant select, insert, update on all tables in schema public to ${user}`);
  return { database, user, password, db };
}
