/**
 * Gives the application its database: starts or adopts the embedded PostgreSQL and migrates it, or connects to the server
 * that the settings name, which only `headgate migrate up` changes. Either way the start-up guard has its say first. An
 * embedded server that dies is started again.
 */
import type { Clock, Rng, Sleep } from '../base/ports.ts';
import type { Db } from './database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { type WatchOptions, watchEmbedded } from './embedded-watch.ts';
import { migrateUp } from './migrate.ts';
import { openPool, type PoolOptions } from './pool.ts';
import { isServerError } from './postgres-errors.ts';
import { guardStartUp } from './start-up-guard.ts';

export interface OpenDatabaseOptions {
  readonly dataDir: string;
  /** Connection string of headgate_app on a server of one's own; left out, the embedded PostgreSQL is used. */
  readonly databaseUrl?: string;
  readonly applicationName: string;
  readonly connectionsMax?: number;
  readonly observe?: PoolOptions['observe'];
  /** Told when the embedded server had died and was started again, or could not be; for logs. */
  readonly onRestart?: WatchOptions['onRestart'];
  readonly onUnseen?: WatchOptions['onUnseen'];
  readonly ports: { readonly clock: Clock; readonly rng: Rng; readonly sleep: Sleep };
}

export interface OpenDatabase {
  readonly db: Db;
  /** The application's connection string; it holds a password, so it is never logged. */
  readonly url: string;
  readonly embedded: EmbeddedPostgres | undefined;
  /** Closes the pool, then ends this process's use of the embedded server. */
  close(): Promise<void>;
}

const embeddedDatabase = 'headgate';

/** Rejects with the codes of embedded-errors, migration-errors and postgres-errors; nothing stays open then. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<OpenDatabase> {
  const { dataDir, ports } = options;
  // Its own bound on connections, not this process's: several processes and commands share the server.
  const embedded = options.databaseUrl === undefined ? await startEmbeddedPostgres({ dataDir, ports }) : undefined;
  let db: Db | undefined;
  try {
    if (embedded) await prepareEmbedded(embedded, options);
    const url = options.databaseUrl ?? embedded!.appUrl(embeddedDatabase);
    db = openPool({ url, applicationName: options.applicationName, connectionsMax: options.connectionsMax, observe: options.observe });
    await guardStartUp(db);
    const opened = db;
    const endWatch = embedded
      ? watchEmbedded(embedded, { sleep: options.ports.sleep, onRestart: options.onRestart, onUnseen: options.onUnseen })
      : async () => {};
    return {
      db: opened,
      url,
      embedded,
      async close() {
        await endWatch();
        await opened.close();
        await embedded?.stop();
      },
    };
  } catch (error) {
    await db?.close();
    await embedded?.stop();
    throw error;
  }
}

async function prepareEmbedded(embedded: EmbeddedPostgres, options: OpenDatabaseOptions): Promise<void> {
  await createDatabaseIfMissing(embedded.adminUrl('postgres'), embeddedDatabase);
  await migrateUp({ url: embedded.adminUrl(embeddedDatabase), appPassword: embedded.appPassword, ports: options.ports });
}

/** Idempotent, also when several processes try at once. The name must be a plain identifier. */
export async function createDatabaseIfMissing(adminUrl: string, name: string): Promise<void> {
  const admin = openPool({ url: adminUrl, applicationName: 'headgate set-up', connectionsMax: 1 });
  try {
    const found = await admin.query('/* find database */ select from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await admin.query(`/* create database */ create database "${name}" template template0`);
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause;
    if (!isServerError(cause) || (cause.code !== '42P04' && cause.code !== '23505')) throw error;
  } finally {
    await admin.close();
  }
}
