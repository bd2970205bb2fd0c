/** Targets of the mysql connector: transaction targets over its sessions. */
import { createAddressGuard } from '../address-guard.ts';
import type { OpenOptions, Target } from '../connector.ts';
import { createTransactionTarget } from '../transaction-target.ts';
import { isRolledBack, isRowFault, refusedBy } from './mysql-failure.ts';
import { createMysqlSessions } from './mysql-sessions.ts';
import { readMysqlSettings } from './mysql-settings.ts';

/** Fails with E_TARGET on settings that can't work. */
export function openMysqlTarget(options: OpenOptions): Target {
  const settings = readMysqlSettings(options);
  const { timeoutMs, concurrency } = options.target;
  const sessions = createMysqlSessions({
    settings,
    guard: createAddressGuard(options.egress, options.ports.resolveHost),
    secrets: options.secrets,
    idleMax: concurrency,
    timeoutMs,
  });
  return createTransactionTarget({ sessions, timeoutMs, clock: options.ports.clock, refusedBy, isRolledBack, isRowFault });
}
