/** PostgreSQL's errors as outcomes, by SQLSTATE (appendix A of its manual). Server texts may quote values and are left out. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { DeliveryOutcome } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { noConnection } from '../no-connection.ts';

/** The SQLSTATE, when the server itself answered. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return typeof severity === 'string' && typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** The row is at fault: another try would fail the same, and other rows may be taken. */
export function isRowFault(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  // 23503: the row it refers to may come later, but the same bytes sent again are no way to wait for it.
  // 54000: a value that an index or a row can't hold.
  // 45: a trigger's own (SQL's class for conditions of users, which PostgreSQL leaves to them).
  // 21000: keys that are equal to the database only are in one statement; in parts they are not.
  return sqlState !== undefined && (/^(21|22|23|44|45)/.test(sqlState) || sqlState === 'P0001' || sqlState === '54000');
}

/**
 * Of an error in answer to COMMIT: it is the server's own word that nothing was committed. One that ends the session says only that
 * it ended, and poolers answer so (08) for a server that they have lost.
 */
export function isRolledBack(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  const { severity } = (error ?? {}) as { severity?: unknown };
  return sqlState !== undefined && severity !== 'FATAL' && severity !== 'PANIC' && !/^(08|57P|58|XX|40003)/.test(sqlState);
}

/** What the server answered; undefined where it did not. */
export function answerOf(error: unknown): string | undefined {
  const sqlState = sqlStateOf(error);
  return sqlState === undefined ? undefined : `PostgreSQL answered with SQLSTATE ${sqlState}`;
}

/** Of a connection that could not be made: the server's own word stays as it is. */
export function connectFailure(error: unknown): unknown {
  const isOurs = error instanceof HeadgateError || sqlStateOf(error) !== undefined || !isConnectionError(error);
  return isOurs ? error : noConnection(error);
}

/** Of an attempt whose transaction is certainly rolled back. */
export function refusedBy(error: unknown, signal: AbortSignal): DeliveryOutcome {
  if (error instanceof HeadgateError) return { kind: 'refused', retryable: true, code: error.code, message: error.message };
  const sqlState = sqlStateOf(error);
  if (sqlState === undefined || signal.aborted) {
    if (!isConnectionError(error) && !signal.aborted) throw error;
    const [code, message] = signal.aborted
      ? [connectorErrors.E_TARGET_TIMEOUT, 'the server did not answer in time']
      : [connectorErrors.E_TARGET_UNREACHABLE, 'the connection ended before anything was committed'];
    return { kind: 'refused', retryable: true, code, message };
  }
  return { kind: 'refused', retryable: !isRowFault(error), code: codeOf(sqlState), message: answerOf(error)! };
}

function codeOf(sqlState: string): string {
  switch (sqlState.slice(0, 2)) {
    case '21':
    case '22':
    case '23':
    case '44':
    case '45':
    case 'P0':
      return connectorErrors.E_TARGET_RECORD;
    case '28':
      return connectorErrors.E_TARGET_FORBIDDEN;
    case '08':
      return connectorErrors.E_TARGET_UNREACHABLE;
    case '53':
      return sqlState === '53100' ? connectorErrors.E_TARGET_FULL : connectorErrors.E_TARGET_BUSY;
    case '0A':
    case '25':
    case '3D':
    case '3F':
    case '42':
      return connectorErrors.E_TARGET_SETUP;
    case '57':
      return sqlState === '57014' ? connectorErrors.E_TARGET_TIMEOUT : connectorErrors.E_TARGET_UNREACHABLE;
    case '54':
      return sqlState === '54000' ? connectorErrors.E_TARGET_RECORD : connectorErrors.E_TARGET_BUSY;
    case '55':
      return sqlState === '55P03' ? connectorErrors.E_TARGET_TIMEOUT : connectorErrors.E_TARGET_BUSY;
    default:
      // 40 (serialization, deadlock), 58 and XX (the server's own trouble), and what later versions bring.
      return connectorErrors.E_TARGET_BUSY;
  }
}

/** Node's and pg's errors of a socket, which have no SQLSTATE. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' || /connection|timeout|terminated|SSL/i.test(error.message);
}
