import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { itWith } from '../../../../test/support/components.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { makeSshKey, type Sshd, type SshdOptions, startSshd } from '../../../../test/support/sshd.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { createSftpWorld, duringReads, type SftpWorld } from './sftp-world.fixture.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const it = itWith('sshd');
const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
const anything = /./s;

async function start(options: Partial<SshdOptions> = {}): Promise<Sshd> {
  const sshd = await startSshd({ folder: '/', ...options });
  onTestFinished(() => sshd.stop());
  return sshd;
}

async function startWorld(options: Partial<SshdOptions> = {}): Promise<{ sshd: Sshd; world: SftpWorld }> {
  const sshd = await start(options);
  return { sshd, world: await createSftpWorld(database, sshd) };
}

/** Over a proxy that can break connections. */
async function startBreakable() {
  const { sshd, world } = await startWorld();
  const proxy = await startTcpProxy({ host: sshd.host, port: sshd.port });
  onTestFinished(() => proxy.close());
  world.setServer({ port: proxy.port });
  return { proxy, world };
}

const countOf = (log: string, text: RegExp) => [...log.matchAll(text)].length;

describe('a host key', () => {
  it('that was changed is refused, with what to do; nothing is read until the new one is pinned', async () => {
    const { sshd, world } = await startWorld();
    world.put('a.csv', 'x,1.00\n');
    await world.poll();
    await sshd.stop();
    const other = await start({ port: sshd.port });
    world.put('b.csv', 'x,2.00\n');
    for (const hostKeys of [[sshd.hostKey.publicKey], [fingerprintOf(sshd.hostKey.publicKey)]]) {
      world.setServer({ hostKeys });
      await expect(world.poll()).rejects.toMatchObject({
        code: 'E_SOURCE_HOST_KEY',
        message: expect.stringContaining(fingerprintOf(other.hostKey.publicKey)),
        next: expect.stringContaining('hostKeys'),
      });
    }
    expect(other.log()).not.toMatch(/Accepted|Failed|user/i);
    expect([world.names(), await world.jobs()]).toEqual([['b.csv'], 1]);
    writeFileSync(world.secretFile, other.clientKey.privateKey);
    world.setServer({ hostKeys: [fingerprintOf(sshd.hostKey.publicKey), fingerprintOf(other.hostKey.publicKey)] });
    expect((await world.poll()).verdicts.accepted).toBe(1);
  });

  it('that was exchanged for one of another type is told as such, and taken once it is pinned too', async () => {
    const { sshd, world } = await startWorld();
    await sshd.stop();
    const hostKey = makeSshKey('ecdsa');
    const other = await start({ port: sshd.port, hostKey });
    writeFileSync(world.secretFile, other.clientKey.privateKey);
    world.put('a.csv', 'x,1.00\n');
    world.setServer({ hostKeys: [sshd.hostKey.publicKey] });
    await expect(world.poll()).rejects.toMatchObject({
      code: 'E_SOURCE_ALGORITHMS',
      message: expect.stringMatching(/pinned \(ssh-ed25519\).*it may have another key now/),
    });
    expect(world.names()).toEqual(['a.csv']);
    world.setServer({ hostKeys: [sshd.hostKey.publicKey, hostKey.publicKey] });
    expect((await world.poll()).verdicts.accepted).toBe(1);
  });

  for (const type of ['rsa', 'ecdsa'] as const)
    it(`of type ${type} is taken, signed with SHA-2`, async () => {
      const { world } = await startWorld({ hostKey: makeSshKey(type) });
      world.put('a.csv', 'x,1.00\n');
      expect((await world.poll()).verdicts.accepted).toBe(1);
    });
});

describe('a server that offers only', () => {
  for (const [what, config, hostKey] of [
    ['a key exchange with SHA-1', ['KexAlgorithms diffie-hellman-group14-sha1'], undefined],
    ['RSA signatures with SHA-1', ['HostKeyAlgorithms ssh-rsa'], 'rsa'],
    ['ciphers in CBC mode', ['Ciphers aes128-cbc'], undefined],
    ['digests with SHA-1', ['MACs hmac-sha1', 'Ciphers aes128-ctr'], undefined],
  ] as const)
    it(`${what} is not connected to`, async () => {
      const { world } = await startWorld({ config, hostKey: hostKey && makeSshKey(hostKey) });
      world.put('a.csv', 'x,1.00\n');
      await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_ALGORITHMS' });
      expect(world.names()).toEqual(['a.csv']);
    });
});

describe('a private key', () => {
  it('that the server does not know is refused, also where a connection is kept, and one that was exchanged is used at once', async () => {
    const { sshd, world } = await startWorld();
    world.put('a.csv', 'x,1.00\n');
    await world.poll();
    writeFileSync(world.secretFile, makeSshKey('rsa').privateKey);
    world.put('b.csv', 'x,2.00\n');
    await expect(world.poll()).rejects.toMatchObject({
      code: 'E_SOURCE_CREDENTIALS',
      message: expect.stringContaining('refused the user'),
    });
    writeFileSync(world.secretFile, 'no key at all');
    const failure = await world.poll().catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'E_SOURCE_CREDENTIALS', message: expect.stringContaining('can not be read') });
    expect(world.names()).toEqual(['b.csv']);
    writeFileSync(world.secretFile, sshd.clientKey.privateKey);
    expect((await world.poll()).verdicts.accepted).toBe(1);
  });

  it('with a passphrase is opened with it, and only with it', async () => {
    const { world } = await startWorld();
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', world.secretFile]);
    world.put('a.csv', 'x,1.00\n');
    const passphrase = `${world.secretFile}.passphrase`;
    for (const [words, code] of [
      ['wrong', 'E_SOURCE_CREDENTIALS'],
      ['open sesame', undefined],
    ] as const) {
      writeFileSync(passphrase, words, { mode: 0o600 });
      world.setServer({ passphrase: `file:${passphrase}` });
      const result = await world.poll().catch((error: { code: string }) => error);
      expect(result).toMatchObject(code ? { code } : { verdicts: { accepted: 1 } });
    }
  });
});

describe('a connection', () => {
  it('is made to no address that the policy of the tenant closes', async () => {
    const { sshd, world } = await startWorld();
    world.settings.server = { ...world.settings.server!, egress: { allowPrivate: [], allowPlain: false } };
    for (const host of ['files.bank.example', '127.0.0.1']) {
      world.setServer({ host });
      await expect(world.poll()).rejects.toMatchObject({ code: 'E_SSRF' });
    }
    expect(sshd.log()).not.toContain('Connection from');
  });

  it('is kept for the next poll, and opened again where the server was started anew', async () => {
    const { sshd, world } = await startWorld();
    for (const name of ['a.csv', 'b.csv', 'c.csv']) {
      world.put(name, `${name},1.00\n`);
      await world.poll();
    }
    expect(countOf(sshd.log(), /Accepted publickey/g)).toBe(1);
    await sshd.stop();
    await expect(world.poll()).rejects.toMatchObject({ code: expect.stringMatching(/^E_SOURCE_(LOST|UNREACHABLE)$/) });
    await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_UNREACHABLE' });
    const again = await start({ port: sshd.port, hostKey: sshd.hostKey });
    writeFileSync(world.secretFile, again.clientKey.privateKey);
    world.put('d.csv', 'd,1.00\n');
    expect((await world.poll()).verdicts.accepted).toBe(1);
  });

  it('that is cut in the middle of a big file is opened again, and the read goes on', async () => {
    const { proxy, world } = await startBreakable();
    const content = Buffer.alloc(24 * 1024 * 1024 + 5, '0123456789,1.00\n');
    world.put('big.csv', content);
    const sftp = duringReads(world.sftp, (_entry, index) => {
      if (index === 10 || index === 40) proxy.arm({ match: anything, how: 'cut-before-forward' });
    });
    expect((await world.poll({ sftp })).verdicts.accepted).toBe(1);
    expect(proxy.faultsUsed).toBe(2);
    expect((await world.files())[0]!.sha256).toBe(sha256(content));
    expect(await world.events()).not.toContain('arrival.growing complete>growing');
  });

  it('that is cut in the middle of a file that changes then does not mix two contents', async () => {
    const { proxy, world } = await startBreakable();
    world.put('big.csv', Buffer.alloc(12 * 1024 * 1024, 'a,1.00\n'));
    const sftp = duringReads(world.sftp, (_entry, index) => {
      if (index !== 10) return;
      proxy.arm({ match: anything, how: 'cut-before-forward' });
      world.put('big.csv', Buffer.alloc(12 * 1024 * 1024 + 7, 'b,2.00\n'));
    });
    expect((await world.poll({ sftp })).verdicts.accepted).toBe(0);
    expect(world.storedNames()).toEqual([]);
    expect((await world.poll()).verdicts.accepted).toBe(1);
    expect((await world.files())[0]!.sha256).toBe(sha256(Buffer.alloc(12 * 1024 * 1024 + 7, 'b,2.00\n')));
  });

  for (const how of ['cut-before-forward', 'forward-and-drop-answer'] as const)
    it(`that ends within a move (${how}) costs nothing that was accepted, and the next poll moves it`, async () => {
      const { proxy, world } = await startBreakable();
      for (const name of ['a.csv', 'b.csv', 'c.csv']) world.put(name, `${name},1.00\n`);
      const crashPoints = {
        reach(point: string) {
          if (point === 'arrivals.before-move') proxy.arm({ match: anything, how });
        },
      };
      await expect(world.poll({ crashPoints })).rejects.toMatchObject({ code: 'E_SOURCE_LOST' });
      expect(await world.jobs()).toBe(3);
      expect((await world.poll()).verdicts.accepted).toBe(0);
      expect([world.names(), world.inDone(), await world.jobs()]).toEqual([[], ['a.csv', 'b.csv', 'c.csv'], 3]);
    });
});

function fingerprintOf(publicKey: string): string {
  return execFileSync('ssh-keygen', ['-lf', '-'], { input: publicKey, encoding: 'utf8' }).split(' ')[1]!;
}
