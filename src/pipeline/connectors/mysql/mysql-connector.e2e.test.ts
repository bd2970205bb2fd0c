import { describe, expect } from 'vitest';
import { hasComponent, itWith } from '../../../../test/support/components.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { again, describeConnectorContract, outgoing } from '../connector-contract.fixture.ts';
import { useMariaDb, withRecords } from './mysql.fixture.ts';
import { mysqlConnector } from './mysql-connector.ts';

const world = useMariaDb();
const { makeTable, optionsFor, withTarget, rowsOf, idsOf, effectsOf } = world;
const signal = new AbortController().signal;

describe.runIf(hasComponent('mariadb')).each([true, false])('with the effects table: %s', (withEffects) => {
  describeConnectorContract({
    connector: mysqlConnector,
    cannot: ['refused'],
    async open() {
      const table = await makeTable(withEffects);
      const proxy = await startTcpProxy({ host: world.maria.host, port: world.maria.port });
      let release: (() => Promise<void>) | undefined;
      let isOpen = true;
      return {
        target: mysqlConnector.open(optionsFor({ table, port: proxy.port })),
        stored: () => idsOf(table),
        interrupted: 'refused',
        proxy,
        isIdempotent: withEffects,
        async arrange(fault) {
          switch (fault) {
            case 'reply lost':
              proxy.arm({ match: /commit delivery/, how: 'forward-and-drop-answer' });
              return 'arranged';
            case 'reset while sending':
              proxy.arm({ match: /customer-secret/, how: 'cut-before-forward' });
              return 'arranged';
            case 'half-open':
              proxy.arm({ match: /customer-secret/, how: 'hold' });
              return 'arranged';
            case 'too slow': {
              const session = await world.maria.openSession();
              await session.query(`lock tables ${table} write`);
              release = () => session.end();
              return 'arranged';
            }
            case 'refused':
              return undefined;
            case 'busy':
              proxy.arm({ match: /begin delivery/, how: 'cut-before-forward' });
              return 'arranged';
            case 'one record refused':
              await world.maria.sql(`alter table ${table} add check (id <> 'b')`);
              return 'arranged';
            case 'unreachable':
              isOpen = false;
              await proxy.close();
              return 'arranged';
          }
        },
        async close() {
          await release?.();
          if (isOpen) await proxy.close();
        },
      };
    },
  });
});

describe('rows', () => {
  itWith('mariadb')('have the values of the records to the last digit and sign, whatever the server was set to', async () => {
    const table = await makeTable(true);
    await world.maria.sql(`alter table ${table} modify customer bigint, modify currency varchar(200) character set utf8mb4`);
    await world.maria.sql("set global sql_mode = 'ANSI_QUOTES'");
    const currency = 'Zoë 😀 \'"`\\ \u0000 ; --';
    const record = { id: 'a', amount: '123456789012345678901234567890.12345678', currency };
    const batch = withRecords(record, { ...record, id: 'b', amount: null, currency: null });
    const lines = [...batch.body.lines()].map((line) =>
      Buffer.from(Buffer.from(line).toString().replace('"id":', '"customer":9007199254740993,"id":')),
    );
    try {
      const outcome = await withTarget({ table }, (target) =>
        target.deliver({ ...batch, body: { ...batch.body, lines: () => lines } }, signal),
      );
      expect(outcome).toEqual({ kind: 'acked', evidence: 'committed together with its delivery keys' });
    } finally {
      await world.maria.sql('set global sql_mode = default');
    }
    expect(await world.maria.sql(`select id, cast(customer as char) as customer, amount, currency from ${table} order by id`)).toEqual([
      { ...record, customer: '9007199254740993' },
      { id: 'b', customer: '9007199254740993', amount: null, currency: null },
    ]);
  });

  itWith('mariadb')('are replaced by upsert, and of one key several times in a batch the last record wins', async () => {
    const settings = { mode: 'upsert', keys: ['id'] };
    const table = await makeTable(true, settings);
    await withTarget({ table, settings }, async (target) => {
      const batch = withRecords(
        { id: 'a', customer: '1' },
        { id: 'b', customer: '2' },
        { id: 'a', customer: '3' },
        { id: 'a', customer: '4' },
      );
      expect((await target.deliver(batch, signal)).kind).toBe('acked');
      expect(await rowsOf(table)).toEqual([
        { id: 'a', customer: '4' },
        { id: 'b', customer: '2' },
      ]);
      await target.deliver(withRecords({ id: 'b', customer: '5' }), signal);
      expect(await rowsOf(table)).toContainEqual({ id: 'b', customer: '5' });
      // A late older attempt can not undo the newer write.
      expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
      expect(await rowsOf(table)).toContainEqual({ id: 'b', customer: '5' });
    });
  });

  itWith('mariadb')('of two attempts at the same time are there once', async () => {
    const table = await makeTable(true);
    const ids = Array.from({ length: 50 }, (_, index) => `r${String(index).padStart(2, '0')}`);
    const batch = outgoing(ids);
    await withTarget({ table }, async (target) => {
      const outcomes = await Promise.all([target.deliver(batch, signal), target.deliver(again(batch), signal)]);
      expect(outcomes.map(({ kind }) => kind)).toContain('acked');
      expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
    });
    expect(await idsOf(table)).toEqual(ids);
  });

  itWith('mariadb')('that were refused come with another attempt once the table takes them, and no other does', async () => {
    const table = await makeTable(true);
    await world.maria.sql(`alter table ${table} add constraint no_b check (id <> 'b')`);
    const batch = outgoing(['a', 'b', 'c']);
    await withTarget({ table }, async (target) => {
      expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'acked', perRecord: [{ index: 1 }] });
      await world.maria.sql(`alter table ${table} drop constraint no_b`);
      expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'resendable' });
      // A table that was changed takes nothing over a connection that saw it before.
      expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_BUSY' });
      expect(await target.deliver(again(batch), signal)).toEqual({ kind: 'acked', evidence: 'committed together with its delivery keys' });
    });
    expect([await idsOf(table), await effectsOf(table)]).toEqual([['a', 'b', 'c'], 3]);
  });

  itWith('mariadb')('go in statements that the server takes, and one that is larger is refused alone', async () => {
    const table = await makeTable(true);
    await world.maria.sql('set global max_allowed_packet = 1048576');
    try {
      const records = Array.from({ length: 40 }, (_, index) => ({
        id: `r${index}`,
        customer: 'x'.repeat(index === 7 ? 1_100_000 : 90_000),
      }));
      const outcome = await withTarget({ table }, (target) => target.deliver(withRecords(...records), signal));
      expect(outcome).toMatchObject({ kind: 'acked', perRecord: [{ index: 7, status: 'refused', code: 'E_TARGET_RECORD' }] });
    } finally {
      await world.maria.sql('set global max_allowed_packet = default');
    }
    expect([(await idsOf(table)).length, await effectsOf(table)]).toEqual([39, 39]);
  });
});

describe('a row that the table does not take as it is', () => {
  itWith('mariadb')('is found by halving, and leaves no delivery key behind', async () => {
    const table = await makeTable(true);
    await world.maria.sql(`alter table ${table} add check (customer <> 'bad')`);
    const records = Array.from({ length: 1_500 }, (_, index) => ({ id: `r${index}`, customer: index % 500 === 3 ? 'bad' : 'good' }));
    const outcome = await withTarget({ table }, (target) => target.deliver(withRecords(...records), signal));
    expect(outcome).toMatchObject({ kind: 'acked', perRecord: [{ index: 3 }, { index: 503 }, { index: 1003 }] });
    expect([(await idsOf(table)).length, await effectsOf(table)]).toEqual([1_497, 1_497]);
  });

  const rules: readonly (readonly [string, string, Record<string, unknown>])[] = [
    ['a text that is too long', 'modify customer varchar(3)', { customer: 'four' }],
    ['spaces that would be cut', 'modify customer varchar(3)', { customer: 'abc  ' }],
    ['a decimal that is out of range', 'modify amount decimal(5, 2)', { amount: '1000.00' }],
    ['a decimal that would be rounded', 'modify amount decimal(5, 2)', { amount: '1.005' }],
    ['a null', 'modify customer longtext not null', { customer: null }],
    ['a date that does not exist', 'modify customer date', { customer: '2026-02-30' }],
    ['a date of nothing but zeros', 'modify customer date', { customer: '0000-00-00' }],
    ['a text for a number', 'modify customer int', { customer: '12x' }],
    ['a value that is not one of an enum', "modify customer enum('abc')", { customer: 'xyz' }],
    ['a key that is there', 'modify id varchar(9) primary key', { id: 'first' }],
    ['a reference to nothing', 'add foreign key (currency) references REFERENCED (code)', { currency: 'XXX' }],
    ['a rule of the table', 'add check (amount > 0)', { amount: '-1.00' }],
  ];
  for (const [what, rule, bad] of rules) {
    itWith('mariadb')(`such as ${what} is refused alone`, async () => {
      const table = await makeTable(true);
      const referenced = table.replace('payment', 'codes');
      await world.maria.sql(`create table ${referenced} (code varchar(3) primary key) collate utf8mb4_bin`);
      await world.maria.sql(`insert into ${referenced} values ('EUR')`);
      if (rule.includes('REFERENCED')) await world.maria.sql(`alter table ${table} modify currency varchar(3)`);
      await world.maria.sql(`alter table ${table} ${rule.replace('REFERENCED', referenced)}`);
      const good = { customer: /date/.test(rule) ? '2026-02-28' : / int/.test(rule) ? '12' : 'abc' };
      const batch = withRecords({ id: 'first', ...good }, { id: 'second', ...good, ...bad }, { id: 'third', ...good });
      const outcome = await withTarget({ table }, (target) => target.deliver(batch, signal));
      expect(outcome).toMatchObject({ kind: 'acked', perRecord: [{ index: 1, status: 'refused', code: 'E_TARGET_RECORD' }] });
      expect([await idsOf(table), await effectsOf(table)]).toEqual([['first', 'third'], 2]);
    });
  }

  const changes: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['int', ['12', '12.0', ' 12'], ['12.5', '1.4', '15e-1']],
    ['datetime', ['2026-01-02T10:00:00', '2026-01-02 10:00:00.000'], ['2026-01-02T23:59:59.9']],
    ['datetime(3)', ['2026-01-02T10:00:00.125'], ['2026-01-02T10:00:00.1259']],
    ['time', ['10:00:00'], ['10:00:00.7']],
    ['char(5)', ['ab', ' ab'], ['ab ', 'ab   ']],
    ['binary(2)', ['ab'], ['a']],
    ['float', ['0.5', '123456'], ['16777217']],
    ['double', ['0.1', '123456789.012345'], ['9007199254740993']],
    ['year', ['2026'], ['26']],
    ["enum('7','b')", ['7', 'b'], ['1', '2']],
  ];
  for (const [type, kept, changed] of changes) {
    itWith('mariadb')(`such as one of which a column of type ${type} would change the text without a word is refused alone`, async () => {
      const table = await makeTable(true);
      await world.maria.sql(`alter table ${table} modify customer ${type}`);
      const batch = withRecords(...[...kept, ...changed].map((customer, index) => ({ id: `r${index}`, customer })));
      const outcome = await withTarget({ table }, (target) => target.deliver(batch, signal));
      const message = 'the column customer would keep a value otherwise than it was sent';
      expect(outcome).toMatchObject({ perRecord: changed.map((_, at) => ({ index: kept.length + at, status: 'refused', message })) });
      expect([await idsOf(table), await effectsOf(table)]).toEqual([kept.map((_, index) => `r${index}`), kept.length]);
    });
  }

  itWith('mariadb')('tells its cause by numbers of the server, without its text', async () => {
    const table = await makeTable(true);
    await world.maria.sql(`alter table ${table} modify customer varchar(4), modify amount decimal(5, 2)`);
    const batch = withRecords(
      { id: 'a', customer: 'good' },
      { id: 'b', customer: 'customer-secret' },
      { id: 'c', customer: 'abc', amount: '1000.00' },
      { id: 'd', customer: 'abc', amount: '1.005' },
    );
    const outcome = await withTarget({ table }, (target) => target.deliver(batch, signal));
    expect(outcome).toMatchObject({
      kind: 'acked',
      perRecord: [
        { index: 1, message: 'the server answered with error 1406 (SQLSTATE 22001)' },
        { index: 2, message: 'the server answered with error 1264 (SQLSTATE 22003)' },
        { index: 3, message: 'the server warned with error 1265: it keeps a value otherwise than it was sent' },
      ],
    });
  });

  itWith('mariadb')('is none for zeros behind the scale of its column', async () => {
    const table = await makeTable(true);
    await world.maria.sql(`alter table ${table} modify amount decimal(5, 2)`);
    const outcome = await withTarget({ table }, (target) => target.deliver(withRecords({ id: 'a', amount: '1.5000' }), signal));
    expect(outcome).toMatchObject({ kind: 'acked' });
    expect(await world.maria.sql(`select amount from ${table}`)).toEqual([{ amount: '1.50' }]);
  });

  for (const withEffects of [true, false]) {
    itWith('mariadb')(`is overtaken by no row of its key where the order of keys is kept (effects: ${withEffects})`, async () => {
      const table = await makeTable(withEffects);
      await world.maria.sql(`alter table ${table} add constraint no_a1 check (id <> 'a1')`);
      const orderKeys = async () => ['a', 'b', 'a', null, 'b', 'a'];
      const batch = outgoing(['a1', 'b1', 'a2', 'n', 'b2', 'a3'], { orderKeys });
      await withTarget({ table }, async (target) => {
        expect(await target.deliver(batch, signal)).toMatchObject({
          kind: 'acked',
          perRecord: [
            { index: 0, status: 'refused', code: 'E_TARGET_RECORD' },
            { index: 2, status: 'retry', code: 'E_TARGET_ORDER' },
            { index: 5, status: 'retry', code: 'E_TARGET_ORDER' },
          ],
        });
        expect(await idsOf(table)).toEqual(['b1', 'b2', 'n']);
        // What was held back leaves no effect, so that it can be written once its key is free.
        expect(await target.deliver({ ...batch, orderKeys: null }, signal)).toMatchObject({ kind: 'acked' });
        expect((await idsOf(table)).filter((id) => id.startsWith('a'))).toEqual(['a2', 'a3']);
      });
    });
  }
});
