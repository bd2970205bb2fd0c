/**
 * What `headgate doctor` asks the database: does it answer, is the role safe, does the schema fit, do the clocks agree, is
 * there room, are the folders of tenants apart. An embedded cluster that exists is started for the question; one that does not is not made.
 */
import { listTenants } from '../platform/access/tenants.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';
import { systemClock, systemPorts } from '../platform/base/system-ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import { startEmbeddedPostgres } from '../platform/postgres/embedded-postgres.ts';
import { hasInstallation } from '../platform/postgres/installation.ts';
import { openPool } from '../platform/postgres/pool.ts';
import { postgresErrors } from '../platform/postgres/postgres-errors.ts';
import { guardStartUp } from '../platform/postgres/start-up-guard.ts';
import { closedAtSignals } from './closed-at-signals.ts';
import { type Finding, failed, failedBy, ok, warning } from './doctor-checks.ts';
import { Interruption } from './interruption.ts';

const skewMsMax = 2_000;

export async function checkDatabase(settings: Settings): Promise<Finding[]> {
  if (settings.databaseUrl !== undefined) return questions(settings.databaseUrl, settings);
  if (!hasInstallation(settings)) return [ok('database', 'an embedded PostgreSQL will be made at the first start')];
  try {
    return await closedAtSignals({
      open: () => startEmbeddedPostgres({ dataDir: settings.dataDir, ports: systemPorts }),
      async use(embedded, signal) {
        const how = embedded.isAdopted ? ', running already' : ', started for this check';
        const found = ok('database', `embedded PostgreSQL on 127.0.0.1:${embedded.port}${how}`);
        const answers = await questions(embedded.appUrl('headgate'), settings);
        // What was asked of a server that was stopped meanwhile says nothing of it.
        signal?.throwIfAborted();
        return [found, ...answers];
      },
      close: (embedded) => embedded.stop(),
    });
  } catch (error) {
    if (error instanceof Interruption) throw error;
    return [failedBy('database', error)];
  }
}

async function questions(url: string, settings: Settings): Promise<Finding[]> {
  const db = openPool({ url, applicationName: 'headgate doctor', connectionsMax: 1, connectTimeoutMs: 5_000, statementTimeoutMs: 5_000 });
  try {
    const reached = await askServer(db, settings);
    try {
      const { schemaVersion } = await guardStartUp(db);
      const sound = ok('role and schema', `the role is safe; the schema has version ${schemaVersion}`);
      return [...reached, sound, checkFolderRoots(settings, (await listTenants(db)).length)];
    } catch (error) {
      return [...reached, failedBy('role and schema', error)];
    }
  } catch (error) {
    return [failedBy('database', error)];
  } finally {
    await db.close();
  }
}

/** Several tenants without roots of their own are kept apart only by what each one's connections name. */
function checkFolderRoots({ folderRoots }: Settings, tenants: number): Finding {
  const check = 'folders of tenants';
  if (folderRoots.length > 0) return ok(check, `connections may name folders in ${folderRoots.join(', ')}`);
  if (tenants <= 1) return ok(check, 'there is one tenant at most');
  return warning(
    check,
    `${tenants} tenants may name any folder that the server's user can use, but those of the system, of the product and of each other`,
    'Give each a folder of its own: set HEADGATE_FOLDER_ROOTS, such as to /srv/headgate/{tenant} (docs/operating/folders.md).',
  );
}

interface ServerFacts {
  readonly version: string;
  readonly nowMs: number;
  readonly connectionsMax: number;
  readonly isReplica: boolean;
  readonly isReadOnly: boolean;
  readonly isDurable: boolean;
}

// The offset of headgate.clock() is for tests; here the server's own clock is asked for.
const selectServerFacts = `/* doctor */ select current_setting('server_version') as version,
  (extract(epoch from (select max(backend_start) from pg_stat_activity where pid = pg_backend_pid())) * 1000)::int8 as "nowMs",
  current_setting('max_connections')::int as "connectionsMax", pg_is_in_recovery() as "isReplica",
  current_setting('transaction_read_only') = 'on' as "isReadOnly",
  current_setting('fsync') = 'on' and current_setting('synchronous_commit') <> 'off' as "isDurable"`;

/** The session's own start stands for the server's clock: it lies between the two readings of ours. */
async function askServer(db: Db, settings: Settings): Promise<Finding[]> {
  const beforeMs = systemClock.nowMs();
  const facts = (await db.query<ServerFacts>(selectServerFacts)).rows[0]!;
  const afterMs = systemClock.nowMs();
  const findings = [ok('database', `PostgreSQL ${facts.version} answers in ${afterMs - beforeMs} ms`)];
  const skewMs = Math.max(beforeMs - facts.nowMs, facts.nowMs - afterMs, 0);
  findings.push(
    skewMs <= skewMsMax
      ? ok('clock', `this machine's clock is within ${skewMs} ms of the database's`)
      : warning(
          'clock',
          `this machine's clock is ${skewMs} ms away from the database's`,
          'Correct the clock (NTP). Deadlines are decided on the database clock, so nothing breaks.',
        ),
  );
  const reason = facts.isReplica ? 'the server is a standby' : facts.isReadOnly ? 'the database takes no writes' : undefined;
  if (reason !== undefined) findings.push(failedBy('primary', new HeadgateError(postgresErrors.E_DATABASE_READ_ONLY, reason)));
  if (!facts.isDurable) {
    findings.push(failed('durability', 'fsync or synchronous_commit is off: a power cut would lose acknowledged files', 'Turn both on.'));
  }
  if (settings.databaseConnections + 5 > facts.connectionsMax) {
    findings.push(
      warning(
        'connections',
        `the server allows ${facts.connectionsMax} connections, one process takes up to ${settings.databaseConnections}`,
        'Raise max_connections, or lower HEADGATE_DATABASE_CONNECTIONS.',
      ),
    );
  }
  return findings;
}
