/** Rows and servers at fault: what is refused alone, and what is given up or left open. */
import { randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../../../test/support/child-server.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { again, contractPlan, outgoing } from '../connector-contract.fixture.ts';
import { postgresTables, serverPort, withCustomers } from './postgres.fixture.ts';
import { postgresConnector } from './postgres-connector.ts';
import { targetDdl } from './target-ddl.ts';

const tables = postgresTables();
const { makeTable, optionsFor, rowsOf, idsOf } = tables;
const signal = new AbortController().signal;

it('a row that only COMMIT finds at fault is refused alone', async () => {
  const table = await makeTable(true);
  const parents = table.replace('payment', 'customer');
  await tables.adminDb.query(`/* parents */ create table ${parents} (name text primary key)`);
  await tables.adminDb.query(`/* parents */ insert into ${parents} values ('known')`);
  await tables.adminDb.query(
    `/* deferred */ alter table ${table} add foreign key (customer) references ${parents} (name) deferrable initially deferred`,
  );
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  const batch = withCustomers(['a', 'known'], ['b', 'unknown'], ['c', 'known']);
  expect(await target.deliver(batch, signal)).toMatchObject({
    kind: 'acked',
    perRecord: [{ index: 1, status: 'refused', code: 'E_TARGET_RECORD' }],
  });
  expect(await idsOf(table)).toEqual(['a', 'c']);
  await target.close();
});

it('a row at fault tells its cause by SQLSTATE, without the text of the server', async () => {
  const table = await makeTable(true);
  await tables.adminDb.query(`/* rule */ alter table ${table} alter customer type varchar(4), add check (customer <> 'bad')`);
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  expect(await target.deliver(withCustomers(['a', 'good'], ['b', 'customer-secret'], ['c', 'bad']), signal)).toMatchObject({
    kind: 'acked',
    perRecord: [
      { index: 1, message: 'PostgreSQL answered with SQLSTATE 22001' },
      { index: 2, message: 'PostgreSQL answered with SQLSTATE 23514' },
    ],
  });
  await target.close();
});

it.each([
  ['amount', 'numeric(10,2)', ['1.00', '12.340'], ['12.345', '-0.001']],
  ['amount', 'numeric(10)', ['1', '2.0'], ['1.5']],
  ['customer', 'timestamp', ['2026-01-02T10:00:00', '2026-01-02T10:00:00.25'], ['2026-01-02T10:00:00+02:00', '2026-01-02T10:00:00Z']],
  ['customer', 'timestamp(0)', ['2026-01-02T10:00:00', '2026-01-02T10:00:00.00'], ['2026-01-02T23:59:59.5', '2026-01-02 10:00:00.001']],
  ['customer', 'timestamptz(3)', ['2026-01-02T10:00:00.125Z', '2026-01-02T10:00:00.1250+02:00'], ['2026-01-02T10:00:00.1255Z']],
  ['customer', 'timestamptz', ['2026-01-02T10:00:00.123456Z'], ['2026-01-02T10:00:00.1234567Z']],
  ['customer', 'time(1)', ['10:00:00.5', '10:00:00.50'], ['10:00:00.25']],
  [
    'customer',
    'time',
    ['10:00:00', '9:30', '10:00:00.25', '103000', '103000.5', '9:30 PM'],
    ['2026-01-02T10:00:00', '10:00:00+02:00', '10:00:00Z', '10:00 PST'],
  ],
  ['customer', 'timetz', ['10:00:00+02:00', '10:00:00Z', '103000+02'], ['2026-01-02T10:00:00+02:00', '10:00:00.1234567Z']],
  ['customer', 'numeric(12,2)', ['1.5e-1', '1.50', '150e-2', '1.555e1', '1_0.5', 'NaN'], ['1.5e-3', '1.555e+0', '155E-3', '1_0.55_5']],
  ['customer', 'numeric(6,-2)', ['100', '1.5e3', '0'], ['150', '1e1', '0.5']],
  ['amount', 'numeric(6,-2)', ['1200', '100.00'], ['1250', '12.50']],
  ['customer', 'date', ['2026-01-02'], ['2026-01-02T10:00:00']],
  ['customer', 'name', ['x'.repeat(63), 'ä'.repeat(31), '"'.repeat(40)], ['x'.repeat(64), 'ä'.repeat(32), '😀'.repeat(16), '"'.repeat(64)]],
  ['customer', 'varchar(4)', ['ab', 'ab  ', '😀 ä ', ' '], ['ab   ', 'abcd ', '    '.repeat(2)]],
  ['customer', 'char(4)', ['ab', 'abcd', 'ab  ', ' ab'], ['ab ', 'abcd ', ' ', '"  ']],
  ['customer', 'double precision', ['0.1', '123456789.012345', '1e300'], ['9007199254740993', '0.1234567890123456']],
  ['customer', 'real', ['0.1', '123456'], ['16777217']],
  ['customer', 'money', ['12.30', '12.3'], ['12.345']],
  ['customer', '"char"', ['a'], ['ab', 'ä']],
  ['customer', 'text', ['ab  ', '2026-01-02T10:00:00.123456789Z'], []],
])('of values that the column %s of type %s would change, the record is refused alone', async (column, type, kept, changed) => {
  const table = await makeTable(true);
  await tables.adminDb.query(`/* type */ alter table ${table} alter ${column} type ${type} using null`);
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  const texts = [...kept, ...changed];
  const lines = texts.map((text, index) =>
    Buffer.from(`${JSON.stringify({ id: `r${index}`, customer: null, amount: '1.00', currency: 'EUR', [column]: text })}\n`),
  );
  const batch = outgoing(texts);
  const outcome = await target.deliver({ ...batch, body: { ...batch.body, lines: () => lines } }, signal);
  const message = `the column ${column} would keep a value otherwise than it was sent`;
  const refused = changed.map((text) => ({ index: texts.indexOf(text), status: 'refused', message }));
  expect(outcome).toMatchObject(refused.length === 0 ? { kind: 'acked' } : { perRecord: refused });
  expect(await idsOf(table)).toEqual(kept.map((text) => `r${texts.indexOf(text)}`));
  await target.close();
});

it('a column of a domain over a domain changes as little as one of its type, and a number as little as a text', async () => {
  const table = await makeTable(true);
  const schema = table.split('.')[0];
  await tables.adminDb.query(`/* domain */ create domain ${schema}.money_amount as numeric(12,2)`);
  await tables.adminDb.query(`/* domain */ create domain ${schema}.fee as ${schema}.money_amount check (value >= 0)`);
  await tables.adminDb.query(
    `/* type */ alter table ${table} alter amount type ${schema}.fee, alter customer type numeric(18,-2) using null`,
  );
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  const lines = [
    '{"id":"a","customer":9007199254740900,"amount":"1.20","currency":"EUR"}\n',
    '{"id":"b","customer":null,"amount":"1.205","currency":"EUR"}\n',
    '{"id":"c","customer":150,"amount":"1.20","currency":"EUR"}\n',
  ].map((line) => Buffer.from(line));
  const batch = outgoing(['a', 'b', 'c']);
  const message = (column: string) => `the column ${column} would keep a value otherwise than it was sent`;
  expect(await target.deliver({ ...batch, body: { ...batch.body, lines: () => lines } }, signal)).toMatchObject({
    perRecord: [
      { index: 1, status: 'refused', code: 'E_TARGET_RECORD', message: message('amount') },
      { index: 2, status: 'refused', code: 'E_TARGET_RECORD', message: message('customer') },
    ],
  });
  expect(await idsOf(table)).toEqual(['a']);
  await target.close();
});

it('a time without an offset is one of UTC, wherever the server is', async () => {
  const table = await makeTable(true);
  await tables.adminDb.query(`/* type */ alter table ${table} alter customer type timestamptz using null`);
  await tables.adminDb.query(`/* zone */ alter database ${tables.name} set timezone = 'Africa/Johannesburg'`);
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  expect(await target.deliver(withCustomers(['a', '2026-01-02T10:00:00']), signal)).toMatchObject({ kind: 'acked' });
  const { rows } = await tables.adminDb.query(`/* rows */ select customer = '2026-01-02T10:00:00Z' as "isUtc" from ${table}`);
  expect(rows).toEqual([{ isUtc: true }]);
  await target.close();
});

it.each(['real', 'double precision', 'money'])('a column of type %s takes no amounts', async (type) => {
  const table = await makeTable(true);
  await tables.adminDb.query(`/* type */ alter table ${table} alter amount type ${type} using null`);
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  const message = 'the column amount of the target rounds values of type decimal';
  expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'refused', retryable: true, code: 'E_TARGET_SETUP', message });
  await target.close();
});

it('a row that a trigger refuses with a state of its own is refused alone', async () => {
  const table = await makeTable(true);
  const schema = table.split('.')[0];
  await tables.adminDb.query(`/* trigger */ create function ${schema}.refuse() returns trigger language plpgsql as
    $$ begin if new.id = 'b' then raise exception 'no' using errcode = '45000'; end if; return new; end $$`);
  await tables.adminDb.query(
    `/* trigger */ create trigger refuse before insert on ${table} for each row execute function ${schema}.refuse()`,
  );
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  const message = 'PostgreSQL answered with SQLSTATE 45000';
  const perRecord = [{ index: 1, status: 'refused', code: 'E_TARGET_RECORD', message }];
  expect(await target.deliver(outgoing(['a', 'b', 'c']), signal)).toMatchObject({ kind: 'acked', perRecord });
  expect(await idsOf(table)).toEqual(['a', 'c']);
  await target.close();
});

it('keys that are one to the database only are written one after the other, so that the last wins', async () => {
  const settings = { mode: 'upsert', keys: ['id'] };
  const table = await makeTable(true, settings);
  await tables.adminDb.query(
    `/* same */ create collation ${table.split('.')[0]}.same (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
  );
  await tables.adminDb.query(`/* same */ alter table ${table} alter column id type text collate ${table.split('.')[0]}.same`);
  const target = postgresConnector.open(optionsFor(table, serverPort(), settings));
  expect(await target.deliver(withCustomers(['a', '1'], ['b', '2'], ['A', '3']), signal)).toMatchObject({ kind: 'acked' });
  expect((await rowsOf(table)).map(({ customer }) => customer)).toEqual(['3', '2']);
  await target.close();
});

it('a server that is not there is told as such, and an attempt and a probe say the same', async () => {
  const target = postgresConnector.open(optionsFor('payment', await freePort()));
  const refused = { code: 'E_TARGET_UNREACHABLE', message: 'no connection could be made (ECONNREFUSED)' };
  expect(await target.probe(signal)).toMatchObject({ isReachable: false, ...refused });
  expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'refused', retryable: true, ...refused });
  expect(await target.probe(AbortSignal.abort())).toMatchObject({ code: 'E_TARGET_TIMEOUT', message: 'the server did not answer in time' });
  await target.close();
});

it('a server that is silent after the login is given up with the attempt', async () => {
  const table = await makeTable(true);
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: serverPort() });
  proxy.arm({ match: /describe target/, how: 'hold' });
  const target = postgresConnector.open(optionsFor(table, proxy.port));
  const outcome = await target.deliver(outgoing(['a']), AbortSignal.timeout(500));
  expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_TIMEOUT' });
  await Promise.all([target.close(), proxy.close()]);
});

it.each([
  // What a pooler says of a server that it has lost.
  ['FATAL', '08P01'],
  ['ERROR', '08006'],
  ['FATAL', '57P01'],
  ['ERROR', '40003'],
])('after %s %s in answer to COMMIT nobody knows, and it is found out', async (severity, sqlState) => {
  const table = await makeTable(true);
  const port = await portBeforeServer((data) => (data.includes('commit delivery') ? errorResponse(severity, sqlState) : null));
  const target = postgresConnector.open(optionsFor(table, port));
  const batch = outgoing(['a']);
  expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_REPLY_LOST' });
  await vi.waitUntil(async () => (await idsOf(table)).length === 1, 60_000);
  expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'acked' });
  await target.close();
});

/** As the protocol has it (PostgreSQL 18, section 54.7). */
function errorResponse(severity: string, sqlState: string): Buffer {
  const fields = Buffer.from(`S${severity}\0V${severity}\0C${sqlState}\0Mserver connection crashed\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** Forwards everything; what `instead` gives for a message is its answer in place of the server's, and the last one. */
async function portBeforeServer(instead: (data: Buffer | string) => Buffer | null): Promise<number> {
  const proxy = createServer((client) => {
    const server = connect({ host: '127.0.0.1', port: serverPort() });
    let isCut = false;
    client.on('data', (data) => {
      server.write(data);
      const answer = instead(data);
      if (answer === null) return;
      isCut = true;
      client.end(answer);
    });
    server.on('data', (data) => void (isCut || client.write(data)));
    for (const socket of [client, server]) socket.on('error', () => {});
    server.on('close', () => client.destroy());
  });
  onTestFinished(() => void proxy.close());
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return (proxy.address() as { port: number }).port;
}

it('an effects table that is made after a COMMIT was lost says nothing of its batch, whoever asks, and is used from then on', async () => {
  const table = await makeTable(false);
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: serverPort() });
  const target = postgresConnector.open(optionsFor(table, proxy.port));
  const kept = postgresConnector.open(optionsFor(table, serverPort()));
  await kept.deliver(outgoing(['a']), signal);
  proxy.arm({ match: /commit delivery/, how: 'forward-and-drop-answer' });
  const batch = outgoing(['b']);
  expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'unknown' });
  const plan = contractPlan({ type: 'postgres', settings: { table } });
  for (const statement of targetDdl(plan, plan.targets[0]!)
    .split(';\n')
    .filter((text) => text.includes('headgate_effects')))
    await tables.adminDb.query(`/* target ddl */ ${statement}`);
  const other = postgresConnector.open(optionsFor(table, serverPort()));
  for (const asked of [other, target]) expect(await asked.resolve!(again(batch), signal)).toMatchObject({ kind: 'unresolved' });
  const later = outgoing(['c']);
  expect(await kept.deliver(later, signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_BUSY' });
  expect(await other.resolve!(again(later), signal)).toMatchObject({ kind: 'resendable' });
  expect(await kept.deliver(later, signal)).toMatchObject({ kind: 'acked', evidence: 'committed together with its delivery keys' });
  expect(await idsOf(table)).toEqual(['a', 'b', 'c']);
  await Promise.all([...[target, kept, other].map((opened) => opened.close()), proxy.close()]);
});

it('a value that the index of the table can not hold is refused alone', async () => {
  const table = await makeTable(true);
  await tables.adminDb.query(`/* index */ create index on ${table} (customer)`);
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  const long = randomBytes(6_000).toString('base64');
  expect(await target.deliver(withCustomers(['a', 'good'], ['b', long]), signal)).toMatchObject({
    kind: 'acked',
    perRecord: [{ index: 1, status: 'refused', code: 'E_TARGET_RECORD' }],
  });
  expect(await idsOf(table)).toEqual(['a']);
  await target.close();
});

it('bad rows are found by halving and leave no delivery key behind', async () => {
  const table = await makeTable(true);
  await tables.adminDb.query(`/* rule */ alter table ${table} add check (customer not like 'bad%')`);
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  const batch = withCustomers(...Array.from({ length: 33 }, (_, index) => [`r${index}`, index % 11 === 3 ? 'bad' : 'good'] as const));
  const outcome = await target.deliver(batch, signal);
  expect(outcome).toMatchObject({ kind: 'acked', perRecord: [{ index: 3 }, { index: 14 }, { index: 25 }] });
  expect(await idsOf(table)).toHaveLength(30);
  const { rows } = await tables.adminDb.query<{ count: number }>(
    `/* effects */ select count(*)::int as count from ${table.replace('payment', 'headgate_effects')}`,
  );
  expect(rows[0]!.count).toBe(30);
  await target.close();
});

it('of a key that comes again in a batch, rows behind a refused one are not written where the order of keys is kept', async () => {
  const settings = { mode: 'upsert', keys: ['id'] };
  const table = await makeTable(true, settings);
  await tables.adminDb.query(`/* rule */ alter table ${table} add check (customer not like 'bad%')`);
  const target = postgresConnector.open(optionsFor(table, serverPort(), settings));
  const orderKeys = async () => ['a', 'a', 'a', 'b'];
  const batch = { ...withCustomers(['a', '1'], ['a', 'bad'], ['a', '3'], ['b', '4']), orderKeys };
  expect(await target.deliver(batch, signal)).toMatchObject({
    kind: 'acked',
    perRecord: [
      { index: 1, status: 'refused', code: 'E_TARGET_RECORD' },
      { index: 2, status: 'retry', code: 'E_TARGET_ORDER' },
    ],
  });
  expect(await rowsOf(table)).toEqual([
    { id: 'a', customer: '1' },
    { id: 'b', customer: '4' },
  ]);
  await target.close();
});
