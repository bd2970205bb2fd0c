import { describe, expect, onTestFinished, vi } from 'vitest';
import { itWith } from '../../../../test/support/components.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { again, contractPlan, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { type Given, statementsOf, useMariaDb, withRecords } from './mysql.fixture.ts';
import { mysqlConnector } from './mysql-connector.ts';
import { mysqlDdl } from './mysql-ddl.ts';

const world = useMariaDb();
const { makeTable, optionsFor, withTarget, idsOf, effectsOf } = world;
const signal = new AbortController().signal;
const waiting = { timeout: 60_000, interval: 5 };
const deliverOnce = (given: Given, batch = outgoing(['a'])) => withTarget(given, (target) => target.deliver(batch, signal));

describe('what has to be mended at the target or its connection', () => {
  const upsert = { mode: 'upsert', keys: ['id'] };
  const cases: readonly (readonly [string, string, Record<string, unknown>, Record<string, unknown>, string])[] = [
    ['a wrong password', '', {}, { password: 'env:WRONG' }, 'E_TARGET_FORBIDDEN'],
    ['an unknown user', '', {}, { user: 'nobody' }, 'E_TARGET_FORBIDDEN'],
    ['an unknown database', '', {}, { database: 'test_nowhere' }, 'E_TARGET_SETUP'],
    ['a database without rights', '', {}, { database: 'secrets' }, 'E_TARGET_SETUP'],
    ['a missing table', 'drop table TABLE', {}, {}, 'E_TARGET_SETUP'],
    ['a missing column', 'alter table TABLE drop column customer', {}, {}, 'E_TARGET_SETUP'],
    ['a column that needs a value', 'alter table TABLE add branch int not null', {}, {}, 'E_TARGET_SETUP'],
    ['a table without transactions', 'alter table TABLE engine = MyISAM', {}, {}, 'E_TARGET_SETUP'],
    ['an effects table without transactions', 'alter table EFFECTS engine = Aria', {}, {}, 'E_TARGET_SETUP'],
    ['a column that rounds money', 'alter table TABLE modify amount double', {}, {}, 'E_TARGET_SETUP'],
    [
      'a right to read only',
      "grant select on TABLE to reader@'127.0.0.1'",
      {},
      { user: 'reader', password: 'env:READER', database: 'OWN' },
      'E_TARGET_SETUP',
    ],
    ['an upsert without its unique index', '', upsert, {}, 'E_TARGET_SETUP'],
    [
      'an upsert that another unique index may lead astray',
      'alter table TABLE modify id varchar(9) primary key, modify customer varchar(9) unique',
      upsert,
      {},
      'E_TARGET_SETUP',
    ],
  ];
  for (const [what, statement, settings, connection, code] of cases) {
    itWith('mariadb')(`such as ${what} is refused for now, and leaves nothing behind`, async () => {
      const table = await makeTable(true);
      await world.maria.sql("create user if not exists reader@'127.0.0.1' identified by 'reading'");
      await world.maria.sql('create database if not exists secrets');
      const effects = table.replace('payment', 'headgate_effects');
      if (statement !== '') await world.maria.sql(statement.replace('TABLE', table).replace('EFFECTS', effects));
      const place = connection['database'] === 'OWN' ? { database: table.split('.')[0] } : {};
      const given = { table, settings, connection: { ...connection, ...place }, env: { WRONG: 'swordfish', READER: 'reading' } };
      const outcome = await deliverOnce(given);
      expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code });
      expect(JSON.stringify(outcome)).not.toMatch(/swordfish|customer-secret/);
      expect(await effectsOf(table)).toBe(0);
      if (statement !== 'drop table TABLE') expect(await world.maria.sql(`select 1 from ${table}`)).toEqual([]);
    });
  }

  itWith('mariadb')('is found when it comes in mid-run, with a connection that is kept', async () => {
    const table = await makeTable(true, upsert);
    await world.maria.sql(`alter table ${table} modify customer varchar(9)`);
    await withTarget({ table, settings: upsert }, async (target) => {
      const deliver = (id: string, customer: string) => target.deliver(withRecords({ id, customer, amount: '1.60' }), signal);
      const changed = { kind: 'refused', retryable: true, code: 'E_TARGET_BUSY' };
      const refused = { kind: 'refused', retryable: true, code: 'E_TARGET_SETUP' };
      expect(await deliver('a', 'c1')).toMatchObject({ kind: 'acked' });
      await world.maria.sql(`alter table ${table} add unique (customer)`);
      expect(await deliver('b', 'c1')).toMatchObject(changed);
      expect(await deliver('b', 'c1')).toMatchObject(refused);
      await world.maria.sql(`alter table ${table} drop index customer, modify customer varchar(20)`);
      expect(await deliver('b', 'c1')).toMatchObject({ kind: 'acked' });
      await world.maria.sql(`alter table ${table} modify amount int`);
      expect(await deliver('c', 'c1')).toMatchObject(changed);
      expect(await deliver('c', 'c1')).toMatchObject(refused);
    });
    expect(await idsOf(table)).toEqual(['a', 'b']);
  });

  itWith('mariadb')('is used with an effects table as soon as that is made, which says nothing of what was lost before', async () => {
    const table = await makeTable(false);
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: world.maria.port });
    onTestFinished(() => proxy.close());
    const plan = contractPlan({ type: 'mysql', settings: { table } });
    const ddl = statementsOf(mysqlDdl(plan, plan.targets[0]!)).filter((statement) => statement.includes('headgate_effects'));
    // Cut long before: the server says of a table only in which second it was made.
    const batch = outgoing(['b'], { batchId: '01990000-0000-7000-8000-000000000001' });
    await withTarget({ table }, async (kept) => {
      expect(await kept.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'acked' });
      proxy.arm({ match: /commit delivery/, how: 'forward-and-drop-answer' });
      expect(await withTarget({ table, port: proxy.port }, (target) => target.deliver(batch, signal))).toMatchObject({ kind: 'unknown' });
      for (const statement of ddl) await world.maria.sql(statement);
      expect(await withTarget({ table }, (target) => target.resolve!(again(batch), signal))).toMatchObject({ kind: 'unresolved' });
      const later = outgoing(['c']);
      expect(await kept.deliver(later, signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_BUSY' });
      expect(await kept.deliver(later, signal)).toMatchObject({ kind: 'acked', evidence: 'committed together with its delivery keys' });
    });
    expect(await idsOf(table)).toEqual(['a', 'b', 'c']);
  });

  itWith('mariadb')('is not a number of its own beside the keys of an upsert', async () => {
    const table = await makeTable(true, upsert);
    await world.maria.sql(`alter table ${table} drop primary key, add unique (id), add seq_no bigint auto_increment primary key`);
    expect(await deliverOnce({ table, settings: upsert })).toMatchObject({ kind: 'acked' });
    expect(await deliverOnce({ table, settings: upsert })).toMatchObject({ kind: 'acked' });
    expect(await idsOf(table)).toEqual(['a']);
  });

  itWith('mariadb')('is read again at each attempt, as a password that was changed', async () => {
    const table = await makeTable(true);
    await world.maria.sql("create user rotating@'127.0.0.1' identified by 'one'");
    await world.maria.sql("grant all on `t%`.* to rotating@'127.0.0.1'");
    const env: Record<string, string> = { ROTATING: 'one' };
    const connection = { user: 'rotating', password: 'env:ROTATING', database: table.split('.')[0] };
    const { secrets } = openOptions(mysqlConnector, { settings: {}, connection: {}, env });
    const target = mysqlConnector.open({ ...optionsFor({ table, connection }), secrets });
    onTestFinished(() => target.close());
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'acked' });
    await world.maria.sql("set password for rotating@'127.0.0.1' = password('two')");
    env['ROTATING'] = 'two';
    expect(await target.deliver(outgoing(['b']), signal)).toMatchObject({ kind: 'acked' });
    env['ROTATING'] = 'one';
    expect(await target.deliver(outgoing(['c']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_FORBIDDEN' });
    expect(await idsOf(table)).toEqual(['a', 'b']);
  });
});

describe('a server that is full', () => {
  itWith('mariadb')('of connections is asked again, and takes the batch once there is room', async () => {
    const table = await makeTable(true);
    await world.maria.sql("create user crowded@'127.0.0.1' identified by 'crowded' with max_user_connections 1");
    await world.maria.sql("grant all on `t%`.* to crowded@'127.0.0.1'");
    const given = {
      table,
      connection: { user: 'crowded', password: 'env:CROWDED', database: table.split('.')[0] },
      env: { CROWDED: 'crowded' },
    };
    const batch = outgoing(['b']);
    await withTarget(given, async (first) => {
      // Its connection is kept.
      expect(await first.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'acked' });
      expect(await deliverOnce(given, batch)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_BUSY' });
    });
    await vi.waitUntil(async () => (await deliverOnce(given, again(batch))).kind === 'acked', waiting);
    expect(await idsOf(table)).toEqual(['a', 'b']);
  });
});

describe('locks of others', () => {
  itWith('mariadb')('that are not given up in time make the target busy, and nothing is left', async () => {
    const table = await makeTable(true);
    await world.maria.sql(`alter table ${table} modify id varchar(9) primary key`);
    const session = await world.maria.openSession();
    onTestFinished(() => session.end());
    await session.query('start transaction');
    await session.query(`insert into ${table} (id) values ('b')`);
    const batch = outgoing(['a', 'b']);
    await withTarget({ table }, async (target) => {
      expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_BUSY' });
      await session.query('rollback');
      expect(await idsOf(table)).toEqual([]);
      expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'acked' });
    });
  });

  itWith('mariadb')('that wait for ours as we for theirs make it busy as well', async () => {
    const settings = { mode: 'upsert', keys: ['id'] };
    const table = await makeTable(true, settings);
    const session = await world.maria.openSession();
    onTestFinished(() => session.end());
    const others = Array.from({ length: 200 }, (_, index) => `('x${index}')`);
    await world.maria.sql(`insert into ${table} (id) values ('a'), ('b'), ${others.join(', ')}`);
    await session.query('start transaction');
    // The one that has changed less is given up.
    await session.query(`update ${table} set customer = '1' where id like 'x%'`);
    await session.query(`update ${table} set customer = '1' where id = 'b'`);
    const delivery = deliverOnce({ table, settings, target: { timeoutMs: 20_000 } }, outgoing(['a', 'b']));
    const waitingForUs = "select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT'";
    // The server shows what it showed before when it is asked again within 100 ms.
    await vi.waitUntil(async () => (await world.maria.sql(waitingForUs)).length > 0, { ...waiting, interval: 250 });
    await session.query(`update ${table} set customer = '1' where id = 'a'`);
    expect(await delivery).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_BUSY' });
    await session.query('commit');
    expect(await world.maria.sql(`select distinct customer from ${table}`)).toEqual([{ customer: '1' }]);
  });
});

describe('TLS', () => {
  const overTls = (table: string, connection: Record<string, unknown>, certificate = world.maria.certificate) => {
    const options = optionsFor({
      table,
      connection: { tls: 'verify-full', certificateAuthority: 'env:CA', ...connection },
      env: { CA: certificate },
    });
    return mysqlConnector.open({ ...options, ports: { ...options.ports, resolveHost: async () => [world.maria.host] } });
  };

  itWith('mariadb')('is used for the name of the server and its authority, and for no other', async () => {
    const table = await makeTable(true);
    const { hostName: host } = world.maria;
    await world.maria.sql("create user encrypted@'127.0.0.1' identified by 'enciphered' require ssl");
    await world.maria.sql("grant all on `t%`.* to encrypted@'127.0.0.1'");
    const good = overTls(table, { host });
    expect(await good.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'acked' });
    const unverified = overTls(table, { host: 'other.bank.example', tls: 'require' });
    expect(await unverified.deliver(outgoing(['b']), signal)).toMatchObject({ kind: 'acked' });
    const otherName = overTls(table, { host: 'other.bank.example' });
    expect(await otherName.deliver(outgoing(['c']), signal)).toMatchObject({
      kind: 'refused',
      retryable: true,
      code: 'E_TARGET_UNREACHABLE',
    });
    const withoutAuthority = overTls(table, { host, certificateAuthority: undefined });
    expect(await withoutAuthority.deliver(outgoing(['d']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_UNREACHABLE' });
    const noCertificate = overTls(table, { host }, 'no certificate');
    expect(await noCertificate.deliver(outgoing(['e']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_UNREACHABLE' });
    await Promise.all([good, unverified, otherName, withoutAuthority, noCertificate].map((target) => target.close()));
    expect(await idsOf(table)).toEqual(['a', 'b']);
  });

  itWith('mariadb')('C4: a private address needs the policy', async () => {
    const options = optionsFor({ table: 't.x' });
    const target = mysqlConnector.open({ ...options, egress: { allowPrivate: [], allowPlain: true } });
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
    await target.close();
  });
});

describe('a lease', () => {
  itWith('mariadb')('that is lost before COMMIT leaves no row', async () => {
    const table = await makeTable(false);
    const lost = new HeadgateError('E_ATTEMPT_ABANDONED', 'the lease of the batch has run out', { retryable: true });
    const assertOurs = () => {
      throw lost;
    };
    expect(await deliverOnce({ table }, outgoing(['a'], { assertOurs }))).toMatchObject({ kind: 'refused', code: 'E_ATTEMPT_ABANDONED' });
    expect(await idsOf(table)).toEqual([]);
  });

  itWith('mariadb')('of a process that is stopped between its last look and COMMIT commits nothing when it wakes', async () => {
    const table = await makeTable(false);
    const stopped = new Int32Array(new SharedArrayBuffer(4));
    // Nothing of this process runs meanwhile; the server ends the session by itself.
    const assertOurs = () => void Atomics.wait(stopped, 0, 0, 2_500);
    const outcome = await deliverOnce({ table }, outgoing(['a'], { assertOurs, oursForMs: 1_900 }));
    expect(outcome.kind).not.toBe('acked');
    expect(await idsOf(table)).toEqual([]);
  });

  itWith('mariadb')('that is shorter than the server can be told sends nothing', async () => {
    const table = await makeTable(false);
    expect(await deliverOnce({ table }, outgoing(['a'], { oursForMs: 900 }))).toMatchObject({ kind: 'refused', code: 'E_TARGET' });
    expect(await idsOf(table)).toEqual([]);
  });
});

/** Last: the server is ended in it. */
describe('a server that is killed', () => {
  itWith('mariadb')('leaves what is not committed refused and what is being committed unknown, and is asked when it is back', async () => {
    const table = await makeTable(true);
    const { maria } = world;
    const proxy = await startTcpProxy({ host: maria.host, port: maria.port });
    onTestFinished(() => proxy.close());
    await withTarget({ table, port: proxy.port, target: { timeoutMs: 60_000 } }, async (target) => {
      proxy.arm({ match: /customer-secret/, how: 'hold' });
      const writing = target.deliver(outgoing(['a']), signal);
      await vi.waitUntil(() => proxy.faultsUsed === 1, waiting);
      await maria.kill();
      expect(await writing).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_UNREACHABLE' });
      expect(await target.deliver(outgoing(['b']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_UNREACHABLE' });
      await maria.start();

      const neverArrived = withRecords({ id: 'c', customer: 'c' });
      proxy.arm({ match: /commit delivery/, how: 'hold' });
      const committing = target.deliver(neverArrived, signal);
      await vi.waitUntil(() => proxy.faultsUsed === 2, waiting);
      await maria.kill();
      expect(await committing).toMatchObject({ kind: 'unknown', code: 'E_TARGET_REPLY_LOST' });
      expect(await target.resolve!(again(neverArrived), signal)).toMatchObject({ kind: 'unresolved' });
      await maria.start();
      expect(await target.resolve!(again(neverArrived), signal)).toMatchObject({ kind: 'resendable' });

      const arrived = withRecords({ id: 'd', customer: 'd' });
      proxy.arm({ match: /commit delivery/, how: 'forward-and-drop-answer' });
      expect(await target.deliver(arrived, signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_REPLY_LOST' });
      await maria.kill();
      await maria.start();
      expect(await target.resolve!(again(arrived), signal)).toMatchObject({ kind: 'acked' });
      expect((await target.deliver(again(neverArrived), signal)).kind).toBe('acked');
    });
    expect(await idsOf(table)).toEqual(['c', 'd']);
  });
});
