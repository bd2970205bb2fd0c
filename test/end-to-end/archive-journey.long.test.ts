import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { itWith } from '../support/components.ts';
import { findProgram } from '../support/debian-programs.ts';
import { auditJob } from '../support/job-audit.ts';
import { pack } from '../support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type Answer, type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../support/running-server.ts';
import { temporaryFolder } from '../support/temporary-store.ts';
import { zipArchive } from '../support/zip-archive.ts';

let database: TestDatabase;
let server: RunningTestServer;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { chunkBytes: '65536' });
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

let tenants = 0;

async function bank(unpack: string, more = ''): Promise<{ tenant: TestTenant; root: string }> {
  const tenant = await server.tenant(`bank-${++tenants}`);
  const root = join(server.out, tenant.name);
  mkdirSync(root, { recursive: true });
  const [out, flow] = testFlow({ root, more: `, unpack: ${unpack}` });
  await tenant.apply(out!, flow!.replace('  format:', `${more}  format:`));
  return { tenant, root };
}

interface Member {
  readonly arrivalId: string;
  readonly name: string;
  readonly state: string;
  readonly jobId: string;
}

const files = (rows = 2_000) => new Map([1, 2, 3].map((number) => [`part-${number}.csv`, testRows(rows * number, number, number)]));

/** The members are jobs of their own that are delivered, and each of them is proven from what came. */
async function expectDelivered({ tenant, root }: Awaited<ReturnType<typeof bank>>, packed: Buffer, answer: Answer, via: readonly string[]) {
  const sent = files();
  expect(answer.json).toMatchObject({ state: 'unpacked' });
  expect(answer.status).toBe(201);
  const members = answer.json.members as Member[];
  expect(members.map(({ name, state }) => [name, state])).toEqual([...sent.keys()].map((name) => [name, 'accepted']));
  for (const [index, { name, jobId }] of members.entries()) {
    expect(await server.settle(tenant.key, jobId)).toMatchObject({
      state: 'completed',
      records: { valid: 2_000 * (index + 1), rejected: index + 1 },
    });
    const { report, files: exported } = await auditJob(server, tenant, jobId);
    expect(report).toMatchObject({ isSound: true, failures: [] });
    expect(exported.get('container.bin')!.equals(packed)).toBe(true);
    expect(exported.get('member.bin')!.toString()).toBe(sent.get(name));
    const receipt = JSON.parse(exported.get('receipt.json')!.toString());
    expect([receipt.file.member.name, receipt.file.via, receipt.file.container.name]).toEqual([name, via, 'day.packed']);
  }
  const delivered = readdirSync(join(root, 'out')).map((name) => readFileSync(join(root, 'out', name), 'utf8'));
  expect(delivered.join('').trim().split('\n')).toHaveLength(12_000);
}

/** As programs of others write them. */
function folderOf(contents: ReadonlyMap<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, content] of contents) writeFileSync(join(folder, name), content);
  return folder;
}

itWith('zip')('an archive that zip made is unpacked, and each file in it delivered and proven', async () => {
  const place = await bank('zip');
  const folder = folderOf(files());
  const { path, env } = findProgram('zip')!;
  execFileSync(path, ['-q', 'day.zip', ...files().keys()], { cwd: folder, env: { ...process.env, ...env } });
  const packed = readFileSync(join(folder, 'day.zip'));
  const answer = await server.upload(place.tenant.key, { flow: 'payments', name: 'day.packed', body: packed });
  await expectDelivered(place, packed, answer, ['zip']);
});

itWith('zip')('an archive that zip wrote to a pipe, with sizes behind the contents, is unpacked too', async () => {
  const { tenant } = await bank('zip');
  const { path, env } = findProgram('zip')!;
  const cwd = folderOf(files(2));
  const packed = execFileSync('sh', ['-c', `'${path}' -q -r - . | cat`], { cwd, env: { ...process.env, ...env } });
  const { json } = await server.upload(tenant.key, { flow: 'payments', name: 'stream.zip', body: packed });
  expect((json.members as Member[]).map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual(
    [...files().keys()].map((name) => `${name} accepted`),
  );
});

it.each([
  ['tar', ['-cf'], ['tar']],
  ['tar as pax', ['--format=pax', '-cf'], ['tar']],
  ['tar as ustar, packed with gzip', ['--format=ustar', '-czf'], ['gzip', 'tar']],
  ['tar, packed with zstd', ['-cf'], ['zstd', 'tar']],
] as const)('an archive of %s is unpacked, and each file in it delivered and proven', async (_what, options, unpack) => {
  const place = await bank(`[${unpack}]`);
  const folder = folderOf(files());
  execFileSync('tar', [...options, 'day.tar', ...files().keys()], { cwd: folder });
  const made = readFileSync(join(folder, 'day.tar'));
  const packed = unpack[0] === 'zstd' ? pack.zstd(made) : made;
  const answer = await server.upload(place.tenant.key, { flow: 'payments', name: 'day.packed', body: packed });
  await expectDelivered(place, packed, answer, unpack);
});

itWith('python3')('archives that Python made are unpacked: zip and tar, of streams and with long names', async () => {
  const { tenant } = await bank('zip');
  const other = await bank('[gzip, tar]');
  const folder = folderOf(files(2));
  const { path, env } = findProgram('python3')!;
  const name = `${'folder/'.repeat(12)}${'long'.repeat(40)}.csv`;
  const script = `
import io, sys, tarfile, zipfile
class Pipe(io.RawIOBase):
    def __init__(self): self.parts = []
    def writable(self): return True
    def write(self, b): self.parts.append(bytes(b)); return len(b)
pipe = Pipe()
with zipfile.ZipFile(pipe, 'w', zipfile.ZIP_DEFLATED) as z:
    for path in sys.argv[2:]: z.write(path)
    with z.open(zipfile.ZipInfo(sys.argv[1]), 'w', force_zip64=True) as f: f.write(b'id,account,amount\\n')
open('py.zip', 'wb').write(b''.join(pipe.parts))
with tarfile.open('py.tgz', 'w:gz', format=tarfile.PAX_FORMAT) as t:
    for path in sys.argv[2:]: t.add(path)
    t.add(sys.argv[2], arcname=sys.argv[1])
`;
  execFileSync(path, ['-c', script, name, ...files().keys()], { cwd: folder, env: { ...process.env, ...env } });
  for (const [key, file] of [
    [tenant.key, 'py.zip'],
    [other.tenant.key, 'py.tgz'],
  ] as const) {
    const { json } = await server.upload(key, { flow: 'payments', name: file, body: readFileSync(join(folder, file)) });
    expect((json.members as Member[]).map((member) => member.name)).toEqual([...files().keys(), `${'long'.repeat(40)}.csv`]);
  }
});

it('an archive and its members are shown, and both are compared with what came before', async () => {
  const { tenant } = await bank('zip');
  const upload = (name: string, body: Buffer, headers?: Record<string, string>) =>
    server.upload(tenant.key, { flow: 'payments', name, body, headers });
  const first = zipArchive([...files(2)].map(([name, content]) => ({ name, content })));
  const { json } = await upload('first.zip', first);
  const members = json.members as Member[];
  const list = await server.request(`/v1/arrivals?container=${json.arrivalId}`, { key: tenant.key });
  expect(list.json.items.map((item: Member) => item.name).toSorted()).toEqual([...files().keys()]);
  expect((await server.request(`/v1/arrivals/${json.arrivalId}`, { key: tenant.key })).json).toMatchObject({
    state: 'unpacked',
    containerArrivalId: null,
    fileId: null,
  });
  const accepted = await server.request('/v1/files', { key: tenant.key });
  for (const file of accepted.json.items)
    expect(file).toMatchObject({
      containerName: 'first.zip',
      via: ['zip'],
      containerSha256: json.sha256,
      containerArrivalId: json.arrivalId,
    });
  expect(accepted.json.items.map((file: { acceptedNumber: number }) => file.acceptedNumber).toSorted()).toEqual([1, 2, 3]);

  const again = await upload('again.zip', first);
  expect([again.status, again.json.state, again.json.jobId]).toEqual([200, 'duplicate', members[0]!.jobId]);
  const mixed = zipArchive([
    { name: 'new.csv', content: testRows(5) },
    { name: 'known.csv', content: files(2).get('part-2.csv')! },
  ]);
  expect((await upload('mixed.zip', mixed)).json.members).toMatchObject([
    { name: 'new.csv', state: 'accepted' },
    { name: 'known.csv', state: 'duplicate', jobId: members[1]!.jobId },
  ]);
  const other = await server.tenant('other-bank');
  expect((await server.request(`/v1/arrivals?container=${json.arrivalId}`, { key: other.key })).json.items).toEqual([]);
});

it('of an archive with one bad member nothing is taken', async () => {
  const { tenant } = await bank('zip');
  const bad = zipArchive([
    { name: 'good.csv', content: testRows(5) },
    { name: '../bad.csv', content: testRows(5) },
  ]);
  const answer = await server.upload(tenant.key, { flow: 'payments', name: 'bad.zip', body: bad });
  expect([answer.status, answer.json.code]).toEqual([422, 'E_ARCHIVE_NAME']);
  expect((await server.request('/v1/jobs', { key: tenant.key })).json.items).toEqual([]);
  expect((await server.request('/v1/arrivals', { key: tenant.key })).json.items).toMatchObject([{ name: 'bad.zip', state: 'quarantined' }]);
});

it('an Idempotency-Key gives the same answer for an archive', async () => {
  const { tenant } = await bank('zip');
  const body = zipArchive([{ name: 'one.csv', content: testRows(5) }]);
  const send = () => server.upload(tenant.key, { flow: 'payments', name: 'one.zip', body, headers: { 'idempotency-key': 'k-1' } });
  const first = await send();
  expect(first.status).toBe(201);
  expect((await send()).json).toEqual(first.json);
});
