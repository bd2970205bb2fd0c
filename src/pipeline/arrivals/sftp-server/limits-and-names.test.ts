import { beforeAll, describe, expect, it } from 'vitest';
import { type RunningTestServer, type TestTenant, testRows } from '../../../../test/support/running-server.ts';
import { addPartner, arrivalsOf, connect, type Partner, partnerFlow, servePartner } from './sftp-server.fixture.ts';

let server: RunningTestServer;
let bank: TestTenant;
let partner: Partner;
beforeAll(async () => {
  const served = await servePartner('limits-bank');
  ({ server, bank, partner } = served);
  return served.stop;
});

let files = 0;
const rows = () => testRows(3, 0, 1_000 + ++files);
const namesTaken = async () => (await arrivalsOf(server, bank)).map(({ name }) => name);

describe('limits', () => {
  it('of a user count over all of its sessions, and another user is not touched', async () => {
    const limited = await addPartner(server, bank, { user: 'limited', folder: 'limited', limits: ', filesPerMinute: 2, maxUploads: 1' });
    const [one, two] = [await connect(server, limited), await connect(server, limited)];
    const { value: handle } = await one.open('/limited/open.csv');
    expect((await two.open('/limited/second.csv')).refusal).toMatchObject({ message: expect.stringMatching(/^E_SFTP_QUOTA: /) });
    await one.write(handle, 0, Buffer.from(rows()));
    expect((await one.close(handle)).refusal).toBeNull();
    expect(await two.put('/limited/second.csv', rows())).toBeNull();
    expect(await two.put('/limited/third.csv', rows())).toMatchObject({ message: expect.stringMatching(/^E_SFTP_QUOTA: /) });
    expect(await (await connect(server, partner)).put('/payments/beside.csv', rows())).toBeNull();
  });

  it('of bytes a minute hold too, and those of the source and the tenant', async () => {
    const small = await addPartner(server, bank, {
      user: 'small',
      folder: 'small',
      limits: ', bytesPerMinute: 1KiB',
      source: ', limits: { maxSize: 2KiB }',
    });
    const session = await connect(server, small);
    expect(await session.put('/small/big.csv', testRows(200))).toMatchObject({ message: expect.stringMatching(/^E_UPLOAD_TOO_LARGE: /) });
    expect(await session.put('/small/fits.csv', testRows(50))).toBeNull();
    expect(await session.put('/small/more.csv', rows())).toMatchObject({ message: expect.stringMatching(/^E_SFTP_QUOTA: /) });

    const full = await server.tenant('brought-full');
    const user = await addPartner(server, full);
    await full.apply(
      'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { admission: { maxStoredBytes: 100 } }\n',
    );
    const other = await connect(server, user);
    expect(await other.put('/payments/any.csv', rows())).toMatchObject({ message: expect.stringMatching(/^E_QUOTA_STORED: /) });
    expect(await arrivalsOf(server, full)).toEqual([]);
  });

  it('of a disabled flow: its folder is there, and takes nothing', async () => {
    const off = await addPartner(server, bank, { user: 'switched', folder: 'switched' });
    expect(
      (
        await server.request('/v1/flows/switched/disable', {
          key: await bank.makeKey(['flows:write']),
          method: 'POST',
          isUndescribed: true,
        })
      ).status,
    ).toBeLessThan(300);
    const session = await connect(server, off);
    expect(await session.names('/')).toContain('switched');
    expect(await session.put('/switched/a.csv', rows())).toMatchObject({ message: expect.stringMatching(/^E_FLOW_DISABLED: /) });
  });

  it('two flows do not take one folder: not when applied, and not when a binding makes them meet', async () => {
    const meeting = await server.tenant('brought-meeting');
    const user = await addPartner(server, meeting, { user: 'north' });
    const [, flow] = partnerFlow({ out: server.out, user: 'north' });
    await expect(meeting.apply(flow!.replace('name: payments', 'name: others'))).rejects.toMatchObject({
      details: [{ code: 'E_CONFIG_CONFLICT' }],
    });
    await addPartner(server, meeting, { user: 'south', folder: 'elsewhere' });
    await meeting.apply(partnerFlow({ out: server.out, user: 'south' })[1]!.replace('name: payments', 'name: others'));
    await meeting.apply(
      'apiVersion: headgate/v1\nkind: Environment\nmetadata: { tenant: TENANT, name: dev }\nspec: { stage: development, connections: { south: north } }\n',
    );
    const session = await connect(server, user);
    expect(await session.put('/payments/whose.csv', rows())).toMatchObject({ message: expect.stringMatching(/^E_SFTP_FOLDER: /) });
    expect(await arrivalsOf(server, meeting)).toEqual([]);
  });
});

it('a source that files are brought to is nothing to be probed', async () => {
  const probed = await server.tenant('limits-probed');
  await addPartner(server, probed);
  const { json } = await server.request('/v1/health', { key: probed.key });
  expect(json.items.map(({ kind }: { kind: string }) => kind)).toEqual(['target']);
});

describe('names and paths', () => {
  it.each([
    ['..\\..\\x', 'E_NAME'],
    ['%2e%2e%2fx', 'E_NAME'],
    ['a\u0000b.csv', 'E_NAME'],
    ['a\r\nb.csv', 'E_NAME'],
    ['a\u202efdp.csv', 'E_NAME'],
    ['CON', 'E_NAME'],
    ['trailing ', 'E_NAME'],
    ['x'.repeat(256), 'E_NAME'],
  ])('a file named %j is refused before a byte is read, and its name is not repeated (A1, A2)', async (name, code) => {
    const session = await connect(server, partner);
    const { refusal } = await session.open(`/payments/${name}`);
    expect(refusal).toMatchObject({ status: 4, message: expect.stringMatching(new RegExp(`^${code}: `)) });
    expect(refusal!.message).not.toContain(name);
  });

  it.each([
    '/../../etc/cron.d/x',
    '/etc/passwd',
    '/payments/sub/x.csv',
    '/x.csv',
    '/receipts/x.csv',
    '/receipts/payments/x.csv',
    '/payments',
    '/',
    '',
  ])('the path %j takes no file', async (path) => {
    const session = await connect(server, partner);
    expect([2, 3]).toContain((await session.open(path)).refusal?.status);
    expect([2, 3]).toContain((await session.open(path, 'r')).refusal?.status);
  });

  it('the same letters composed and decomposed, and in another case, are different files (A3)', async () => {
    const session = await connect(server, partner);
    const names = ['caf\u00e9.csv', 'cafe\u0301.csv', 'CAF\u00c9.csv'];
    for (const name of names) expect(await session.put(`/payments/${name}`, rows())).toBeNull();
    expect(await session.names('/payments')).toEqual([...names].sort());
    expect(await namesTaken()).toEqual(expect.arrayContaining(names));
  });

  it('there are no links, no folders to make and no links to read (A4)', async () => {
    const session = await connect(server, partner);
    const { sftp } = session;
    const asked = [
      session.ask((done) => sftp.symlink('/etc/passwd', '/payments/link.csv', done)),
      session.ask((done) => sftp.ext_openssh_hardlink('/receipts', '/payments/link.csv', done)),
      session.ask((done) => sftp.readlink('/payments', done as never)),
      session.ask((done) => sftp.mkdir('/payments/sub', done)),
      session.ask((done) => sftp.rmdir('/payments', done)),
    ];
    for (const answer of asked.map((each) => each.catch((error: Error) => ({ refusal: error }))))
      expect((await answer).refusal).not.toBeNull();
    expect(await session.names('/payments')).toEqual([]);
  });

  it('the folder up from the root is the root', async () => {
    const session = await connect(server, partner);
    const { value } = await session.ask<string>((done) => session.sftp.realpath('../../payments/..', done as never));
    expect(value).toBe('/');
    expect(await session.names('/payments/../../..')).toContain('payments');
  });
});
