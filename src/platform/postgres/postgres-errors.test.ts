import { describe, expect, it } from 'vitest';
import { HeadgateError } from '../base/errors.ts';
import { codeForSqlState, endsSession, translatePostgresError } from './postgres-errors.ts';

const serverError = (code: string, more: object = {}) =>
  Object.assign(new Error('value "secret" is wrong'), { code, severity: 'ERROR', ...more });

describe('a SQLSTATE becomes one code', () => {
  it.each([
    ['40001', 'E_DATABASE_CONFLICT', true],
    ['40P01', 'E_DATABASE_CONFLICT', true],
    ['0A000', 'E_DATABASE_STATEMENT', false],
    ['57P01', 'E_DATABASE_UNREACHABLE', true],
    ['57P02', 'E_DATABASE_UNREACHABLE', true],
    ['57P03', 'E_DATABASE_UNREACHABLE', true],
    ['08006', 'E_DATABASE_UNREACHABLE', true],
    ['08P01', 'E_DATABASE_UNREACHABLE', true],
    ['53300', 'E_DATABASE_BUSY', true],
    ['53200', 'E_DATABASE_BUSY', true],
    ['53100', 'E_DATABASE_FULL', true],
    ['25006', 'E_DATABASE_READ_ONLY', true],
    ['57014', 'E_DATABASE_TIMEOUT', true],
    ['55P03', 'E_DATABASE_TIMEOUT', true],
    ['25P03', 'E_DATABASE_TIMEOUT', true],
    ['22P02', 'E_DATABASE_VALUE', false],
    ['22003', 'E_DATABASE_VALUE', false],
    ['23505', 'E_DATABASE_DUPLICATE', false],
    ['23503', 'E_DATABASE_REFUSED', false],
    ['23514', 'E_DATABASE_REFUSED', false],
    ['P0001', 'E_DATABASE_REFUSED', false],
    ['HG001', 'E_DATABASE_REFUSED', false],
    ['42501', 'E_DATABASE_FORBIDDEN', false],
    ['28P01', 'E_DATABASE_LOGIN', false],
    ['3D000', 'E_DATABASE_MISSING', false],
    ['57P04', 'E_DATABASE_MISSING', false],
    ['42P01', 'E_DATABASE_STATEMENT', false],
    ['XX001', 'E_DATABASE_DAMAGED', false],
    ['58030', 'E_DATABASE_DAMAGED', false],
    ['ZZ999', 'E_DATABASE_UNKNOWN', false],
  ])('%s is %s, retryable %s', (sqlState, code, retryable) => {
    expect(codeForSqlState(sqlState)).toBe(code);
    expect(translatePostgresError(serverError(sqlState), 'any').retryable).toBe(retryable);
  });
});

it('the message names the statement and the constraint, never the value', () => {
  const error = translatePostgresError(
    serverError('23505', { constraint: 'files_once', detail: 'Key (x)=(secret) exists' }),
    'accept file',
  );
  expect(error.message).toBe('PostgreSQL refused accept file: SQLSTATE 23505, constraint files_once');
});

it('a plan that a migration made stale is tried again', () => {
  expect(translatePostgresError(serverError('0A000', { routine: 'RevalidateCachedQuery' }), 'any').retryable).toBe(true);
});

it.each(['mdextend', 'mdzeroextend', 'BufFileDumpBuffer'])('a file that can not grow for want of quota is a full disk (%s)', (routine) => {
  expect(translatePostgresError(serverError('XX000', { routine }), 'any')).toMatchObject({ code: 'E_DATABASE_FULL', retryable: true });
  expect(translatePostgresError(serverError('58030', { routine }), 'any').code).toBe('E_DATABASE_DAMAGED');
});

it('an internal error of another kind may be damage', () => {
  expect(translatePostgresError(serverError('XX000', { routine: 'mdread' }), 'any').code).toBe('E_DATABASE_DAMAGED');
});

it('an error that is translated already passes unchanged', () => {
  const error = new HeadgateError('E_DATABASE_BUSY', 'x');
  expect(translatePostgresError(error, 'any')).toBe(error);
});

it('only the end of a session spoils the connection', () => {
  expect(endsSession(serverError('23505'))).toBe(false);
  expect(endsSession(serverError('57P01', { severity: 'FATAL' }))).toBe(true);
  expect(endsSession(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))).toBe(true);
});
