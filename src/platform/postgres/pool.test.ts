import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/support/tcp-proxy.ts';
import { systemPorts } from '../base/system-ports.ts';
import { resolveCommit } from './commit-outcome.ts';
import type { Db } from './database.ts';
import { openPool } from './pool.ts';
import { CommitUnknownError, violatedConstraint } from './postgres-errors.ts';
import { retryTransient } from './transient-retry.ts';

let database: TestDatabase;
let proxy: TcpProxy;
/** What the pool behind the proxy told of its statements. */
const observed: string[] = [];
let viaProxy: Db;

beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
  await database.adminDb.query(`/* make table */ create table notes (id int primary key, body text not null, constraint body_is_short check (length(body) < 10),
    constraint body_is_unique unique (body) deferrable initially deferred)`);
  await database.adminDb.query('/* grant */ grant all on notes to headgate_app');
  const target = new URL(database.url);
  proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) });
  target.port = String(proxy.port);
  viaProxy = openPool({
    observe: (statement, outcome) => void observed.push(`${statement} ${outcome}`),
    url: target.href,
    applicationName: 'pool test',
  });
});

afterAll(async () => {
  await viaProxy.close();
  await proxy.close();
  await database.drop();
});

const insert = '/* insert note */ insert into notes (id, body) values ($1, $2)';
const count = '/* count notes */ select count(*)::int8 as n from notes where id = $1';
const countNotes = async (id: number) => (await database.db.query<{ n: number }>(count, [id])).rows[0]!.n;

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
/** A message of the server, as the protocol frames it. */
const message = (type: string, body: Buffer) => Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
const shutdown = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');

describe('statements', () => {
  it('arrive as the documented types', async () => {
    const { rows } = await database.db.query(
      `/* types */ select 5::int8 as counted, 12.30::numeric as money, date '2026-02-28' as day, timestamptz '2026-02-28T10:00:00.123Z' as at,
       '\\x00ff'::bytea as bytes, '{"a":1}'::jsonb as json, array[1,2]::int8[] as list`,
    );
    const day = '2026-02-28';
    expect(rows[0]).toMatchObject({
      counted: 5,
      money: '12.30',
      day,
      at: new Date('2026-02-28T10:00:00.123Z'),
      bytes: Buffer.from([0, 255]),
      json: { a: 1 },
    });
  });

  it('arrive the same whatever the database and the role have set', async () => {
    const set = await createTestDatabase({ connectionsMax: 1 });
    const own = {
      datestyle: 'German',
      intervalstyle: 'sql_standard',
      bytea_output: 'escape',
      extra_float_digits: '-15',
      timezone: 'Asia/Kathmandu',
      row_security: 'off',
      array_nulls: 'off',
      standard_conforming_strings: 'off',
      default_transaction_isolation: 'serializable',
      search_path: '',
    };
    for (const [name, value] of Object.entries(own))
      await set.adminDb.query(`/* set */ alter database ${set.name} set ${name} to '${value}'`);
    await set.adminDb.query(`/* set */ alter role headgate_app in database ${set.name} set datestyle to 'SQL, DMY'`);
    const { rows } = await set.db.query(
      `/* types */ select timestamptz '2026-02-28T10:00:00.123Z' as at, date '2026-02-28' as day, '\\x00ff'::bytea as bytes, 1.5::float8 as share,
       $1::numeric[]::text as amounts, current_setting('transaction_isolation') as isolation, (select count(*) from headgate.jobs)::int as jobs`,
      [[1, null]],
    );
    expect(rows[0]).toMatchObject({
      at: new Date('2026-02-28T10:00:00.123Z'),
      day: '2026-02-28',
      bytes: Buffer.from([0, 255]),
      share: 1.5,
    });
    expect(rows[0]).toMatchObject({ amounts: '{1,NULL}', isolation: 'read committed', jobs: 0 });
    await set.drop();
  });

  it('without a name are refused before they are sent', async () => {
    await expect(database.db.query('select 1')).rejects.toThrow(/has no name/);
  });

  it('fail rather than round an int8 beyond 2^53', async () => {
    await expect(database.db.query('/* big */ select 9007199254740993::int8 as n')).rejects.toMatchObject({ code: 'E_DATABASE_VALUE' });
    expect((await database.db.query('/* big */ select 1 as n')).rows).toEqual([{ n: 1 }]);
  });

  it('that share a name and differ in text do not meet', async () => {
    const one = openPool({ url: database.url, applicationName: 'one connection', connectionsMax: 1 });
    expect((await one.query('/* same */ select 1 as n')).rows).toEqual([{ n: 1 }]);
    expect((await one.query('/* same */ select 2 as n')).rows).toEqual([{ n: 2 }]);
    await one.close();
  });

  it('are planned once, and for their values each time where some of their conditions are optional', async () => {
    const one = openPool({ url: database.url, applicationName: 'one', connectionsMax: 1 });
    for (const id of [1, 2]) {
      await one.query('/* always */ select $1::int as n', [id]);
      await one.query('/* sometimes */ select 1 as n where ($1::int[] is null or 1 = any ($1))', [id === 1 ? null : [id]]);
    }
    const { rows } = await one.query('/* look */ select name from pg_prepared_statements order by name');
    expect(rows).toEqual([{ name: expect.stringMatching(/^always_/) }, { name: expect.stringMatching(/^look_/) }]);
    await one.close();
  });

  it('never read a table whole for want of a better plan', async () => {
    expect((await database.db.query('/* setting */ show enable_seqscan')).rows).toEqual([{ enable_seqscan: 'off' }]);
  });

  it('name the constraint they broke and nothing of the row', async () => {
    const error = await database.db.query(insert, [1, 'a secret that is too long']).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_DATABASE_REFUSED', retryable: false });
    expect(violatedConstraint(error)).toBe('body_is_short');
    expect((error as Error).message).not.toContain('secret');
  });

  it('over the time limit are cancelled and the connection stays usable', async () => {
    const hasty = openPool({ url: database.url, applicationName: 'hasty', connectionsMax: 1, statementTimeoutMs: 50 });
    await expect(hasty.query('/* dawdle */ select pg_sleep(5)')).rejects.toMatchObject({ code: 'E_DATABASE_TIMEOUT', retryable: true });
    expect((await hasty.query('/* still here */ select 1 as n')).rowCount).toBe(1);
    await hasty.close();
  });

  it('on a server that is not there are retryable', async () => {
    const nowhere = openPool({ url: 'postgres://u:p@127.0.0.1:1/x', applicationName: 'nowhere' });
    await expect(nowhere.query('/* any */ select 1')).rejects.toMatchObject({ code: 'E_DATABASE_UNREACHABLE', retryable: true });
    await nowhere.close();
  });

  it('on a connection that the server ends with its first answer are retryable, and nothing else happens', async () => {
    const server = createServer((socket) =>
      socket.once('data', () =>
        socket.end(Buffer.concat([message('R', int32(0)), message('Z', Buffer.from('I')), message('E', shutdown)])),
      ),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const ending = openPool({ url: `postgres://u:p@127.0.0.1:${port}/x`, applicationName: 'ending' });
    const unreachable = { code: 'E_DATABASE_UNREACHABLE', retryable: true };
    await expect(ending.query('/* any */ select 1')).rejects.toMatchObject(unreachable);
    await expect(ending.transaction((tx) => tx.query('/* any */ select 1'))).rejects.toMatchObject(unreachable);
    await ending.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('with a wrong password name the login, not the password', async () => {
    const url = new URL(database.url);
    url.password = 'not-the-password';
    const wrong = openPool({ url: url.href, applicationName: 'wrong' });
    const error = await wrong.query('/* any */ select 1').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_DATABASE_LOGIN' });
    expect((error as Error).message).not.toContain('not-the-password');
    await wrong.close();
  });

  it('whose login is refused once there were others are retryable, and go on when it is let in again', async () => {
    const role = `let_in_${process.pid}`;
    const setPassword = (password: string) => database.adminDb.query(`/* set password */ alter role ${role} password '${password}'`);
    await database.adminDb.query(`/* make role */ create role ${role} login password 'one'`);
    const url = new URL(database.url);
    [url.username, url.password] = [role, 'one'];
    const rotated = openPool({ url: url.href, applicationName: 'rotated', connectionsMax: 2 });
    await rotated.transaction(async () => {
      await setPassword('two');
      const refused = { code: 'E_DATABASE_UNREACHABLE', retryable: true, message: expect.stringContaining('SQLSTATE 28P01') };
      await expect(rotated.query('/* any */ select 1')).rejects.toMatchObject(refused);
      await expect(rotated.transaction((tx) => tx.query('/* any */ select 1'))).rejects.toMatchObject(refused);
      await setPassword('one');
      expect((await rotated.query('/* any */ select 1')).rowCount).toBe(1);
    });
    await rotated.close();
    await database.adminDb.query(`/* drop role */ drop role ${role}`);
  });
});

describe('a transaction', () => {
  it('commits when its function resolves and carries its id', async () => {
    const xid = await database.db.transaction(async (tx) => {
      await tx.query(insert, [10, 'kept']);
      return tx.xid;
    });
    expect(await countNotes(10)).toBe(1);
    expect(await resolveCommit(database.db, xid, { ports: systemPorts })).toBe('committed');
  });

  it('rolls back when its function rejects, and gives that error', async () => {
    let xid: string | undefined;
    const failing = database.db.transaction(async (tx) => {
      xid = tx.xid;
      await tx.query(insert, [11, 'gone']);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await countNotes(11)).toBe(0);
    expect(await resolveCommit(database.db, xid, { ports: systemPorts })).toBe('aborted');
  });

  it('whose failed statement was swallowed is not reported as committed', async () => {
    const swallowing = database.db.transaction(async (tx) => {
      await tx.query(insert, [12, 'gone']);
      await tx.query(insert, [12, 'again']).catch(() => {});
    });
    await expect(swallowing).rejects.toMatchObject({ code: 'E_TRANSACTION_ABORTED' });
    expect(await countNotes(12)).toBe(0);
  });

  it('that the server refuses at COMMIT is known to be rolled back', async () => {
    const refused = database.db.transaction(async (tx) => {
      await tx.query(insert, [13, 'twin']);
      await tx.query(insert, [14, 'twin']);
    });
    await expect(refused).rejects.toMatchObject({ code: 'E_DATABASE_DUPLICATE' });
  });

  it('that is read only refuses writes', async () => {
    await expect(database.db.transaction((tx) => tx.query(insert, [15, 'x']), { readOnly: true })).rejects.toMatchObject({
      code: 'E_DATABASE_READ_ONLY',
    });
  });

  it('cannot be used after it has ended', async () => {
    const escaped = await database.db.transaction(async (tx) => tx);
    expect(() => escaped.query(insert, [16, 'late'])).toThrow(/after it had ended/);
  });

  it('leaves no tenant on its connection, or the connection is dropped and the caller told', async () => {
    const one = openPool({ url: database.url, applicationName: 'leak', connectionsMax: 1 });
    const leaking = one.transaction((tx) => tx.query("/* leak */ select set_config('headgate.tenant', 'somebody', false)"));
    await expect(leaking).rejects.toThrow(/outlived its transaction/);
    expect((await one.query("/* check */ select coalesce(current_setting('headgate.tenant', true), '') as t")).rows).toEqual([{ t: '' }]);
    await one.close();
  });
});

describe('a COMMIT without an answer', () => {
  const commit = /\/\* commit \*\//;

  it('that reached the server is unknown, and resolves to committed', async () => {
    proxy.arm({ match: commit, how: 'forward-and-drop-answer' });
    const error = await viaProxy.transaction((tx) => tx.query(insert, [20, 'landed'])).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CommitUnknownError);
    expect(error).toMatchObject({ code: 'E_COMMIT_UNKNOWN', retryable: false });
    expect(observed.at(-1)).toBe('commit unknown');
    expect(await resolveCommit(database.db, (error as CommitUnknownError).xid, { ports: systemPorts })).toBe('committed');
    expect(await countNotes(20)).toBe(1);
  });

  it('that never reached the server is unknown, and resolves to aborted', async () => {
    proxy.arm({ match: commit, how: 'cut-before-forward' });
    const error = await viaProxy.transaction((tx) => tx.query(insert, [21, 'lost'])).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CommitUnknownError);
    expect(await resolveCommit(database.db, (error as CommitUnknownError).xid, { ports: systemPorts })).toBe('aborted');
    expect(await countNotes(21)).toBe(0);
  });

  it('that only read is a lost connection, to be tried again', async () => {
    proxy.arm({ match: commit, how: 'forward-and-drop-answer' });
    const reading = viaProxy.transaction((tx) => tx.query(count, [20]), { readOnly: true });
    await expect(reading).rejects.toMatchObject({ code: 'E_DATABASE_UNREACHABLE', retryable: true });
    expect(observed.at(-1)).toBe('commit failed');
  });

  it('is not mistaken for a failure before it: a cut inside the transaction is retryable', async () => {
    proxy.arm({ match: /insert note/, how: 'cut-before-forward' });
    await expect(
      viaProxy.transaction((tx) => tx.query('/* insert note */ insert into notes (id, body) values (22, $1)', ['x'])),
    ).rejects.toMatchObject({
      code: 'E_DATABASE_UNREACHABLE',
      retryable: true,
    });
    expect((await viaProxy.query(count, [22])).rows).toEqual([{ n: 0 }]);
  });

  it('stays unknown when there is no transaction id or the server has forgotten it', async () => {
    expect(await resolveCommit(database.db, undefined, { ports: systemPorts })).toBe('unknown');
  });

  it('stays unknown while the transaction is still running', async () => {
    await database.db.transaction(async (tx) => {
      expect(await resolveCommit(database.adminDb, tx.xid, { ports: systemPorts, timeoutMs: 60 })).toBe('unknown');
    });
  });
});

it('a prepared statement survives a migration that changes its columns: the next try works', async () => {
  const one = openPool({ url: database.url, applicationName: 'stale plan', connectionsMax: 1 });
  await database.adminDb.query('/* make */ create table growing (a int)');
  await database.adminDb.query('/* grant */ grant select on growing to headgate_app');
  const select = () => one.query('/* list growing */ select * from growing');
  await select();
  await database.adminDb.query('/* grow */ alter table growing add b int');
  await expect(select()).rejects.toMatchObject({ code: 'E_DATABASE_CONFLICT', retryable: true });
  expect((await retryTransient(select, { ports: systemPorts })).rowCount).toBe(0);
  await one.close();
});

it('a session ended by the server is replaced by a new connection', async () => {
  const one = openPool({ url: database.url, applicationName: 'to be ended', connectionsMax: 1 });
  const ended = one.transaction(async (tx) => {
    const { rows } = await tx.query<{ pid: number }>('/* own pid */ select pg_backend_pid() as pid');
    await database.adminDb.query('/* end session */ select pg_terminate_backend($1)', [rows[0]!.pid]);
    await tx.query(count, [1]);
  });
  await expect(ended).rejects.toMatchObject({ code: 'E_DATABASE_UNREACHABLE', retryable: true });
  expect((await one.query('/* again */ select 1 as n')).rows).toEqual([{ n: 1 }]);
  await one.close();
});

it('a server without a free connection is busy, which passes', async () => {
  const role = `limited_${database.name.slice(-6)}`;
  await database.adminDb.query(`/* make */ create role ${role} login connection limit 1 password 'x'`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'x';
  const [first, second] = ['first', 'second'].map((name) => openPool({ url: url.href, applicationName: name, connectionsMax: 1 })) as [
    Db,
    Db,
  ];
  await first.query('/* hold */ select 1');
  await expect(second.query('/* wait */ select 1')).rejects.toMatchObject({ code: 'E_DATABASE_BUSY', retryable: true });
  await first.close();
  expect((await retryTransient(() => second.query('/* wait */ select 1'), { ports: systemPorts, attemptsMax: 8 })).rowCount).toBe(1);
  await second.close();
  await database.adminDb.query(`/* drop */ drop role ${role}`);
});

it("transactions that get in each other's way are run again until each has happened once", async () => {
  await database.adminDb.query('/* make */ create table counters (id int primary key, value int not null)');
  await database.adminDb.query('/* fill */ insert into counters values (1, 0)');
  await database.adminDb.query('/* grant */ grant select, update on counters to headgate_app');
  const increment = () =>
    database.db.transaction(
      async (tx) => {
        const { rows } = await tx.query<{ value: number }>('/* read counter */ select value from counters where id = 1');
        await tx.query('/* write counter */ update counters set value = $1 where id = 1', [rows[0]!.value + 1]);
      },
      { isolation: 'serializable' },
    );
  let retries = 0;
  const run = () => retryTransient(increment, { ports: systemPorts, attemptsMax: 50, onRetry: () => (retries += 1) });
  await Promise.all(Array.from({ length: 8 }, run));
  expect((await database.db.query('/* read counter */ select value from counters where id = 1')).rows).toEqual([{ value: 8 }]);
  expect(retries).toBeGreaterThan(0);
});

it('of two transactions in a deadlock one loses, and can be run again', async () => {
  await database.adminDb.query('/* make */ create table pairs (id int primary key)');
  await database.adminDb.query('/* fill */ insert into pairs values (1), (2)');
  await database.adminDb.query('/* grant */ grant select, update on pairs to headgate_app');
  const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const lock = '/* lock pair */ select from pairs where id = $1 for update';
  const cross = (mine: number, other: number) =>
    database.db.transaction(async (tx) => {
      await tx.query(lock, [mine]);
      both[mine - 1]!.resolve();
      await both[other - 1]!.promise;
      await tx.query(lock, [other]);
    });
  const results = await Promise.allSettled([cross(1, 2), cross(2, 1)]);
  const lost = results.filter((result) => result.status === 'rejected');
  expect(lost).toHaveLength(1);
  expect(lost[0]!.reason).toMatchObject({ code: 'E_DATABASE_CONFLICT', retryable: true });
});
