import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { freePort, startChildServer } from '../../../../test/support/child-server.ts';
import { itWith } from '../../../../test/support/components.ts';
import type { TestDatabase } from '../../../../test/support/postgres.ts';
import { type RunningTestServer, type TestTenant, testRows } from '../../../../test/support/running-server.ts';
import { runSftp, type SftpTarget, startSftp } from '../../../../test/support/sftp-client.ts';
import { makeSshKey } from '../../../../test/support/sshd.ts';
import { temporaryFolder } from '../../../../test/support/temporary-store.ts';
import { addPartner, arrivalsOf, partnerConnection, servePartner } from './sftp-server.fixture.ts';

let database: TestDatabase;
let server: RunningTestServer;
let bank: TestTenant;
let target: SftpTarget;
beforeAll(async () => {
  const served = await servePartner('openssh-bank');
  ({ database, server, bank } = served);
  const { user, key } = served.partner;
  target = { port: server.sftpPort!, user, key };
  return served.stop;
});

let seed = 5_000;
/** A file beside, that no other is like. */
function localFile(name: string, content: string | Buffer = testRows(3, 0, ++seed)): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}
const statesOf = async (name: string) => (await arrivalsOf(server, bank)).filter((each) => each.name === name).map(({ state }) => state);
const objectsOf = (dataDir: string): number => {
  try {
    return readdirSync(join(dataDir, 'objects'), { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).length;
  } catch {
    return 0;
  }
};

describe('OpenSSH', () => {
  itWith('sftp')('puts files of all sizes, many at once, and finds a receipt for each', async () => {
    const folder = temporaryFolder();
    const big = Buffer.from(testRows(400_000, 0, ++seed));
    writeFileSync(join(folder, 'big.csv'), big);
    writeFileSync(join(folder, 'empty.csv'), '');
    for (let index = 0; index < 20; index++) writeFileSync(join(folder, `small-${index}.csv`), testRows(2, 0, ++seed));
    const receipts = temporaryFolder();
    const run = await runSftp(
      target,
      `lcd ${folder}`,
      'cd payments',
      'put *.csv',
      'ls -1',
      `lcd ${receipts}`,
      'get /receipts/payments/* .',
    );
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toContain('small-19.csv');
    expect(readdirSync(receipts)).toHaveLength(22);
    const of = (name: string) => JSON.parse(readFileSync(join(receipts, `${name}.receipt.json`), 'utf8'));
    expect(of('big.csv')).toMatchObject({ state: 'accepted', bytes: big.length });
    expect(of('empty.csv')).toMatchObject({ state: 'accepted', bytes: 0 });
    const { json } = await server.request(`/v1/files/${of('big.csv').fileId}`, { key: bank.key });
    expect(json).toMatchObject({ bytes: big.length, sha256: of('big.csv').sha256 });
  });

  itWith('sftp')('sets times and modes in vain, and is told that nothing else can be changed', async () => {
    const file = localFile('kept.csv');
    expect(await runSftp(target, `put -p ${file} /payments/`)).toMatchObject({ code: 0 });
    for (const command of [
      'mkdir /payments/sub',
      'symlink /etc/passwd /payments/x.csv',
      'ln /receipts /payments/x.csv',
      'rm /receipts/payments/kept.csv.receipt.json',
    ])
      expect((await runSftp(target, command)).code, command).not.toBe(0);
  });

  itWith('sftp')('can not leave the tree, by whatever path (A1)', async () => {
    const file = localFile('path.csv');
    for (const path of [
      '../../etc/cron.d/x',
      '/etc/x',
      '/payments/../../etc/x',
      '/receipts/x',
      '/payments/sub/x',
      '/payments/..\\\\..\\\\x',
    ])
      expect((await runSftp(target, `put ${file} ${path}`)).code, path).not.toBe(0);
    expect((await runSftp(target, `get /../../../../etc/passwd ${temporaryFolder()}/`)).code).not.toBe(0);
    expect(await statesOf('path.csv')).toEqual([]);
    const { stdout } = await runSftp(target, 'cd ../../..', 'pwd', 'ls -1');
    expect(stdout).toMatch(/Remote working directory: \/\n/);
    expect(stdout).not.toMatch(/etc/);
  });

  itWith('sftp')('is not let in with a wrong key, as a user of another tenant, by password, or with SHA-1 (A15)', async () => {
    const other = await server.tenant('openssh-other');
    const stranger = await addPartner(server, other);
    const rsa = makeSshKey('rsa');
    await bank.apply(partnerConnection('with-rsa', rsa));
    const withRsa = { ...target, user: 'openssh-bank.with-rsa', key: rsa };
    for (const wrong of [
      { ...target, key: makeSshKey() },
      { ...target, key: stranger.key },
      { ...target, user: stranger.user },
      { ...target, user: 'openssh-bank.nobody' },
      { ...target, options: ['PubkeyAuthentication=no'] },
      { ...withRsa, options: ['PubkeyAcceptedAlgorithms=ssh-rsa'] },
    ]) {
      const { code, stderr } = await runSftp(wrong, 'ls');
      expect([code, stderr]).toEqual([255, expect.stringMatching(/Permission denied \(publickey\)|disconnect|closed/i)]);
    }
    expect(await runSftp(withRsa, 'ls')).toMatchObject({ code: 0 });
    expect(await runSftp({ ...target, options: ['KexAlgorithms=diffie-hellman-group14-sha1'] }, 'ls')).toMatchObject({ code: 255 });
  });

  itWith('sftp')('is told that a duplicate is well, and that a bomb and what is over a quota is not', async () => {
    const limited = await addPartner(server, bank, {
      user: 'openssh-limited',
      folder: 'limited',
      limits: ', filesPerMinute: 3',
      source: ', unpack: gzip, limits: { maxUnpackedSize: 1MiB }',
    });
    const to = { ...target, user: limited.user, key: limited.key };
    const sound = localFile('sound.gz', gzipSync(testRows(3, 0, ++seed)));
    const bomb = localFile('bomb.gz', gzipSync(Buffer.alloc(4 * 1024 * 1024)));
    expect(await runSftp(to, `put ${sound} /limited/one.gz`, `put ${sound} /limited/two.gz`)).toMatchObject({ code: 0 });
    expect(await runSftp(to, `put ${bomb} /limited/bomb.gz`)).toMatchObject({ code: 1, stderr: expect.stringMatching(/Failure/) });
    const over = localFile('over.gz', gzipSync(testRows(3, 0, ++seed)));
    expect(await runSftp(to, `put ${over} /limited/over.gz`)).toMatchObject({ code: 1 });
    expect([await statesOf('one.gz'), await statesOf('two.gz'), await statesOf('bomb.gz'), await statesOf('over.gz')]).toEqual([
      ['accepted'],
      ['duplicate'],
      ['quarantined'],
      [],
    ]);
    const receipts = temporaryFolder();
    expect(await runSftp(to, `get /receipts/limited/* ${receipts}/`)).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(join(receipts, 'bomb.gz.receipt.json'), 'utf8'))).toMatchObject({
      state: 'quarantined',
      code: 'E_BOMB',
    });
  });

  itWith('sftp')('that is killed before the close, or the rename, or is interrupted, brings nothing that is cut (A6)', async () => {
    const renaming = await addPartner(server, bank, { user: 'openssh-renaming', folder: 'renaming', source: ', complete: rename' });
    const summing = await addPartner(server, bank, { user: 'openssh-summing', folder: 'summing', source: ', complete: manifest' });
    const content = Buffer.from(testRows(300_000, 0, ++seed));
    const file = localFile('cut.csv', content);
    const sum = localFile('cut.csv.sha256', `${createHash('sha256').update(content).digest('hex')}  cut.csv\n`);
    const { port } = target;
    for (const [to, signal, ...commands] of [
      [target, 'SIGKILL', `put ${file} /payments/cut.csv`],
      [{ port, ...renaming }, 'SIGKILL', `put ${file} /renaming/cut.csv.filepart`, 'rename /renaming/cut.csv.filepart /renaming/cut.csv'],
      // It closes the file as if it were whole, and goes on with the next line.
      [{ port, ...summing }, 'SIGINT', `put ${sum} /summing/`, `put ${file} /summing/`],
    ] as const) {
      const before = objectsOf(server.settings.dataDir);
      const slow = startSftp({ ...to, bandwidthKbits: 16_000 }, commands);
      await vi.waitUntil(() => objectsOf(server.settings.dataDir) > before, { timeout: 60_000, interval: 10 });
      expect(slow.child.exitCode).toBeNull();
      slow.child.kill(signal);
      await slow.ended;
      await vi.waitUntil(() => objectsOf(server.settings.dataDir) <= before, { timeout: 60_000, interval: 10 });
      expect(await statesOf('cut.csv')).toEqual([]);
    }
    // There is nothing to resume.
    expect(await runSftp(target, `reput ${file} /payments/cut.csv`)).toMatchObject({ code: 1 });
    expect(await runSftp(target, `put ${file} /payments/cut.csv`)).toMatchObject({ code: 0 });
    expect(
      await runSftp({ port, ...renaming }, `put ${file} /renaming/cut.csv.filepart`, 'rename /renaming/cut.csv.filepart /renaming/cut.csv'),
    ).toMatchObject({ code: 0 });
    expect(await runSftp({ port, ...summing }, `put ${sum} /summing/`, `put ${file} /summing/`)).toMatchObject({ code: 0 });
    expect(await statesOf('cut.csv')).toEqual(['accepted', 'accepted', 'accepted']);
  });

  itWith('sftp')(
    'loses nothing that was accepted when the server is killed while it takes files, and what was not is sent again',
    async () => {
      const dataDir = temporaryFolder();
      const port = await freePort();
      const serve = () =>
        startChildServer({
          command: process.execPath,
          args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../../../main/headgate.ts'), 'serve'],
          env: {
            HEADGATE_DATABASE_URL: database.url,
            HEADGATE_DATA_DIR: dataDir,
            HEADGATE_PORT: '0',
            HEADGATE_ROLES: 'api,sftp',
            HEADGATE_SFTP_PORT: String(port),
          },
          ready: /headgate serves/,
          readyMsMax: 120_000,
        });
      mkdirSync(dataDir, { recursive: true });
      const first = await serve();
      onTestFinished(() => first.kill());
      const to = { ...target, port };
      const [done, big] = [localFile('done.csv'), localFile('big-cut.csv', Buffer.from(testRows(300_000, 0, ++seed)))];
      expect(await runSftp(to, `put ${done} /payments/`)).toMatchObject({ code: 0 });
      const before = objectsOf(dataDir);
      const slow = startSftp({ ...to, bandwidthKbits: 16_000 }, [`put ${big} /payments/`]);
      await vi.waitUntil(() => objectsOf(dataDir) > before, { timeout: 60_000, interval: 10 });
      expect(slow.child.exitCode).toBeNull();
      await first.kill();
      expect((await slow.ended).code).not.toBe(0);
      expect([await statesOf('done.csv'), await statesOf('big-cut.csv')]).toEqual([['accepted'], []]);

      const second = await serve();
      onTestFinished(() => second.kill());
      const receipts = temporaryFolder();
      expect(
        await runSftp(
          to,
          `put ${done} /payments/`,
          `put ${big} /payments/`,
          `get /receipts/payments/big-cut.csv.receipt.json ${receipts}/`,
        ),
      ).toMatchObject({
        code: 0,
      });
      expect([await statesOf('done.csv'), await statesOf('big-cut.csv')]).toEqual([['duplicate', 'accepted'], ['accepted']]);
    },
  );

  itWith('sftp')('is served beside others whose connections are cut by the dozen', async () => {
    const file = localFile('beside.csv', randomBytes(16).toString('hex'));
    const runs = Array.from({ length: 8 }, () => startSftp(target, [`put ${localFile('x.csv')} /payments/`]));
    for (const { child } of runs) child.kill('SIGKILL');
    expect(await runSftp(target, `put ${file} /payments/beside.csv`)).toMatchObject({ code: 0 });
    expect(await statesOf('beside.csv')).toEqual(['accepted']);
    await Promise.all(runs.map(({ ended }) => ended));
  });
});
