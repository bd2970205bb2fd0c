import { expect, it } from 'vitest';
import { strictEgress } from '../connector.ts';
import { contractPlan, openOptions } from '../connector-contract.fixture.ts';
import { mysqlConnector } from './mysql-connector.ts';
import { mysqlDdl } from './mysql-ddl.ts';

const connection = { host: 'db.bank.example', database: 'ledger', user: 'writer', password: 'env:HEADGATE_SECRET_BANK__P' };
const open = (settings: Record<string, unknown>, more: Record<string, unknown> = {}, egress = strictEgress) =>
  mysqlConnector.open(
    openOptions(mysqlConnector, { settings: { table: 'pay.x', ...settings }, connection: { ...connection, ...more }, egress }),
  );

it.each([
  ['a socket for a host', {}, { host: '/run/mysqld/mysqld.sock' }],
  ['options for the server', {}, { flags: '+LOCAL_FILES' }],
  ['SQL for a table', { table: 'x; drop table y' }, {}],
  ['a quoted table', { table: '`x`' }, {}],
  ['a table of the server itself', { table: 'mysql.global_priv' }, {}],
  ['the database of the server itself', { table: 'user' }, { database: 'MySQL' }],
  ['a key that is no field', { mode: 'upsert', keys: ['nope'] }, {}],
  ['upsert without keys', { mode: 'upsert' }, {}],
  ['keys without upsert', { keys: ['id'] }, {}],
  ['an address that no certificate is compared with', {}, { host: '203.0.113.1' }],
  ['a connection without TLS', {}, { tls: 'disable' }],
])('C4: %s is refused before anything is opened', (_, settings, more) => {
  expect(() => open(settings, more)).toThrowError(expect.objectContaining({ code: 'E_TARGET' }));
});

it('TLS is there unless the policy allows plain connections', async () => {
  await open({}).close();
  await open({}, { tls: 'disable' }, { ...strictEgress, allowPlain: true }).close();
});

it('the ddl names columns by output field, with keys that an index can hold', () => {
  const plan = contractPlan({
    type: 'mysql',
    settings: { table: 'pay.credit', keys: ['id', 'customer', 'currency', 'amount'], mode: 'upsert' },
  });
  const ddl = mysqlDdl(plan, plan.targets[0]!);
  expect(ddl).toContain(
    'create table if not exists `pay`.`credit` (\n  `id` varchar(192) not null,\n  `customer` varchar(192) not null,\n  `amount` decimal(38, 8) not null,',
  );
  expect(ddl).toContain('create table if not exists `pay`.`headgate_effects` (');
  const { settings } = contractPlan({ type: 'mysql', settings: { table: 'credit' } }).targets[0]!;
  expect(mysqlDdl(plan, { settings })).toMatch(/^create table if not exists `credit` \(\n {2}`id` longtext,/);
});
