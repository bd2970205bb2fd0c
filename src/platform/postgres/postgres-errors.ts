/**
 * What can go wrong with PostgreSQL, and the only translation of driver errors into the product's codes. Nobody above this
 * folder reads a SQLSTATE or a driver's message. Server texts may quote values, so only the SQLSTATE, the constraint and the
 * table enter a translated error; the original stays in `cause`, which is never logged whole.
 */
import { defineErrors, HeadgateError } from '../base/errors.ts';

export const postgresErrors = defineErrors({
  E_DATABASE_UNREACHABLE: {
    meaning:
      'The database does not answer, or the connection broke before anything was decided; or it refuses the login of a process that it let in before.',
    actor: 'operator',
    next: 'Check that PostgreSQL runs and that HEADGATE_DATABASE_URL points to it; `headgate doctor` shows what it sees. Where the password was changed, start the processes again with the new one.',
    retryable: true,
  },
  E_DATABASE_BUSY: {
    meaning: 'The database has no connection, memory or lock to give at this moment.',
    actor: 'operator',
    next: 'Raise max_connections or lower the number of workers if this stays.',
    retryable: true,
  },
  E_DATABASE_FULL: {
    meaning: 'The database has no disk space or quota left.',
    actor: 'operator',
    next: 'Free or add disk space for PostgreSQL; work goes on by itself afterwards.',
    retryable: true,
  },
  E_DATABASE_READ_ONLY: {
    meaning: 'The server is a standby, or the server, the database or the role is set to read only.',
    actor: 'operator',
    next: 'Point HEADGATE_DATABASE_URL to the primary, or turn default_transaction_read_only off where it is set.',
    retryable: true,
  },
  E_DATABASE_CONFLICT: {
    meaning: 'A concurrent transaction won (serialization failure or deadlock); nothing was changed.',
    actor: 'operator',
    next: 'Nothing: the unit of work is run again.',
    retryable: true,
  },
  E_DATABASE_TIMEOUT: {
    meaning: 'A statement or lock wait took longer than its limit and was cancelled.',
    actor: 'operator',
    next: 'Look for long transactions in pg_stat_activity; the statement name is in the message.',
    retryable: true,
  },
  E_DATABASE_DUPLICATE: {
    meaning: 'A row with this key exists already.',
    actor: 'caller',
    next: 'Use another key, or read the existing one.',
  },
  E_DATABASE_REFUSED: {
    meaning: 'The database refused a row because it breaks a rule (foreign key, check, not null or a trigger).',
    actor: 'operator',
    next: 'Report this with the constraint name: the product should not attempt it.',
  },
  E_DATABASE_FORBIDDEN: {
    meaning: 'The role lacks the right to do this, or row-level security refused the row.',
    actor: 'administrator',
    next: 'Run `headgate migrate up`, then `headgate doctor`: roles and grants must be those of the migrations.',
  },
  E_DATABASE_LOGIN: {
    meaning: 'The database refused the user name or the password.',
    actor: 'administrator',
    next: 'Correct the user and password in HEADGATE_DATABASE_URL.',
  },
  E_DATABASE_MISSING: {
    meaning: 'The server has no database of this name.',
    actor: 'administrator',
    next: 'Correct the name of the database in HEADGATE_DATABASE_URL, or make the database and run `headgate migrate up`.',
  },
  E_DATABASE_VALUE: {
    meaning: 'A value does not fit its column or type.',
    actor: 'caller',
    next: 'Correct the value.',
  },
  E_DATABASE_DAMAGED: {
    meaning: 'PostgreSQL reports damaged data or an input/output error.',
    actor: 'operator',
    next: 'Stop, keep the data folder as it is, and restore from a backup or a standby.',
  },
  E_DATABASE_STATEMENT: {
    meaning: 'The statement and the schema do not fit together.',
    actor: 'administrator',
    next: 'Run `headgate migrate status`: the program and the schema must be of compatible versions.',
  },
  E_DATABASE_UNKNOWN: {
    meaning: 'PostgreSQL answered with an error that this program does not know.',
    actor: 'operator',
    next: 'Look up the SQLSTATE in the message and report it.',
  },
  E_COMMIT_UNKNOWN: {
    meaning: 'The answer to a COMMIT was lost: the transaction may or may not have happened.',
    actor: 'operator',
    next: 'Resolve it by key or by pg_xact_status before doing anything again; never assume.',
  },
  E_TRANSACTION_ABORTED: {
    meaning: 'A transaction was to be committed although one of its statements had failed; it was rolled back.',
    actor: 'operator',
    next: 'Report this: an error was swallowed inside a transaction.',
  },
});

export type PostgresErrorCode = keyof typeof postgresErrors;

/** A COMMIT without an answer. `xid` is what `resolveCommit` asks about; undefined when the transaction had none. */
export class CommitUnknownError extends HeadgateError {
  readonly xid: string | undefined;

  constructor(xid: string | undefined, cause: unknown) {
    super(postgresErrors.E_COMMIT_UNKNOWN, `the outcome of COMMIT is unknown (transaction ${xid ?? 'without an id'})`, { cause });
    this.name = 'CommitUnknownError';
    this.xid = xid;
  }
}

interface ServerError {
  readonly code: string;
  readonly severity?: string;
  readonly constraint?: string;
  readonly table?: string;
  readonly routine?: string;
}

/** True when the server itself answered (an ErrorResponse with a SQLSTATE), so that its verdict is certain. */
export function isServerError(error: unknown): error is ServerError {
  if (typeof error !== 'object' || error === null) return false;
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return typeof severity === 'string' && typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
}

/** True when the error ended the session, so that the connection must not be used again. */
export function endsSession(error: unknown): boolean {
  if (!isServerError(error)) return true;
  return error.severity === 'FATAL' || error.severity === 'PANIC' || error.code.startsWith('08') || error.code.startsWith('57P');
}

/** A prepared statement whose plan no longer fits after a migration: only a new connection plans it anew. */
function isStalePlan(error: unknown): boolean {
  return isServerError(error) && error.code === '0A000' && error.routine === 'RevalidateCachedQuery';
}

/** True when a new connection may do what this one can't: its plan is stale, or it was set to read only when it was made. */
export function isStaleSession(error: unknown): boolean {
  return isStalePlan(error) || (isServerError(error) && error.code === '25006');
}

/** A file that could not grow. The server has codes for a full disk only; a quota or limit that is used up is an internal error to it. */
function isFileFull(error: ServerError): boolean {
  return error.code === 'XX000' && fileGrowth.has(error.routine);
}

const fileGrowth: ReadonlySet<unknown> = new Set(['mdextend', 'mdzeroextend', 'BufFileDumpBuffer']);

/** The code for a SQLSTATE. Exhaustive over the classes of PostgreSQL 18 (appendix A of its manual). */
export function codeForSqlState(sqlState: string): PostgresErrorCode {
  switch (sqlState) {
    case '22021':
    case '22P05':
      return 'E_DATABASE_VALUE';
    case '23505':
      return 'E_DATABASE_DUPLICATE';
    case '25006':
      return 'E_DATABASE_READ_ONLY';
    case '25P02':
      return 'E_TRANSACTION_ABORTED';
    case '25P03':
    case '25P04':
    case '57P05':
      return 'E_DATABASE_TIMEOUT';
    case '3D000': // invalid_catalog_name
    case '57P04': // database_dropped
      return 'E_DATABASE_MISSING';
    case '42501':
      return 'E_DATABASE_FORBIDDEN';
    case '53100':
      return 'E_DATABASE_FULL';
    case '53000':
    case '53200':
    case '53300':
    case '53400':
      return 'E_DATABASE_BUSY';
    case '55P03': // lock_not_available: lock_timeout or NOWAIT
    case '57014': // query_canceled: statement_timeout
      return 'E_DATABASE_TIMEOUT';
    case '55006': // object_in_use
      return 'E_DATABASE_BUSY';
    case '57P01': // admin_shutdown
    case '57P02': // crash_shutdown
    case '57P03': // cannot_connect_now
      return 'E_DATABASE_UNREACHABLE';
    case '58030': // io_error
    case '58P01': // undefined_file
      return 'E_DATABASE_DAMAGED';
    default:
      return codeForClass(sqlState.slice(0, 2));
  }
}

function codeForClass(sqlStateClass: string): PostgresErrorCode {
  switch (sqlStateClass) {
    case '08':
      return 'E_DATABASE_UNREACHABLE';
    case '28':
      return 'E_DATABASE_LOGIN';
    case '40':
      return 'E_DATABASE_CONFLICT';
    case '21':
    case '22':
      return 'E_DATABASE_VALUE';
    case '23':
    case '27':
    case '44':
    case 'P0':
    case 'HG': // raised by our own triggers: an illegal transition, a change of an append-only row
      return 'E_DATABASE_REFUSED';
    case '53':
    case '54':
      return 'E_DATABASE_BUSY';
    case '57':
      return 'E_DATABASE_UNREACHABLE';
    case '58':
    case 'XX':
      return 'E_DATABASE_DAMAGED';
    case '0A':
    case '0B':
    case '0F':
    case '0L':
    case '0P':
    case '0Z':
    case '09':
    case '10':
    case '20':
    case '24':
    case '25':
    case '26':
    case '2B':
    case '2D':
    case '2F':
    case '34':
    case '38':
    case '39':
    case '3B':
    case '3D':
    case '3F':
    case '42':
    case '55':
    case '72':
    case 'F0':
    case 'HV':
      return 'E_DATABASE_STATEMENT';
    default:
      return 'E_DATABASE_UNKNOWN';
  }
}

/** The driver gives up by itself where it has no password to give, or the server does not prove that it knows it. */
function isLoginRefusedHere(error: unknown): boolean {
  return !isServerError(error) && error instanceof Error && error.message.startsWith('SASL');
}

/** Translates whatever the driver threw. `statement` is the name from the SQL's leading comment. Already translated errors pass. */
export function translatePostgresError(error: unknown, statement: string): HeadgateError {
  if (error instanceof HeadgateError) return error;
  if (isLoginRefusedHere(error))
    return new HeadgateError(postgresErrors.E_DATABASE_LOGIN, `the login failed in ${statement}: the password is missing or not usable`, {
      cause: error,
    });
  if (!isServerError(error)) {
    const reason = (error as { code?: unknown })?.code;
    const suffix = typeof reason === 'string' ? ` (${reason})` : '';
    return new HeadgateError(postgresErrors.E_DATABASE_UNREACHABLE, `the database connection failed in ${statement}${suffix}`, {
      cause: error,
    });
  }
  const where = error.constraint ? `, constraint ${error.constraint}` : error.table ? `, table ${error.table}` : '';
  const code = isStalePlan(error)
    ? postgresErrors.E_DATABASE_CONFLICT
    : isFileFull(error)
      ? postgresErrors.E_DATABASE_FULL
      : codeForSqlState(error.code);
  return new HeadgateError(code, `PostgreSQL refused ${statement}: SQLSTATE ${error.code}${where}`, {
    cause: error,
  });
}

/** The constraint a refusal names, for callers that expect a particular duplicate or rule. */
export function violatedConstraint(error: unknown): string | undefined {
  const cause = error instanceof HeadgateError ? error.cause : error;
  return isServerError(cause) ? cause.constraint : undefined;
}
