import { expect, it, onTestFinished } from 'vitest';
import { createTestDatabase } from '../../../../test/support/postgres.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { strictEgress } from '../connector.ts';
import { again, contractPlan, describeConnectorContract, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { postgresTables, serverPort, withCustomers } from './postgres.fixture.ts';
import { postgresConnector } from './postgres-connector.ts';
import { targetDdl } from './target-ddl.ts';

const tables = postgresTables();
const { makeTable, optionsFor, rowsOf, idsOf } = tables;
const signal = new AbortController().signal;

for (const withEffects of [true, false]) {
  describeConnectorContract({
    connector: postgresConnector,
    cannot: ['refused'],
    async open() {
      const table = await makeTable(withEffects);
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: serverPort() });
      let release: (() => Promise<void>) | undefined;
      let isOpen = true;
      return {
        target: postgresConnector.open(optionsFor(table, proxy.port)),
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
              proxy.arm({ match: /write rows/, how: 'cut-before-forward' });
              return 'arranged';
            case 'half-open':
              proxy.arm({ match: /write rows/, how: 'hold' });
              return 'arranged';
            case 'too slow': {
              let ready!: () => void;
              const locked = new Promise<void>((resolve) => (ready = resolve));
              let done!: () => void;
              const finished = new Promise<void>((resolve) => (done = resolve));
              const locking = tables.adminDb.transaction(async (tx) => {
                await tx.query(`/* lock */ lock table ${table} in access exclusive mode`);
                ready();
                await finished;
              });
              await locked;
              release = async () => {
                done();
                await locking;
              };
              return 'arranged';
            }
            case 'refused':
              return undefined;
            case 'busy':
              proxy.arm({ match: /begin delivery/, how: 'cut-before-forward' });
              return 'arranged';
            case 'one record refused':
              await tables.adminDb.query(`/* rule */ alter table ${table} add check (id <> 'b')`);
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
}

it('values arrive in the types of the columns', async () => {
  const table = await makeTable(true);
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  await target.deliver(outgoing(['a']), signal);
  const { rows } = await tables.adminDb.query(`/* typed */ select id, amount, pg_typeof(amount)::text as type from ${table}`);
  expect(rows).toEqual([{ id: 'a', amount: '1.00', type: 'numeric' }]);
  await target.close();
});

it('upsert replaces rows, and of one key twice in a batch the last record wins', async () => {
  const settings = { mode: 'upsert', keys: ['id'] };
  const table = await makeTable(true, settings);
  const target = postgresConnector.open(optionsFor(table, serverPort(), settings));
  expect((await target.deliver(withCustomers(['a', '1'], ['b', '2'], ['a', '3'], ['a', '4']), signal)).kind).toBe('acked');
  expect(await rowsOf(table)).toEqual([
    { id: 'a', customer: '4' },
    { id: 'b', customer: '2' },
  ]);
  await target.deliver(withCustomers(['b', '5']), signal);
  expect(await rowsOf(table)).toContainEqual({ id: 'b', customer: '5' });
  await target.close();
});

it('a late older attempt of a batch can not undo a newer write of the same key', async () => {
  const settings = { mode: 'upsert', keys: ['id'] };
  const table = await makeTable(true, settings);
  const target = postgresConnector.open(optionsFor(table, serverPort(), settings));
  const older = withCustomers(['a', 'old']);
  await target.deliver(older, signal);
  await target.deliver(withCustomers(['a', 'new']), signal);
  expect((await target.deliver(again(older), signal)).kind).toBe('acked');
  expect(await rowsOf(table)).toEqual([{ id: 'a', customer: 'new' }]);
  await target.close();
});

it('text of a record is never SQL', async () => {
  const table = await makeTable(true);
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  const attack = `'); drop table ${table}; copy x from program 'id'; --`;
  expect((await target.deliver(withCustomers(['a', attack], ['b', '\\"$1 ${x}']), signal)).kind).toBe('acked');
  expect(await rowsOf(table)).toEqual([
    { id: 'a', customer: attack },
    { id: 'b', customer: '\\"$1 ${x}' },
  ]);
  await target.close();
});

it('a missing table is refused for now, so that it can be made', async () => {
  const target = postgresConnector.open(optionsFor('nowhere.to_be_found', serverPort()));
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({
    kind: 'refused',
    retryable: true,
    code: 'E_TARGET_SETUP',
    message: 'the table of the target, "nowhere.to_be_found", does not exist or can not be seen',
  });
  await target.close();
});

it('a wrong password is refused for now and not shown', async () => {
  const table = await makeTable(true);
  const options = optionsFor(table, serverPort(), {}, { user: 'headgate_app', password: 'env:WRONG' });
  const target = postgresConnector.open({
    ...options,
    secrets: openOptions(postgresConnector, { settings: {}, connection: {}, env: { WRONG: 'swordfish' } }).secrets,
  });
  const outcome = await target.deliver(outgoing(['a']), signal);
  expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
  expect(JSON.stringify(outcome)).not.toContain('swordfish');
  await target.close();
});

it('a password that is exchanged in mid-run is refused for now, then used at once; a server that is full is asked again', async () => {
  const table = await makeTable(true);
  const { adminDb } = tables;
  const role = `rotating_${process.pid}`;
  await adminDb.query(`/* role */ create role ${role} login password 'one'`);
  await adminDb.query(`/* rights */ grant usage on schema ${table.split('.')[0]} to ${role}`);
  await adminDb.query(`/* rights */ grant all on all tables in schema ${table.split('.')[0]} to ${role}`);
  onTestFinished(async () => {
    await adminDb.query(`/* rights */ drop owned by ${role}`);
    await adminDb.query(`/* role */ drop role ${role}`);
  });
  const env = { ROTATING: 'one' };
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: serverPort() });
  const { secrets } = openOptions(postgresConnector, { settings: {}, connection: {}, env });
  const target = postgresConnector.open({
    ...optionsFor(table, proxy.port, {}, { user: role, password: 'env:ROTATING' }),
    secrets,
  });
  onTestFinished(() => Promise.all([target.close(), proxy.close()]).then(() => {}));
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'acked' });
  await adminDb.query(`/* exchange */ alter role ${role} password 'two'`);
  env.ROTATING = 'wrong';
  const batch = outgoing(['b']);
  expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
  env.ROTATING = 'two';
  await adminDb.query(`/* full */ alter role ${role} connection limit 0`);
  expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_BUSY' });
  await adminDb.query(`/* room */ alter role ${role} connection limit -1`);
  expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'acked' });
  expect(await idsOf(table)).toEqual(['a', 'b']);
});

it("C4: Headgate's own database is no target, whatever it is called", async () => {
  const own = await createTestDatabase();
  onTestFinished(() => own.drop());
  const target = postgresConnector.open(optionsFor('headgate.batches', serverPort(), {}, { database: own.name }));
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET' });
  await target.close();
});

it.each([
  ['a socket for a host', {}, { host: '/var/run/postgresql' }],
  ['options for the server', {}, { options: '-c role=postgres' }],
  ['SQL for a table', { table: 'x; drop table y' }, {}],
  ['a quoted table', { table: '"x"' }, {}],
  ['COPY to a program for a table', { table: "x FROM PROGRAM 'id'; copy y" }, {}],
  ['COPY to a program for a key', { mode: 'upsert', keys: ["id) TO PROGRAM 'id' --"] }, {}],
  ['a key that is no field', { mode: 'upsert', keys: ['nope'] }, {}],
  ['upsert without keys', { mode: 'upsert' }, {}],
])('C4: %s is refused before anything is opened', (_, settings, connection) => {
  expect(() => postgresConnector.open(optionsFor('t.x', 1, settings, connection))).toThrowError(
    expect.objectContaining({ code: 'E_TARGET' }),
  );
});

it('C4: TLS is required, and a private address needs the policy', async () => {
  const options = optionsFor('t.x', serverPort());
  expect(() => postgresConnector.open({ ...options, egress: strictEgress })).toThrowError(/TLS/);
  const target = postgresConnector.open({ ...options, egress: { allowPrivate: [], allowPlain: true } });
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
  const encrypted = postgresConnector.open(optionsFor('t.x', serverPort(), {}, { tls: 'verify-full' }));
  expect(await encrypted.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true });
  await Promise.all([target.close(), encrypted.close()]);
});

it('the ddl names columns by output field, with keys', () => {
  const plan = contractPlan({ type: 'postgres', settings: { table: 'pay.credit', keys: ['id'], mode: 'upsert' } });
  expect(targetDdl(plan, plan.targets[0]!)).toContain(
    'create table if not exists "pay"."credit" (\n  "id" text not null,\n  "customer" text,\n  "amount" numeric,',
  );
});

it('a lease that is lost before COMMIT leaves no row', async () => {
  const table = await makeTable(false);
  const lost = new HeadgateError('E_ATTEMPT_ABANDONED', 'the lease of the batch has run out', { retryable: true });
  const assertOurs = () => {
    throw lost;
  };
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  expect(await target.deliver(outgoing(['a'], { assertOurs }), signal)).toMatchObject({ kind: 'refused', code: 'E_ATTEMPT_ABANDONED' });
  expect(await idsOf(table)).toEqual([]);
  await target.close();
});

it('a process that is stopped between its last look at the lease and COMMIT commits nothing when it wakes', async () => {
  const table = await makeTable(false);
  const stopped = new Int32Array(new SharedArrayBuffer(4));
  const target = postgresConnector.open(optionsFor(table, serverPort()));
  // Nothing of this process runs meanwhile; the server ends the session by itself.
  const assertOurs = () => void Atomics.wait(stopped, 0, 0, 600);
  const outcome = await target.deliver(outgoing(['a'], { assertOurs, oursForMs: 200 }), signal);
  expect(outcome.kind).not.toBe('acked');
  expect(await idsOf(table)).toEqual([]);
  await target.close();
});

it.each([true, false])(
  'a row behind a refused one of its key is not written where the order of keys is kept (effects: %s)',
  async (withEffects) => {
    const table = await makeTable(withEffects);
    await tables.adminDb.query(`/* limit */ alter table ${table} add constraint no_a1 check (id <> 'a1')`);
    const target = postgresConnector.open(optionsFor(table, serverPort()));
    const orderKeys = async () => ['a', 'b', 'a', null, 'b', 'a'];
    const batch = outgoing(['a1', 'b1', 'a2', 'n', 'b2', 'a3'], { orderKeys });
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
    await target.close();
  },
);
