import { connect as connectTo } from 'node:net';
import type { ClientChannel } from 'ssh2';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { TestDatabase } from '../../../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testRows } from '../../../../test/support/running-server.ts';
import { arrivalsOf, connect, type Partner, servePartner } from './sftp-server.fixture.ts';

let database: TestDatabase;
let server: RunningTestServer;
let bank: TestTenant;
let partner: Partner;
beforeAll(async () => {
  const served = await servePartner('odd-bank');
  ({ database, server, bank, partner } = served);
  return served.stop;
});

let files = 0;
const rows = () => testRows(3, 0, 1_000 + ++files);
const namesTaken = async () => (await arrivalsOf(server, bank)).map(({ name }) => name);

describe('odd clients', () => {
  it('that ask on and on without waiting for answers are cut, and the others go on', async () => {
    const [greedy, other] = [await connect(server, partner), await connect(server, partner)];
    for (let asked = 0; asked < 2_000; asked++) greedy.sftp.realpath('/payments', () => {});
    await greedy.closed;
    expect(await other.put('/payments/beside-greedy.csv', rows())).toBeNull();
  });

  it('that give no room for answers and go on asking are cut', async () => {
    const session = await connect(server, partner);
    await session.put('/payments/unread.csv', rows());
    const { value: handle } = await session.open('/receipts/payments/unread.csv.receipt.json', 'r');
    // From now on the client says of nothing that it has read it: two MiB of answers fit, then none.
    const client = session.client as unknown as { _protocol: { channelWindowAdjust(): void } };
    client._protocol.channelWindowAdjust = () => {};
    let isCut = false;
    void session.closed.then(() => {
      isCut = true;
    });
    const into = Buffer.alloc(1_000);
    for (let round = 0; !isCut && round < 100; round++) {
      for (let asked = 0; asked < 200; asked++) session.sftp.read(handle, into, 0, into.length, 0, () => {});
      await new Promise((resolve) => setImmediate(resolve));
    }
    await session.closed;
    expect(await (await connect(server, partner)).put('/payments/after-unread.csv', rows())).toBeNull();
  });

  it('that greet without end before they say who they are are cut, and the others go on (A18)', async () => {
    const other = await connect(server, partner);
    for (const text of ['hello\r\n', 'hello ']) {
      const stranger = connectTo({ host: '127.0.0.1', port: server.sftpPort! });
      const closed = new Promise<void>((resolve) =>
        stranger
          .on('error', () => {})
          .once('close', () => resolve())
          .resume(),
      );
      stranger.write(Buffer.alloc(256 * 1024, text));
      await closed;
    }
    expect(await other.put('/payments/beside-greeting.csv', rows())).toBeNull();
  });

  it('that write to handles that are not theirs are told so', async () => {
    const session = await connect(server, partner);
    expect((await session.write(Buffer.from([0, 0, 0, 9]), 0, Buffer.from('x'))).refusal).toMatchObject({ status: 4 });
    expect((await session.close(Buffer.from('none'))).refusal).toMatchObject({ status: 4 });
    const { value: folder } = await session.ask<Buffer>((done) => session.sftp.opendir('/', done as never));
    expect((await session.write(folder, 0, Buffer.from('x'))).refusal).toMatchObject({ status: 3 });
  });

  it('that say of a path that it is longer than its request are told that there is none', async () => {
    const session = await connect(server, partner);
    const channel = await new Promise<ClientChannel>((resolve, reject) =>
      session.client.subsys('sftp', (error, opened) => (error ? reject(error) : resolve(opened))),
    );
    const answered = new Promise<Buffer>((resolve) => {
      let answers = Buffer.alloc(0);
      channel.on('data', (piece: Buffer) => {
        answers = Buffer.concat([answers, piece]);
        // Behind the answer to INIT.
        const status = answers.subarray(4 + (answers.length < 4 ? 0 : answers.readUInt32BE()));
        if (status.length >= 13) resolve(status);
      });
    });
    const packet = (...fields: readonly number[]) => {
      const bytes = Buffer.alloc(5 + 4 * (fields.length - 1));
      bytes.writeUInt32BE(bytes.length - 4);
      bytes[4] = fields[0]!;
      for (const [index, field] of fields.slice(1).entries()) bytes.writeUInt32BE(field, 5 + 4 * index);
      return bytes;
    };
    channel.write(packet(1, 3));
    // OPEN, for writing: its number, a path of 1,000 bytes that do not come, flags, no attributes.
    channel.write(packet(3, 7, 1_000, 0x1a, 0));
    const status = await answered;
    // SSH_FXP_STATUS to number 7: SSH_FX_NO_SUCH_FILE.
    expect([status[4], status.readUInt32BE(5), status.readUInt32BE(9)]).toEqual([101, 7, 2]);
  });

  it('that open files without end get so many', async () => {
    const session = await connect(server, partner);
    await session.put('/payments/many.csv', rows());
    const answers = await Promise.all(Array.from({ length: 70 }, () => session.open('/receipts/payments/many.csv.receipt.json', 'r')));
    expect(answers.filter(({ refusal }) => refusal !== null)).toHaveLength(6);
  });

  it('that open one name twice at once get it once', async () => {
    const session = await connect(server, partner);
    const { value: handle } = await session.open('/payments/twice.csv');
    expect((await session.open('/payments/twice.csv')).refusal).toMatchObject({ status: 3 });
    await session.write(handle, 0, Buffer.from(rows()));
    expect((await session.close(handle)).refusal).toBeNull();
  });
});

describe('a server that is about to stop', () => {
  it('lets files that are being written end, begins none, and ends idle sessions', async () => {
    const stopping = await startTestServer(database, { roles: 'api,sftp', sftpPort: '0', drainMs: '20000' });
    const [busy, idle] = [await connect(stopping, partner), await connect(stopping, partner)];
    const { value: handle } = await busy.open('/payments/drained.csv');
    const content = Buffer.from(rows());
    await busy.write(handle, 0, content.subarray(0, 20));
    const stopped = stopping.stop();
    await idle.closed;
    expect((await busy.open('/payments/late-begin.csv')).refusal).toMatchObject({ message: expect.stringMatching(/^E_SFTP_DRAINING: /) });
    await expect(connect(stopping, partner)).rejects.toThrow();
    await busy.write(handle, 20, content.subarray(20));
    expect((await busy.close(handle)).refusal).toBeNull();
    await stopped;
    expect(await namesTaken()).toContain('drained.csv');
  });

  it('cuts what does not end in time, and has taken nothing of it', async () => {
    const stopping = await startTestServer(database, { roles: 'api,sftp', sftpPort: '0', drainMs: '200' });
    const session = await connect(stopping, partner);
    onTestFinished(() => session.end());
    const { value: handle } = await session.open('/payments/undrained.csv');
    await session.write(handle, 0, Buffer.from(rows()));
    await stopping.stop();
    await session.closed;
    expect(await namesTaken()).not.toContain('undrained.csv');
  });
});
