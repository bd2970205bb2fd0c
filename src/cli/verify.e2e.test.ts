import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type ExportedFixture, exportedJob, fixtureKey } from '../../test/support/exported-job.ts';
import { temporaryFolder } from '../../test/support/temporary-store.ts';
import { loadFlow } from '../control/flows/load-flow.ts';
import { writeTar } from '../pipeline/ledger/export/tar-stream.ts';
import { printTrustFile } from '../pipeline/ledger/trust-file.ts';

const definition = `
apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: payments, name: credits, version: 1.0.0 }
spec:
  sources:
    - { id: upload, type: http }
  format: { type: delimited, header: true }
  schema:
    record:
      key: [id]
      fields:
        id: { type: string, required: true, unique: file }
        amount: { type: decimal, scale: 2, required: true, currency: currency, sum: true }
        currency: { type: string, required: true, enum: [ZAR, USD] }
  routes: { default: { to: [ledger] } }
  targets:
    ledger: { type: file, connection: out, path: ledger }
`;

function job(): ExportedFixture {
  const { plan, diagnostics } = loadFlow(definition);
  expect(diagnostics).toEqual([]);
  const member = Buffer.from('id,amount,currency\np1,10.00,ZAR\np2,x,USD\np1,1.00,ZAR\np3,"7.50",USD\n');
  return exportedJob({ flow: { plan: plan!, member, definition: Buffer.from(definition) }, chunkBytes: 40 });
}

const archiveOf = (files: ReadonlyMap<string, Buffer>) =>
  Buffer.concat([...writeTar([...files].map(([name, bytes]) => ({ name, bytes: bytes.length, pieces: [bytes] })))]);

function written(files: ReadonlyMap<string, Buffer>): string {
  const folder = temporaryFolder();
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}

function trustFile(): string {
  const path = join(temporaryFolder(), 'trust.json');
  writeFileSync(path, printTrustFile([fixtureKey]));
  return path;
}

function headgate(...args: string[]) {
  return spawnSync(process.execPath, [join(import.meta.dirname, '../main/headgate.ts'), ...args], { encoding: 'utf8' });
}

describe('headgate verify', () => {
  test('finds an export sound, as a folder and as an archive, and exits 0', () => {
    const { files } = job();
    const archive = join(temporaryFolder(), 'job.tar');
    writeFileSync(archive, archiveOf(files));
    for (const path of [written(files), archive]) {
      const done = headgate('verify', '--export', path, '--trust', trustFile(), '--json');
      expect([done.status, done.stderr]).toEqual([0, '']);
      expect(JSON.parse(done.stdout)).toMatchObject({ isSound: true, failures: [], kid: fixtureKey.kid });
    }
  });

  test('prints what it checked, finds a changed amount, and exits 1', () => {
    const { files } = job();
    const changed = new Map(files).set('member.bin', Buffer.from(files.get('member.bin')!.toString().replace('10.00', '90.00')));
    const done = headgate('verify', '--export', written(changed), '--trust', trustFile());
    expect(done.status).toBe(1);
    expect(done.stdout).toContain('FAILED  amounts');
    expect(done.stdout).toContain('E_VERIFY_FILE member.bin');
    expect(done.stdout).toContain('NOT SOUND');
    expect(done.stdout).not.toContain('90.00');
  });

  test('prints a line for each thing it says, whatever the files of an export are called', () => {
    const done = headgate(
      'verify',
      '--export',
      written(new Map(job().files).set('x\nsound: job\r1', Buffer.from('x'))),
      '--trust',
      trustFile(),
    );
    expect(done.status).toBe(1);
    const lines = done.stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('sound'))).toEqual([]);
    expect(lines.filter((line) => line.includes('sound: job'))[0]).toMatch(/^E_VERIFY_LAYOUT x sound: job/);
    expect(lines.at(-1)).toMatch(/^NOT SOUND: job/);
  });

  test('says what it could not look at, and exits 2', () => {
    const folder = written(job().files);
    const trust = trustFile();
    symlinkSync('/etc/passwd', join(folder, 'extra'));
    const broken = join(temporaryFolder(), 'broken.tar');
    writeFileSync(broken, archiveOf(job().files).subarray(0, 3000));
    for (const [args, code] of [
      [['--export', folder, '--trust', trust], 'E_EXPORT_FOLDER'],
      [['--export', '/nowhere', '--trust', trust], 'E_EXPORT_FOLDER'],
      [['--export', broken, '--trust', trust], 'E_EXPORT_ARCHIVE'],
      [['--export', folder, '--trust', '/nowhere'], 'E_TRUST_FILE'],
      [['--export', folder], 'E_USAGE'],
      [['--trust', trust], 'E_USAGE'],
      [['job', '--export', folder, '--trust', trust], 'E_USAGE'],
    ] as const) {
      const done = headgate('verify', ...args);
      expect([done.status, done.stdout, done.stderr.split(':')[0]], args.join(' ')).toEqual([2, '', `error ${code}`]);
    }
  });

  test('fetches a job through the API, keeps the export where it is told, and is the same program', async () => {
    const { files } = job();
    const server = createServer((request, response) => {
      const isIt = request.url === '/v1/jobs/job-1/export' && request.headers.authorization === 'Bearer hg_live_verifier_0123456789';
      response.writeHead(isIt ? 200 : 404, { 'content-type': isIt ? 'application/x-tar' : 'application/problem+json' });
      response.end(isIt ? archiveOf(files) : JSON.stringify({ code: 'E_NOT_FOUND', detail: 'there is no such job' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const out = join(temporaryFolder(), 'kept');
    const run = (...args: string[]) => spawnAsync('verify', ...args, '--trust', trustFile(), '--url', url);
    expect(await run('job-1', '--out', out)).toBe(0);
    expect(existsSync(join(out, 'manifest.json'))).toBe(true);
    expect(headgate('verify', '--export', out, '--trust', trustFile()).status).toBe(0);
    expect(await run('job-2')).toBe(5);
    expect(await spawnAsync('verify', 'job-1', '--trust', '/nowhere', '--url', url)).toBe(2);
    expect(await spawnAsync('verify', 'job-1', '--trust', trustFile(), '--url', 'http://127.0.0.1:1')).toBe(2);
  });

  const ways = [
    ['SIGINT', []],
    ['SIGTERM', []],
    ['SIGKILL', []],
    ['SIGTERM', ['--out', 'kept']],
  ] as const;
  test.each(ways)('leaves nothing of an export in the clear when %s ends it, with %j', async (signal, more) => {
    const archive = archiveOf(job().files);
    const server = createServer((_, response) => void response.writeHead(200).write(archive.subarray(0, -2_048)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const place = temporaryFolder();
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, '../main/headgate.ts'), 'verify', 'job-1', ...more, '--trust', trustFile(), '--url', url],
      { cwd: place, env: { ...process.env, HEADGATE_API_KEY: 'hg_live_verifier_0123456789', TMPDIR: place }, stdio: 'ignore' },
    );
    const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
    await vi.waitUntil(
      () => (readdirSync(place, { recursive: true }) as string[]).includes(join(readdirSync(place)[0] ?? '', 'member.bin')),
      {
        timeout: 60_000,
      },
    );
    child.kill(signal);
    const left = more.length === 0 ? [] : ['kept'];
    expect(await ended).toBe({ SIGINT: 130, SIGTERM: 143, SIGKILL: null }[signal]);
    await expect.poll(() => readdirSync(place, { recursive: true })).toEqual(left);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    'is ended by %s while it recomputes, and leaves nothing',
    async (signal) => {
      const [place, archive, blocking] = [temporaryFolder(), join(temporaryFolder(), 'job.tar'), join(temporaryFolder(), 'blocking.mjs')];
      writeFileSync(archive, archiveOf(job().files));
      // As a long file does: once it is unpacked the event loop has no turn any more.
      writeFileSync(
        blocking,
        `import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      const { readdirSync } = fs;
      fs.readdirSync = (path, options) => {
        if (!options?.recursive) return readdirSync(path, options);
        fs.writeSync(1, 'blocked');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      };
      syncBuiltinESMExports();`,
      );
      const program = ['--import', blocking, join(import.meta.dirname, '../main/headgate.ts')];
      const child = spawn(process.execPath, [...program, 'verify', '--export', archive, '--trust', trustFile()], {
        env: { ...process.env, TMPDIR: place },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const ended = new Promise((resolve) => child.on('exit', (_, by) => resolve(by)));
      await once(child.stdout, 'data');
      expect((readdirSync(place, { recursive: true }) as string[]).map((name) => basename(name))).toContain('member.bin');
      child.kill(signal);
      expect(await ended).toBe(signal);
      await expect.poll(() => readdirSync(place)).toEqual([]);
    },
  );

  test('whose report can not be printed exits 2 where it is sound, and 1 where it is not', () => {
    const { files } = job();
    const changed = new Map(files).set('member.bin', Buffer.from('id,amount,currency\n'));
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    for (const [each, code] of [
      [files, 2],
      [changed, 1],
    ] as const) {
      const done = spawnSync(
        process.execPath,
        [join(import.meta.dirname, '../main/headgate.ts'), 'verify', '--export', written(each), '--trust', trustFile()],
        { encoding: 'utf8', stdio: ['ignore', full, 'pipe'] },
      );
      expect([done.status, done.stderr.split(':')[0]]).toEqual([code, 'error E_STDOUT']);
    }
  });

  test('leaves nothing in the folder that it should keep an export in when that ends early, and can be told to again', () => {
    const archive = archiveOf(job().files);
    const [broken, whole] = ['broken.tar', 'whole.tar'].map((name) => join(temporaryFolder(), name)) as [string, string];
    writeFileSync(broken, archive.subarray(0, 3_000));
    writeFileSync(whole, archive);
    const out = join(temporaryFolder(), 'kept');
    const verify = (path: string) => headgate('verify', '--export', path, '--out', out, '--trust', trustFile()).status;
    expect([verify(broken), readdirSync(out), verify(whole)]).toEqual([2, [], 0]);
  });
});

/** Without blocking this process, whose server it talks to. */
async function spawnAsync(...args: string[]): Promise<number | null> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../main/headgate.ts'), ...args], {
    env: { ...process.env, HEADGATE_API_KEY: 'hg_live_verifier_0123456789' },
    stdio: 'ignore',
  });
  return new Promise((resolve) => child.on('exit', resolve));
}

test('headgate trust prints the trust file of the generated key, and makes none', () => {
  const folder = temporaryFolder();
  const { stderr } = headgate('trust', '--data-dir', folder);
  expect(stderr).toContain(`error E_SECRET_MISSING: there is no signing key in ${folder}\ntry: Name the data folder of the server`);
  expect(readdirSync(folder)).toEqual([]);
  const pem = fixtureKey.privateKey.export({ format: 'pem', type: 'pkcs8' });
  writeFileSync(join(folder, 'signing.pem'), pem, { mode: 0o600 });
  const done = headgate('trust', '--data-dir', folder);
  expect([done.status, done.stdout]).toEqual([0, printTrustFile([fixtureKey])]);
});
