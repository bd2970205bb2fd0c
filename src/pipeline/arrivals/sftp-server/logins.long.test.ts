import { createConnection } from 'node:net';
import ssh2, { type Client, type ParsedKey } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant } from '../../../../test/support/running-server.ts';
import { addPartner, arrivalsOf, connect, connectClient, makeKey, type Partner, partnerConnection, until } from './sftp-server.fixture.ts';

let database: TestDatabase;
let server: RunningTestServer;
let [bank, other]: TestTenant[] = [];
let [partner, stranger]: Partner[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  server = await startTestServer(database, { roles: 'api,sftp', sftpPort: '0', sftpFailuresPerMinuteMax: '1000' });
  [bank, other] = [await server.tenant('login-bank'), await server.tenant('login-other')];
  partner = await addPartner(server, bank!);
  stranger = await addPartner(server, other!);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

async function refusalOf(login: Partner, more: Record<string, unknown> = {}): Promise<string> {
  return connectClient(server, login, more).then(
    () => 'let in',
    (error: { level?: string }) => error.level ?? 'cut',
  );
}

describe('a login', () => {
  it.each([
    ['with a key that nobody has', () => ({ ...partner!, key: makeKey() })],
    ['with the key of a user of another tenant', () => ({ ...partner!, key: stranger!.key })],
    ['as a user of another tenant', () => ({ ...stranger!, key: partner!.key })],
    ['as a user that is not there', () => ({ ...partner!, user: 'login-bank.nobody' })],
    ['of a tenant that is not there', () => ({ ...partner!, user: 'nobody.partner' })],
    ['as a connection that is no user', () => ({ ...partner!, user: 'login-bank.out' })],
    ['as no tenant', () => ({ ...partner!, user: '.partner' })],
    ['under a name of control characters', () => ({ ...partner!, user: 'login-bank.partner\n' })],
    ['as root', () => ({ ...partner!, user: 'root' })],
  ] as const)('%s is refused like every other', async (_name, login) => {
    expect(await refusalOf(login())).toBe('client-authentication');
  });

  it('by password is refused, and not asked for', async () => {
    expect(await refusalOf(partner!, { privateKey: undefined, password: 'secret', authHandler: ['password'] })).toBe(
      'client-authentication',
    );
  });

  it.each(['ed25519', 'ecdsa', 'rsa'] as const)('with a key of type %s is let in', async (type) => {
    const key = makeKey(type);
    await bank!.apply(partnerConnection(`with-${type}`, key));
    const session = await connect(server, { user: `login-bank.with-${type}`, key });
    expect(await session.names('/')).toEqual(['receipts']);
  });

  it('with a signature that is not by the key is refused', async () => {
    const [shown, other] = [makeKey(), makeKey()].map((key) => ssh2.utils.parseKey(key.privateKey) as ParsedKey);
    await bank!.apply(
      partnerConnection('forged', { privateKey: '', publicKey: `ssh-ed25519 ${shown!.getPublicSSH().toString('base64')}` }),
    );
    let signatures = 0;
    const agent = {
      getIdentities: (done: (error: null, keys: unknown[]) => void) => done(null, [shown]),
      sign(_key: unknown, data: Buffer, _options: unknown, done: (error: null, signature: Buffer) => void) {
        signatures += 1;
        done(null, other!.sign(data) as Buffer);
      },
    };
    Object.setPrototypeOf(agent, (ssh2 as unknown as { BaseAgent: { prototype: object } }).BaseAgent.prototype);
    expect(await refusalOf({ user: 'login-bank.forged', key: makeKey() }, { privateKey: undefined, agent })).not.toBe('let in');
    expect(signatures).toBe(1);
  });

  it('offers no algorithm that is not trusted any more', async () => {
    for (const algorithms of [
      { kex: ['diffie-hellman-group14-sha1'] },
      { cipher: ['aes128-cbc'] },
      { hmac: ['hmac-sha1'], cipher: ['aes128-ctr'] },
      { serverHostKey: ['ssh-rsa'] },
    ])
      expect(await refusalOf(partner!, { algorithms })).toBe('handshake');
  });

  it('ends after six refused keys', async () => {
    let tried = 0;
    const outcome = await refusalOf(partner!, {
      authHandler: (_left: unknown, _partial: unknown, next: (method: unknown) => void) => {
        tried += 1;
        next(tried > 50 ? false : { type: 'publickey', username: partner!.user, key: makeKey().privateKey });
      },
    });
    expect(outcome).not.toBe('let in');
    // The last of them is cut, or finds it cut.
    expect(tried).toBeLessThan(9);
  });
});

describe('a user that is in', () => {
  it('sees its folders and receipts only, and its files are of its tenant', async () => {
    const session = await connect(server, partner!);
    expect(await session.names('/')).toEqual(['payments', 'receipts']);
    expect(await session.names('/receipts')).toEqual(['payments']);
    expect(await session.put('/payments/mine.csv', 'id,account,amount\nP1,62,1.00\n')).toBeNull();
    const others = await connect(server, stranger!);
    expect(await others.names('/receipts/payments')).toEqual([]);
    expect(await session.names('/receipts/payments')).toEqual(['mine.csv.receipt.json']);
    expect(await arrivalsOf(server, other!)).toEqual([]);
    expect(await arrivalsOf(server, bank!)).toMatchObject([{ name: 'mine.csv', state: 'accepted' }]);
  });

  it.each([
    ['a shell', (client: Client, done: (error?: Error) => void) => client.shell(done)],
    ['a command', (client: Client, done: (error?: Error) => void) => client.exec('id', done)],
    ['another subsystem', (client: Client, done: (error?: Error) => void) => client.subsys('netconf', done)],
    ['a way out', (client: Client, done: (error?: Error) => void) => client.forwardOut('127.0.0.1', 0, '127.0.0.1', server.port, done)],
    ['a way in', (client: Client, done: (error?: Error) => void) => client.forwardIn('127.0.0.1', 0, done)],
    ['a socket', (client: Client, done: (error?: Error) => void) => client.openssh_forwardOutStreamLocal('/tmp/socket', done)],
  ] as const)('gets no %s', async (_name, ask) => {
    const client = await connectClient(server, partner!);
    expect(await new Promise((resolve) => ask(client, resolve))).toBeInstanceOf(Error);
    const sftp = await new Promise((resolve, reject) => client.sftp((error, channel) => (error ? reject(error) : resolve(channel))));
    expect(sftp).toBeDefined();
  });

  it('has so many sessions, and another when one ends', async () => {
    const limited = await addPartner(server, bank!, { user: 'limited', folder: 'limited', limits: ', maxSessions: 2' });
    const [first] = [await connect(server, limited), await connect(server, limited)];
    expect(await refusalOf(limited)).not.toBe('let in');
    expect(await (await connect(server, partner!)).names('/')).toContain('payments');
    first!.end();
    await first!.closed;
    await until(async () => (await refusalOf(limited)) === 'let in');
  });

  it('brings no more once its key was taken away', async () => {
    const leaving = await addPartner(server, bank!, { user: 'leaving', folder: 'leaving' });
    const session = await connect(server, leaving);
    await bank!.apply(partnerConnection('leaving', makeKey()));
    expect(await session.put('/leaving/late.csv', 'id,account,amount\n')).toMatchObject({ status: 3 });
    expect(await refusalOf(leaving)).toBe('client-authentication');
  });
});

describe('strangers', () => {
  it('who say nothing are cut after a while, are bounded, and do not keep users out', async () => {
    const strict = await startTestServer(database, { roles: 'api,sftp', sftpPort: '0', sftpLoginMs: '3000', sftpConnectionsMax: '8' });
    onTestFinished(() => strict.stop());
    const sockets = Array.from({ length: 12 }, () => createConnection(strict.sftpPort!, '127.0.0.1'));
    onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
    let closed = 0;
    for (const socket of sockets)
      socket
        .on('error', () => {})
        .on('close', () => (closed += 1))
        .resume();
    // A quarter of the connections may be strangers of one address.
    await until(async () => closed >= 10);
    await until(async () => closed === 12);
    const session = await connect(strict, partner!);
    expect(await session.names('/')).toContain('payments');
  });

  it('who failed too often from an address are not let in from it for a while, while those who are in go on', async () => {
    const strict = await startTestServer(database, { roles: 'api,sftp', sftpPort: '0', sftpFailuresPerMinuteMax: '3' });
    onTestFinished(() => strict.stop());
    const session = await connect(strict, partner!);
    for (let failure = 0; failure < 3; failure++) await connectClient(strict, { ...partner!, key: makeKey() }).catch(() => {});
    await expect(connectClient(strict, partner!)).rejects.toThrow();
    expect(await session.put('/payments/meanwhile.csv', 'id,account,amount\nP2,62,1.00\n')).toBeNull();
  });

  it('and sessions that are idle end', async () => {
    const strict = await startTestServer(database, { roles: 'api,sftp', sftpPort: '0', sftpIdleMs: '1000' });
    onTestFinished(() => strict.stop());
    const session = await connect(strict, partner!);
    await session.closed;
  });
});
