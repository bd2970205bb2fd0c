import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runHeadgate, type ServedHeadgate, serveHeadgate, uploadFlow } from '../support/headgate-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-shared-'));
const dataDir = join(folder, 'data');
const trust = join(folder, 'trust.json');
const members = 6;
let served: ServedHeadgate;
let keyFile: string;

const administer = (...argv: string[]) => runHeadgate([...argv, '--data-dir', dataDir]);
const headgate = (...argv: string[]) => runHeadgate([...argv, '--key-file', keyFile], { env: { HEADGATE_URL: served.url }, cwd: folder });
/** In the notes of each record of a file, and nowhere else. */
const marker = (file: number) => `marker-${'abcdef'[file]!.repeat(12)}`;

const connection = (name: string) => `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: bank, name: ${name} }
spec: { type: folder, root: ${JSON.stringify(join(folder, name))} }
`;
const flow = uploadFlow('payments', { type: 'file', connection: 'out' })
  .replace(
    '{ id: upload, type: http }',
    '{ id: drop, type: folder, connection: in, path: ".", match: "*.csv", ready: { stableFor: 0s }, poll: 100ms }',
  )
  .replace('path: payments', 'path: payments, rollUp: true');

beforeAll(async () => {
  for (const name of ['in', 'out']) mkdirSync(join(folder, name));
  for (let file = 0; file < members; file++) {
    const rows = Array.from({ length: 5 }, (_, row) => `f${file}r${row},6200001234,${row + 1}.50,${marker(file)}\n`);
    writeFileSync(join(folder, 'in', `file-${file}.csv`), `id,account,amount,note\n${rows.join('')}bad,6200001234,many,${marker(file)}\n`);
  }
  for (const [name, text] of [
    ['in', connection('in')],
    ['out', connection('out')],
    ['flow', flow],
  ] as const)
    writeFileSync(join(folder, `${name}.yaml`), text);
  served = await serveHeadgate(dataDir);
  await administer('tenant', 'create', 'bank');
  const scopes = 'flows:write,flows:read,jobs:read,records:reveal';
  keyFile = join(folder, 'key');
  writeFileSync(keyFile, JSON.parse((await administer('key', 'create', 'bank', '--scopes', scopes, '--json')).stdout).key, { mode: 0o600 });
  writeFileSync(trust, (await administer('trust')).stdout);
});
afterAll(async () => {
  await served?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function contentOf(path: string): string {
  return (readdirSync(path, { recursive: true }) as string[])
    .map((name) => join(path, name))
    .filter((name) => statSync(name).isFile())
    .map((name) => readFileSync(name, 'latin1'))
    .join('\n');
}

it('a job whose segments, pack and batch are shared with others verifies by itself, and its export holds nothing of theirs', async () => {
  const applied = await headgate('flow', 'apply', 'in.yaml', 'out.yaml', 'flow.yaml', '--yes');
  expect([applied.code, applied.stderr.includes('error')]).toEqual([0, false]);
  const jobs = await vi.waitUntil(
    async () => {
      const all: { jobId: string; file: string; state: string }[] = JSON.parse((await headgate('job', 'list', '--json')).stdout);
      return all.length === members && all.every(({ state }) => state === 'completed') ? all : null;
    },
    { timeout: 60_000, interval: 300 },
  );
  let shared = 0;
  for (const { jobId, file } of jobs) {
    const own = Number(/file-(\d)/.exec(file)![1]);
    const kept = join(folder, `export-${own}`);
    const online = await headgate('verify', jobId, '--trust', trust, '--out', kept, '--json');
    expect([online.code, online.stderr]).toEqual([0, '']);
    const report = JSON.parse(online.stdout);
    expect(report).toMatchObject({ isSound: true, jobId, failures: [] });
    if (report.notes.some((note: string) => /^1 batches were shared with other jobs/.test(note))) shared++;
    const offline = await headgate('verify', '--export', kept, '--trust', trust, '--json');
    expect(JSON.parse(offline.stdout)).toEqual(report);

    const content = contentOf(kept);
    expect(content).toContain(marker(own));
    for (const { jobId: otherId, file: otherFile } of jobs) {
      if (otherId === jobId) continue;
      const other = Number(/file-(\d)/.exec(otherFile)![1]);
      for (const foreign of [marker(other), otherId, otherFile, `f${other}r0`]) expect(content.includes(foreign), foreign).toBe(false);
    }
  }
  expect(shared).toBeGreaterThan(1);

  // What one member's export lets anybody see of the others: that there are some, and the hash and size of what was sent.
  const [entry] = readFileSync(join(folder, 'export-0', 'batches.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(Object.keys(entry).sort()).toEqual(
    ['amounts', 'body', 'bytes', 'id', 'parentId', 'ranges', 'records', 'sha256', 'state', 'target', 'unknownAttempts'].sort(),
  );
  expect(entry).toMatchObject({ records: 5, state: 'delivered' });

  // The parts of another member of the same batch are not this one's.
  writeFileSync(
    join(folder, 'export-0', 'chunks/000000/target-0.bin'),
    readFileSync(join(folder, 'export-1', 'chunks/000000/target-0.bin')),
  );
  const swapped = await headgate('verify', '--export', join(folder, 'export-0'), '--trust', trust, '--json');
  expect(swapped.code).toBe(1);
  expect(JSON.parse(swapped.stdout).failures.map(({ code }: { code: string }) => code)).toEqual(
    expect.arrayContaining(['E_VERIFY_MANIFEST', 'E_VERIFY_SEGMENT', 'E_VERIFY_BATCHES']),
  );
});
