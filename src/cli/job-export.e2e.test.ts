import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { runHeadgate, type ServedHeadgate, serveHeadgate, startCommand, uploadFlow } from '../../test/support/headgate-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-sealed-'));
const dataDir = join(folder, 'data');
const trust = join(folder, 'trust.json');
const keyFile = join(folder, 'api-key');
let served: ServedHeadgate;
let jobId: string;

const administer = (...argv: string[]) => runHeadgate([...argv, '--data-dir', dataDir]);
const headgate = (...argv: string[]) => runHeadgate([...argv, '--key-file', keyFile], { env: { HEADGATE_URL: served.url }, cwd: folder });
const verify = (...argv: string[]) => runHeadgate(['verify', '--trust', trust, '--json', ...argv]);

/** Writes the halves as an auditor would make them, and gives the path without ending. */
function makeAuditor(name: string): string {
  const pair = generateKeyPairSync('x25519');
  const path = join(folder, name);
  writeFileSync(`${path}.pub`, pair.publicKey.export({ format: 'pem', type: 'spki' }));
  writeFileSync(`${path}.key`, pair.privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  return path;
}

beforeAll(async () => {
  mkdirSync(join(folder, 'out'));
  writeFileSync(
    join(folder, 'out.yaml'),
    `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: bank, name: out }
spec: { type: folder, root: ${JSON.stringify(join(folder, 'out'))} }
`,
  );
  writeFileSync(join(folder, 'flow.yaml'), uploadFlow('payments', { type: 'file', connection: 'out' }));
  writeFileSync(join(folder, 'in.csv'), 'id,account,amount,note\np1,6200001234,1.50,\np2,6200001234,many,\np3,6200001234,2.50,\n');
  served = await serveHeadgate(dataDir);
  await administer('tenant', 'create', 'bank');
  const scopes = 'flows:write,flows:read,files:write,files:read,jobs:read,records:reveal';
  writeFileSync(keyFile, JSON.parse((await administer('key', 'create', 'bank', '--scopes', scopes, '--json')).stdout).key, { mode: 0o600 });
  writeFileSync(trust, (await administer('trust')).stdout);
  await headgate('flow', 'apply', 'out.yaml', 'flow.yaml', '--yes');
  const ingested = await headgate('ingest', 'in.csv', '--flow', 'payments', '--wait', '--json');
  jobId = JSON.parse(ingested.stdout)[0].jobId;
});
afterAll(async () => {
  await served?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("an export sealed for an auditor's key is verified with that key, and shows nobody else anything", async () => {
  const auditor = makeAuditor('auditor');
  const sealed = join(folder, 'sealed', 'job.sealed');
  mkdirSync(join(folder, 'sealed'));
  const written = await headgate('job', 'export', jobId, '--to', `${auditor}.pub`, '--out', sealed, '--reason', 'yearly audit');
  expect([written.code, written.stdout]).toEqual([0, '']);
  expect(statSync(sealed).mode & 0o777).toBe(0o600);
  for (const shown of ['6200001234', 'receipt.json', jobId]) expect(readFileSync(sealed).includes(shown)).toBe(false);
  for (const path of [sealed, join(folder, 'sealed')]) {
    const { code, stdout, stderr } = await verify('--export', path, '--key', `${auditor}.key`);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ isSound: true, jobId, failures: [] });
  }
  const refusals: readonly [readonly string[], string][] = [
    [['--export', sealed], 'E_USAGE'],
    [['--export', sealed, '--key', `${makeAuditor('other')}.key`], 'E_EXPORT_SEALED'],
    [['--export', sealed, '--key', `${auditor}.pub`], 'E_AUDITOR_KEY'],
    [['--export', sealed, '--key', '/nowhere'], 'E_AUDITOR_KEY'],
    [[jobId, '--key', `${auditor}.key`], 'E_USAGE'],
  ];
  chmodSync(`${auditor}.pub`, 0o600);
  for (const [argv, code] of refusals)
    expect(await verify(...argv)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(`error ${code}`) });
  chmodSync(`${auditor}.key`, 0o644);
  expect((await verify('--export', sealed, '--key', `${auditor}.key`)).stderr).toContain('make it mode 0600');
});

it('an export in the clear is a tar archive that is never written over another file', async () => {
  const out = join(folder, 'job.tar');
  expect(await headgate('job', 'export', jobId, '--out', out)).toMatchObject({ code: 0, stderr: expect.stringContaining('in the clear') });
  expect(JSON.parse((await verify('--export', out)).stdout)).toMatchObject({ isSound: true, jobId });
  expect(await headgate('job', 'export', jobId, '--out', out)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('E_EXPORT_FOLDER'),
  });
});

it('a private key is refused before anything is asked for, and what fails leaves no file', async () => {
  const auditor = makeAuditor('careless');
  const out = join(folder, 'never');
  expect(await headgate('job', 'export', jobId, '--to', `${auditor}.key`, '--out', out)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('this is a private key'),
  });
  expect((await headgate('job', 'export', '01900000-0000-7000-8000-000000000000', '--out', out)).code).toBe(5);
  expect([existsSync(out), existsSync(`${out}.partial`)]).toEqual([false, false]);
});

it.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('an export that %s ends leaves nothing behind, and can be made again', async (signal, expected) => {
  const server = createServer((_, response) => void response.writeHead(200).write('half of an archive'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const place = join(folder, signal);
  mkdirSync(place);
  const argv = ['job', 'export', jobId, '--out', join(place, 'job.tar'), '--key-file', keyFile];
  const exporting = startCommand([...argv, '--url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
  await vi.waitUntil(() => existsSync(join(place, 'job.tar.partial')), { timeout: 60_000 });
  exporting.signal(signal);
  expect([(await exporting.ended).code, readdirSync(place)]).toEqual([expected, []]);
  writeFileSync(join(place, 'job.tar.partial'), 'what SIGKILL leaves');
  expect((await runHeadgate([...argv, '--url', served.url])).stderr).toContain('or was killed: then remove');
  rmSync(join(place, 'job.tar.partial'));
  expect((await runHeadgate([...argv, '--url', served.url])).code).toBe(0);
  expect(readdirSync(place)).toEqual(['job.tar']);
});
