import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../../test/support/running-server.ts';
import { tarArchive } from '../../test/support/tar-archive.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { chunkBytes: '65536' });
  tenant = await server.tenant('alpha');
  const [out, flow] = testFlow({ root: server.out });
  const unique = flow!.replace('id: { type: string,', 'id: { type: string, unique: file,');
  const strict = testFlow({ name: 'strict', acceptance: '{ mode: all-or-nothing, onExceed: reject }' })[1]!;
  const held = testFlow({ name: 'held', acceptance: '{ mode: all-or-nothing, onExceed: hold }' })[1]!;
  const written = testFlow({ name: 'written' })[1]!.replace(
    '  targets:',
    '  acknowledge: { format: csv, connection: out, path: acks, name: "{file}.ack" }\n  targets:',
  );
  const archived = testFlow({ name: 'archived' })[1]!.replace('{ id: upload, type: http }', '{ id: upload, type: http, unpack: tar }');
  await tenant.apply(out!, unique, strict, held, written, archived);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

async function accept(flow: string, body: string) {
  const { json } = await server.upload(tenant.key, { flow, name: 'a, "b".csv', body });
  return json as { readonly fileId: string; readonly jobId: string; readonly sha256: string };
}

async function closed(flow: string, body: string) {
  const accepted = await accept(flow, body);
  await server.settle(tenant.key, accepted.jobId);
  return accepted;
}

const get = (fileId: string, query = '', key = tenant.key) => server.request(`/v1/files/${fileId}/acknowledgement${query}`, { key });

describe('the acknowledgement of a file', () => {
  it('says what became of it and of how many records, as its receipt does', async () => {
    const { fileId, jobId } = await closed('payments', testRows(5, 2, 1));
    const { status, json, headers } = await get(fileId);
    expect([status, headers.get('content-disposition')?.startsWith('attachment;')]).toEqual([200, true]);
    expect(json).toMatchObject({
      level: 'file',
      file: { name: 'a, "b".csv' },
      member: null,
      flow: 'payments',
      jobId,
      verdict: 'partial',
      records: { read: 7, valid: 5, rejected: 2, filtered: 0 },
      amounts: { valid: { amount: { byCurrency: { XXX: '12.50' } } }, rejected: { amount: { unreadable: 2 } } },
      reasons: [],
    });
    expect(json.errors.map(({ code, count }: { code: string; count: number }) => [code, count])).toContainEqual(['E_DECIMAL', 2]);
    expect(json.rejected).toBeUndefined();
  });

  it('lists every rejected record in order, over all chunks and with those that the check of the whole file left out', async () => {
    const valid = testRows(6_000, 0, 2);
    const again = valid.split('\n')[3]!;
    const { fileId } = await closed('payments', `${valid}X1,1,none\n${again}\nX2,1,1.00\n`);
    const { json } = await get(fileId, '?level=record');
    expect(json.records).toEqual({ read: 6_003, valid: 6_000, rejected: 3, filtered: 0 });
    const found = json.rejected as readonly { readonly record: number; readonly code: string; readonly field: string }[];
    expect(found.map(({ record }) => record)).toEqual([6_001, 6_001, 6_002, 6_003]);
    expect(found.map(({ code }) => code)).toEqual(expect.arrayContaining(['E_PATTERN', 'E_DECIMAL', 'E_DUPLICATE_KEY']));
    expect(JSON.stringify(json)).not.toContain('X1');
    const csv = await get(fileId, '?level=record&format=csv');
    const lines = csv.body.trimEnd().split('\r\n');
    expect([csv.type, lines[0], lines.length]).toEqual(['text/csv', 'record,code,field,message', 5]);
    expect(lines.slice(1).map((line) => Number(line.split(',')[0]))).toEqual([6_001, 6_001, 6_002, 6_003]);
  });

  it('is a line of CSV, whatever the sender called the file', async () => {
    const { fileId } = await closed('payments', testRows(2, 0, 3));
    const { body } = await get(fileId, '?format=csv');
    const [header, line, end] = body.split('\r\n');
    expect(header!.split(',').slice(0, 2)).toEqual(['file', 'sha256']);
    expect([line!.startsWith('"a, ""b"".csv",'), end]).toEqual([true, '']);
  });

  it('names the member of an archive, which its sender could not tell from the others', async () => {
    const members = [1, 2].map((day) => ({ name: `day-${day}.csv`, content: Buffer.from(testRows(day, 0, 20 + day)) }));
    const { json } = await server.upload(tenant.key, { flow: 'archived', name: 'week.tar', body: tarArchive(members) });
    for (const [index, { fileId, jobId }] of (json.members as { fileId: string; jobId: string }[]).entries()) {
      await server.settle(tenant.key, jobId);
      const { name, content } = members[index]!;
      const member = { name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
      expect((await get(fileId)).json).toMatchObject({ file: { name: 'week.tar' }, member });
      const [header, line] = (await get(fileId, '?format=csv')).body.split('\r\n').map((text) => text.split(','));
      expect(header!.slice(-2)).toEqual(['member', 'memberSha256']);
      expect(line!.slice(-2)).toEqual([name, member.sha256]);
    }
  });

  it('names why a file was rejected', async () => {
    const { fileId } = await closed('strict', testRows(2, 1, 4));
    const { json } = await get(fileId, '?level=record');
    expect(json.verdict).toBe('rejected');
    expect(json.reasons.length).toBeGreaterThan(0);
    expect(json.rejected.length).toBeGreaterThan(0);
  });

  it('says of a file that was cancelled how much of it had been passed on, and of how much nobody knows', async () => {
    const sink = await startHttpSink((_, number) => [{}, { isLost: true }][number - 1] ?? { status: 503 });
    const posted = testFlow({ name: 'posted' })[1]!.replace(
      /targets:[\s\S]*/,
      'targets:\n    out: { type: http, connection: api, path: /in, onUnknown: hold, concurrency: 1, batch: { size: 2 }, retry: { max: 50, initial: 10ms, cap: 20ms } }\n',
    );
    await tenant.apply(
      'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }\n',
      `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: api }\nspec: { type: http, baseUrl: "${sink.url}" }\n`,
      posted,
    );
    const { fileId, jobId } = await accept('posted', testRows(5, 0, 8));
    await vi.waitUntil(
      async () => {
        const { json } = await server.request(`/v1/batches?job=${jobId}`, { key: tenant.key });
        return ['acked', 'held'].every((state) => json.items.some((each: { state: string }) => each.state === state));
      },
      { timeout: 60_000, interval: 30 },
    );
    await server.request(`/v1/jobs/${jobId}/cancel`, { key: tenant.key, method: 'POST', body: { reason: 'test' } });
    expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: 'cancelled' });
    expect((await get(fileId)).json).toMatchObject({ verdict: 'cancelled', records: { valid: 5 }, passedOn: { records: 2, unknown: 2 } });
    const [header, line] = (await get(fileId, '?format=csv')).body.split('\r\n').map((text) => text.split(','));
    expect(header!.slice(-4, -2)).toEqual(['passedOn', 'unknown']);
    expect(line!.slice(-4, -2)).toEqual(['2', '2']);
  });

  it('waits for the end of the job, and is the same afterwards each time', async () => {
    const { fileId, jobId } = await accept('held', testRows(2, 1, 5));
    expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: 'held' });
    expect((await get(fileId)).json.code).toBe('E_JOB_STATE');
    await server.request(`/v1/jobs/${jobId}/reject`, { key: tenant.key, method: 'POST', body: { reason: 'test' } });
    await server.settle(tenant.key, jobId);
    const [first, second] = [await get(fileId, '?level=record'), await get(fileId, '?level=record')];
    expect([first.status, first.body]).toEqual([200, second.body]);
  });

  it('is written where the flow says; one whose name is taken is given up, and written again when a person says so', async () => {
    const acks = join(server.out, 'acks');
    mkdirSync(acks);
    writeFileSync(join(acks, 'day.csv.ack'), 'theirs');
    const { json: accepted } = await server.upload(tenant.key, { flow: 'written', name: 'day.csv', body: testRows(2, 1, 7) });
    const { fileId } = accepted as { fileId: string };
    const view = async () => (await server.request(`/v1/files/${fileId}`, { key: tenant.key })).json.acknowledgements;
    const until = (state: string) =>
      vi.waitUntil(async () => ((await view())[0]?.state === state ? (await view())[0] : null), { timeout: 60_000, interval: 30 });
    expect(await until('failed')).toMatchObject({ name: 'day.csv.ack', attempts: 1, reasonCode: 'E_TARGET_CONFLICT' });
    expect(readFileSync(join(acks, 'day.csv.ack'), 'utf8')).toBe('theirs');
    rmSync(join(acks, 'day.csv.ack'));
    const retry = (body: object) => server.request(`/v1/files/${fileId}/acknowledgement/retry`, { key: tenant.key, method: 'POST', body });
    const listed = async (state: string) =>
      (await server.request(`/v1/files?acknowledgement=${state}`, { key: tenant.key })).json.items.map(
        (file: { fileId: string }) => file.fileId,
      );
    expect([await listed('failed'), await listed('pending')]).toEqual([[fileId], []]);
    expect((await server.request('/v1/files?acknowledgement=failed', { key: (await server.tenant('gamma')).key })).json).toMatchObject({
      items: [],
    });
    expect((await retry({ reason: 'look', dryRun: true })).json).toMatchObject({ fileId, acknowledgements: [{ state: 'failed' }] });
    expect((await retry({ reason: 'name made free' })).json).toEqual({ fileId, levels: ['file'] });
    expect(await until('sent')).toMatchObject({ name: 'day.csv.ack', reasonCode: null });
    expect(readFileSync(join(acks, 'day.csv.ack'), 'utf8')).toBe((await get(fileId, '?format=csv')).body);
    const again = await retry({ reason: 'once more' });
    expect([again.status, again.json.code]).toEqual([409, 'E_ACKNOWLEDGEMENT_STATE']);
  });

  it('is that of the own tenant only', async () => {
    const { fileId } = await closed('payments', testRows(1, 0, 6));
    const other = await server.tenant('beta');
    const [foreign, unknown] = [await get(fileId, '', other.key), await get('01900000-0000-7000-8000-000000000000', '', other.key)];
    expect([foreign.status, foreign.json.code, foreign.json.detail]).toEqual([404, unknown.json.code, unknown.json.detail]);
    expect((await get(fileId, '?level=all')).status).toBe(400);
  });
});

it('acknowledgements that wait for their place to be mended are written when its connection is applied', async () => {
  const other = await server.tenant('mended');
  const [out, flow] = testFlow({ root: server.out });
  const root = `${server.out}-partner`;
  const connection = (folder: string) =>
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: mended, name: partner }\nspec: { type: folder, root: ${JSON.stringify(folder)} }\n`;
  await other.apply(
    out!,
    connection(`${server.out}-missing`),
    flow!.replace('  targets:', '  acknowledge: { format: json, connection: partner }\n  targets:'),
  );
  const { json } = await server.upload(other.key, { flow: 'payments', name: 'mended.csv', body: testRows(3) });
  const acknowledgement = async () => (await server.request(`/v1/files/${json.fileId}`, { key: other.key })).json.acknowledgements[0];
  await vi.waitFor(async () => expect(await acknowledgement()).toMatchObject({ state: 'pending', reasonCode: 'E_TARGET_SETUP' }), 60_000);
  // As after many tries, between which it waits for minutes.
  await vi.waitFor(async () => {
    const { rowCount } = await database.adminDb.query(
      `/* wait */ update headgate.work_items set due_at = due_at + interval '1 hour' where kind = 'acknowledge' and tenant_id = $1 and lease_until is null`,
      [other.tenantId],
    );
    expect(rowCount).toBe(1);
  }, 60_000);
  mkdirSync(root);
  const body = { text: connection(root), dryRun: false };
  const applied = await server.request('/v1/flows', { key: other.key, method: 'POST', headers: { 'if-match': '*' }, body });
  expect(applied.json).toMatchObject({ outcome: 'updated' });
  await vi.waitFor(async () => expect(await acknowledgement()).toMatchObject({ state: 'sent' }), 60_000);
});
