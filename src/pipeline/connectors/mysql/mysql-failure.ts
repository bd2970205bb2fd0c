/**
 * The server's errors as outcomes, by error number and SQLSTATE (error references of MySQL and of MariaDB). Server texts quote
 * values and are left out.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { DeliveryOutcome } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { noConnection } from '../no-connection.ts';

interface ServerError {
  readonly number: number;
  /** Empty where the server refused the connection before it spoke of any. */
  readonly sqlState: string;
}

/** Undefined unless the server itself answered. */
export function serverErrorOf(error: unknown): ServerError | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { errno, sqlState } = error as { errno?: unknown; sqlState?: unknown };
  // Those of the operating system are negative.
  return typeof errno === 'number' && errno > 0 ? { number: errno, sqlState: typeof sqlState === 'string' ? sqlState : '' } : undefined;
}

export const duplicateKey = 1062;

/** Of a value or a rule of the table, where MySQL or MariaDB gives them the SQLSTATE of everything else. */
const rowFaults = [
  1265, // a value was cut or rounded
  1366, // a value is not of the type of the column
  1369, // CHECK OPTION of a view
  1526, // no partition for the value
  1644, // SIGNAL of a trigger, whatever its class
  3819, // CHECK
];

/** Another try would fail the same, and other rows may be taken. */
export function isRowFault(error: unknown): boolean {
  const server = serverErrorOf(error);
  return server !== undefined && isFaultOfRow(server);
}

function isFaultOfRow({ number, sqlState }: ServerError): boolean {
  // 23: also the row that it refers to may come later, but the same bytes sent again are no way to wait for it. 45: SIGNAL of a trigger.
  return /^(?:22|23|44|45)/.test(sqlState) || rowFaults.includes(number);
}

/** Codes of warnings that tell of a value that is not in the table as it was sent. */
export function isLoss(warningNumber: number): boolean {
  return [...rowFaults, 1264, 1292, 1406, 1411].includes(warningNumber);
}

/** A deadlock, or a conflict with another node of a cluster, found at COMMIT. Of other errors nobody knows what they leave. */
export function isRolledBack(error: unknown): boolean {
  return serverErrorOf(error)?.sqlState.startsWith('40') ?? false;
}

/** What the server answered; undefined where it did not. */
export function answerOf(error: unknown): string | undefined {
  const server = serverErrorOf(error);
  return server && `the server answered with error ${server.number} (SQLSTATE ${server.sqlState || 'none'})`;
}

/** Of a connection that could not be made: the server's own word stays as it is. */
export function connectFailure(error: unknown): unknown {
  const isOurs = error instanceof HeadgateError || serverErrorOf(error) !== undefined || !isConnectionError(error);
  return isOurs ? error : noConnection(error);
}

/** Of an attempt whose transaction is certainly rolled back. */
export function refusedBy(error: unknown, signal: AbortSignal): DeliveryOutcome {
  if (error instanceof HeadgateError) return { kind: 'refused', retryable: true, code: error.code, message: error.message };
  const server = serverErrorOf(error);
  if (server === undefined || signal.aborted) {
    if (!isConnectionError(error) && !signal.aborted) throw error;
    const [code, message] = signal.aborted
      ? [connectorErrors.E_TARGET_TIMEOUT, 'the server did not answer in time']
      : [connectorErrors.E_TARGET_UNREACHABLE, 'the connection ended before anything was committed'];
    return { kind: 'refused', retryable: true, code, message };
  }
  return { kind: 'refused', retryable: !isFaultOfRow(server), code: codeOf(server), message: answerOf(error)! };
}

/** Those whose SQLSTATE says too little. */
const codesByNumber: Readonly<Record<number, string>> = {
  1021: connectorErrors.E_TARGET_FULL,
  1040: connectorErrors.E_TARGET_BUSY, // too many connections
  1114: connectorErrors.E_TARGET_FULL,
  1129: connectorErrors.E_TARGET_FORBIDDEN, // the host is blocked
  1130: connectorErrors.E_TARGET_FORBIDDEN, // the host may not connect
  1203: connectorErrors.E_TARGET_BUSY, // too many connections of the user
  1205: connectorErrors.E_TARGET_BUSY, // a lock was waited for
  1226: connectorErrors.E_TARGET_BUSY, // a limit of the user
  1290: connectorErrors.E_TARGET_SETUP, // read only
  1364: connectorErrors.E_TARGET_SETUP, // a column without a default
  1461: connectorErrors.E_TARGET_BUSY, // too many prepared statements
  1665: connectorErrors.E_TARGET_SETUP, // binary log by statements
  1792: connectorErrors.E_TARGET_SETUP, // read only
  1820: connectorErrors.E_TARGET_FORBIDDEN, // the password has expired
  1836: connectorErrors.E_TARGET_SETUP, // read only
  1862: connectorErrors.E_TARGET_FORBIDDEN, // the password has expired
  1969: connectorErrors.E_TARGET_TIMEOUT,
  3024: connectorErrors.E_TARGET_TIMEOUT,
  3118: connectorErrors.E_TARGET_FORBIDDEN, // the account is locked
  4151: connectorErrors.E_TARGET_FORBIDDEN, // the account is locked
};

function codeOf(error: ServerError): string {
  if (isFaultOfRow(error)) return connectorErrors.E_TARGET_RECORD;
  const byNumber = codesByNumber[error.number];
  if (byNumber !== undefined) return byNumber;
  switch (error.sqlState.slice(0, 2)) {
    case '28':
      return connectorErrors.E_TARGET_FORBIDDEN;
    case '08':
    case '70':
      return connectorErrors.E_TARGET_UNREACHABLE;
    case '0A':
    case '21':
    case '3D':
    case '42':
      return connectorErrors.E_TARGET_SETUP;
    default:
      // 40 (deadlock), the server's own trouble, and what later versions bring.
      return connectorErrors.E_TARGET_BUSY;
  }
}

/** Node's errors of a socket and of TLS, and the client's own: of an ended connection, or of answers that make no sense. */
function isConnectionError(error: unknown): boolean {
  return error instanceof Error && ((error as { fatal?: unknown }).fatal === true || Object.getPrototypeOf(error) === Error.prototype);
}
