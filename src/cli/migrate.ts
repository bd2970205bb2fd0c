/** `headgate migrate up|status`: brings the schema to this program's version, or shows how far it is. */

import { HeadgateError } from '../platform/base/errors.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { startEmbeddedPostgres } from '../platform/postgres/embedded-postgres.ts';
import { hasInstallation, requireInstallation } from '../platform/postgres/installation.ts';
import { migrateUp, migrationStatus } from '../platform/postgres/migrate.ts';
import { migrationErrors } from '../platform/postgres/migration-errors.ts';
import { createDatabaseIfMissing } from '../platform/postgres/open-database.ts';
import { closedAtSignals } from './closed-at-signals.ts';
import { type Command, type CommandLine, outputOptions, textOption } from './command.ts';
import { loadSettings } from './load-settings.ts';
import { printOne, printRows } from './output.ts';

interface Target {
  readonly url: string;
  /** The password that headgate_app gets. */
  readonly appPassword: string | undefined;
}

const options = { ...outputOptions, 'data-dir': { type: 'string' } } as const;

export const migrateVerbs: Readonly<Record<string, Command>> = {
  up: {
    usage: 'headgate migrate up [--dry-run] [--data-dir DIR] [--json]',
    summary:
      'Makes roles, schema and partitions, and applies pending migrations; says so where it made a new installation. Safe to repeat and to run from several places at once. With --dry-run it shows what it would apply.',
    options: { ...options, 'dry-run': { type: 'boolean' } },
    async run(line) {
      const settings = settingsOf(line);
      if (line.options['dry-run']) return await showPending(line, settings);
      const isNew = settings.migrationDatabaseUrl === undefined && !hasInstallation(settings);
      const applied = await withTarget(settings, ({ url, appPassword }) => migrateUp({ url, appPassword, ports: systemPorts }));
      await printRows(
        line,
        applied.map((name) => ({ migration: name, state: 'applied' })),
        { columns: ['migration', 'state'] },
      );
      if (isNew) process.stderr.write(`a new installation was made in ${settings.dataDir}\n`);
      if (applied.length === 0) process.stderr.write('nothing to apply: the schema is up to date\n');
      return 0;
    },
  },
  status: {
    usage: 'headgate migrate status [--data-dir DIR] [--json]',
    summary: 'Shows the versions of schema and program and what is pending. Changes nothing. Exit code 3 when something is pending.',
    options,
    async run(line) {
      const settings = settingsOf(line);
      if (settings.migrationDatabaseUrl === undefined) await requireInstallation(settings, systemPorts);
      const status = await withTarget(settings, ({ url }) => migrationStatus(url));
      await printOne(line, { ...status, applied: status.applied.map(({ number, name }) => `${String(number).padStart(4, '0')}_${name}`) });
      return status.pending.length > 0 ? 3 : 0;
    },
  },
};

/** Exit code 0: what is pending is what was asked for. */
async function showPending(line: CommandLine, settings: Settings): Promise<number> {
  if (settings.migrationDatabaseUrl === undefined) await requireInstallation(settings, systemPorts);
  const { pending } = await withTarget(settings, ({ url }) => migrationStatus(url));
  await printRows(
    line,
    pending.map((migration) => ({ migration, state: 'pending' })),
    { columns: ['migration', 'state'] },
  );
  if (pending.length === 0) process.stderr.write('nothing to apply: the schema is up to date\n');
  return 0;
}

function settingsOf(line: CommandLine): Settings {
  return loadSettings({ flags: { dataDir: textOption(line, 'data-dir') } });
}

/** The server of one's own when there is one, else the embedded one, which is started for the purpose. */
async function withTarget<T>(settings: Settings, fn: (target: Target) => Promise<T>): Promise<T> {
  const own = settings.migrationDatabaseUrl ?? settings.databaseUrl;
  if (own !== undefined) {
    await refuseAnotherDatabase(settings);
    const password = settings.databaseUrl === undefined ? '' : decodeURIComponent(new URL(settings.databaseUrl).password);
    const done = fn({ url: own, appPassword: password === '' ? undefined : password });
    return settings.migrationDatabaseUrl === undefined ? done : done.catch(nameMigrationUrl);
  }
  return await closedAtSignals({
    open: () => startEmbeddedPostgres({ dataDir: settings.dataDir, ports: systemPorts }),
    async use(embedded) {
      await createDatabaseIfMissing(embedded.adminUrl('postgres'), 'headgate');
      return await fn({ url: embedded.adminUrl('headgate'), appPassword: embedded.appPassword });
    },
    close: (embedded) => embedded.stop(),
  });
}

/** What is migrated is what everything else uses. One that can't be reached is the nearer fault. */
async function refuseAnotherDatabase({ migrationDatabaseUrl, databaseUrl }: Settings): Promise<void> {
  if (migrationDatabaseUrl === undefined || databaseUrl === undefined) return;
  const [migrated, used] = [databaseNameOf(migrationDatabaseUrl), databaseNameOf(databaseUrl)];
  if (migrated === used) return;
  await migrationStatus(migrationDatabaseUrl).catch(nameMigrationUrl);
  throw new HeadgateError(
    migrationErrors.E_DATABASES_DIFFER,
    `HEADGATE_MIGRATION_DATABASE_URL names the database ${migrated}, HEADGATE_DATABASE_URL the database ${used}`,
  );
}

function databaseNameOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

/** The next steps of the catalogue name the setting that everything else uses. */
function nameMigrationUrl(error: unknown): never {
  if (!(error instanceof HeadgateError) || !error.next.includes('HEADGATE_DATABASE_URL')) throw error;
  const next = error.next.replaceAll('HEADGATE_DATABASE_URL', 'HEADGATE_MIGRATION_DATABASE_URL');
  throw new HeadgateError(error.code, error.message, { cause: error, retryable: error.retryable, details: error.details, next });
}
