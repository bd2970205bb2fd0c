/**
 * A database of one's own for a test file: a clone of the migrated template, with the product's real roles. Cloning takes
 * tens of milliseconds. The database goes when `drop` is called, at the latest with the run's server.
 */
import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import type { Db } from '../../src/platform/postgres/database.ts';
import { roleNames } from '../../src/platform/postgres/database-roles.ts';
import { openPool } from '../../src/platform/postgres/pool.ts';

export interface TestDatabase {
  /** As the product runs: headgate_app, under row-level security. */
  readonly db: Db;
  /** headgate_owner: may change the schema; sees no tenant's rows without a tenant scope, as RLS is forced. */
  readonly ownerDb: Db;
  /** Superuser, past row-level security: to plant and to inspect across tenants, never to run product code. */
  readonly adminDb: Db;
  readonly name: string;
  /** Connection strings of headgate_app and of the superuser. */
  readonly url: string;
  readonly adminUrl: string;
  /** Closes the three pools and drops the database, whoever is still connected. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  readonly connectionsMax?: number;
  /** Start from an empty database instead of the migrated template. */
  readonly isEmpty?: boolean;
}

let admin: Db | undefined;

/** Call in beforeAll, and `drop` in afterAll. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = inject('testPostgres');
  admin ??= openPool({ url: `${server.adminUrl}/postgres`, applicationName: 'headgate test support', connectionsMax: 2 });
  const owner = admin;
  const name = `headgate_test_${randomBytes(6).toString('hex')}`;
  const template = options.isEmpty ? 'template0' : server.template;
  await owner.query(`/* clone template */ create database ${name} template ${template}`);
  const adminUrl = `${server.adminUrl}/${name}`;
  const url = new URL(adminUrl);
  url.username = roleNames.app;
  url.password = server.appPassword;
  const connectionsMax = options.connectionsMax ?? 10;
  const db = openPool({ url: url.href, applicationName: 'headgate test', connectionsMax });
  const ownerDb = openPool({ url: adminUrl, applicationName: 'headgate test owner', connectionsMax: 3, role: roleNames.owner });
  const adminDb = openPool({ url: adminUrl, applicationName: 'headgate test admin', connectionsMax: 3 });
  let dropped: Promise<void> | undefined;
  return {
    db,
    ownerDb,
    adminDb,
    name,
    url: url.href,
    adminUrl,
    drop() {
      dropped ??= (async () => {
        await Promise.all([db.close(), ownerDb.close(), adminDb.close()]);
        await owner.query(`/* drop database */ drop database if exists ${name} with (force)`);
      })();
      return dropped;
    },
  };
}
