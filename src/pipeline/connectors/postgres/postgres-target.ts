/** Targets of the postgres connector: transaction targets over its sessions. */
import { createAddressGuard } from '../address-guard.ts';
import type { OpenOptions, Target } from '../connector.ts';
import { createTransactionTarget } from '../transaction-target.ts';
import { columnChanges } from './postgres-columns.ts';
import { isRolledBack, isRowFault, refusedBy } from './postgres-failure.ts';
import { createPostgresSessions } from './postgres-sessions.ts';
import { readPostgresSettings } from './postgres-settings.ts';
import { postgresStatements } from './postgres-sql.ts';
import { createPostgresTransaction } from './postgres-transaction.ts';

/** Fails with E_TARGET on settings that can't work. */
export function openPostgresTarget(options: OpenOptions): Target {
  const settings = readPostgresSettings(options);
  const statements = postgresStatements(settings);
  const { timeoutMs, concurrency } = options.target;
  const sessions = createPostgresSessions({
    settings,
    describe: statements.describe,
    findEffectsTable: statements.findEffectsTable,
    transaction: (query, columnTypes) =>
      createPostgresTransaction(query, statements, settings.keys, columnChanges(options.plan.output, columnTypes)),
    guard: createAddressGuard(options.egress, options.ports.resolveHost),
    secrets: options.secrets,
    idleMax: concurrency,
    timeoutMs,
  });
  return createTransactionTarget({
    sessions,
    timeoutMs,
    clock: options.ports.clock,
    refusedBy,
    isRolledBack,
    isRowFault,
  });
}
