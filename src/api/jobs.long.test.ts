import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { pack } from '../../test/support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import {
  type Answer,
  type RunningTestServer,
  startTestServer,
  type TestTenant,
  testFlow,
  testRows,
} from '../../test/support/running-server.ts';
import { servedExport, verifiedBy } from '../../test/support/served-export.ts';
import { packingNames } from '../platform/packing/packings.ts';
import { exportsAtOnceMax } from './job-export.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let seeds = 0;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { chunkBytes: '65536' });
  tenant = await server.tenant('alpha');
  const hold = '{ mode: partial, maxInvalidRatio: 0.1, onExceed: hold }';
  const [out, flow] = testFlow({ root: server.out });
  await tenant.apply(out!, flow!, testFlow({ name: 'strict', acceptance: hold })[1]!);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

async function accept(flow: string, body: string, at = { server, key: tenant.key }): Promise<string> {
  const { status, json } = await at.server.upload(at.key, { flow, name: `${flow} <b>é.csv`, body });
  expect(status).toBe(201);
  return json.jobId;
}

const fresh = (valid: number, invalid = 0) => testRows(valid, invalid, ++seeds);
const get = (path: string, key = tenant.key) => server.request(path, { key });
const post = (path: string, body: unknown) => server.request(path, { key: tenant.key, method: 'POST', body });
const facts = ({ status, json }: Answer) => [status, json.code];

const exported = (jobId: string, from = server, owner = tenant) => servedExport(from, owner, jobId);
const verify = (files: ReadonlyMap<string, Buffer>, from = server) => verifiedBy(from, files);

describe('a job', () => {
  it('is described from its acceptance to its receipt', async () => {
    const jobId = await accept('payments', fresh(3, 1));
    const closed = await server.settle(tenant.key, jobId);
    expect(closed).toMatchObject({
      jobId,
      flow: 'payments',
      flowVersion: '1.0.0',
      file: 'payments <b>é.csv',
      state: 'completed',
      verdict: 'partial',
      records: { read: 4, valid: 3, rejected: 1, filtered: 0 },
      targets: { out: { routed: 3, delivered: 3, inFlight: 0 } },
      balanced: true,
      hasReceipt: true,
    });
    const receipt = await get(`/v1/jobs/${jobId}/receipt`);
    expect(JSON.parse(receipt.json.body)).toMatchObject({ job: { id: jobId, state: 'completed' } });
    expect((await get('/v1/jobs?state=completed')).json.items[0]).toMatchObject({ jobId, state: 'completed' });
  });

  it.each(['jobs', 'batches', 'files', 'arrivals', 'dead-letters', 'dead-letters/groups', 'blocked-keys', 'targets'])(
    'of a flow that is not there is not looked for: /v1/%s says so, and which was meant',
    async (list) => {
      const unknown = await get(`/v1/${list}?flow=paiments`);
      expect([...facts(unknown), unknown.json.detail]).toEqual([
        404,
        'E_FLOW_UNKNOWN',
        'there is no flow of this name; did you mean payments?',
      ]);
      expect((await get(`/v1/${list}?flow=strict`)).status).toBe(200);
    },
  );

  it('shows its findings and records page by page, fields masked', async () => {
    const jobId = await accept('payments', fresh(5, 4));
    await server.settle(tenant.key, jobId);
    const findings = await pages(`/v1/jobs/${jobId}/errors`, 3);
    expect(findings.length).toBeGreaterThanOrEqual(8);
    expect(new Set(findings.map(({ record }) => record))).toEqual(new Set([6, 7, 8, 9]));
    expect((await pages(`/v1/jobs/${jobId}/errors?code=${findings[0]!.code}`, 3)).every(({ code }) => code === findings[0]!.code)).toBe(
      true,
    );
    const records = await pages(`/v1/jobs/${jobId}/records`, 2);
    expect(records.map(({ record, status }) => `${record} ${status}`)).toEqual(
      [1, 2, 3, 4, 5].map((at) => `${at} valid`).concat([6, 7, 8, 9].map((at) => `${at} rejected`)),
    );
    expect((await pages(`/v1/jobs/${jobId}/records?status=rejected`, 3)).length).toBe(4);
    expect((await pages(`/v1/jobs/${jobId}/records?after=7`, 50)).map(({ record }) => record)).toEqual([8, 9]);
    const { json } = await get(`/v1/jobs/${jobId}/records/1`);
    expect(json).toMatchObject({ record: 1, status: 'valid', targets: ['out'], fields: { account: '******0000', amount: '0.50' } });
    // What is no account is masked as one; of what is no amount, and may be an account, only the form is shown.
    const rejected = await get(`/v1/jobs/${jobId}/records/6`);
    expect(rejected.json).toMatchObject({ record: 6, status: 'rejected', fields: { account: '*', amount: 'aaaa' } });
    expect(facts(await get(`/v1/jobs/${jobId}/records/10`))).toEqual([404, 'E_RECORD_UNKNOWN']);
  });

  it('leaves events that a subscriber reads without a gap', async () => {
    const jobId = await accept('payments', fresh(1));
    await server.settle(tenant.key, jobId);
    const types: string[] = [];
    for (let after = 0; !types.includes(`job.completed ${jobId}`); ) {
      const { json } = await get(`/v1/events?after=${after}&limit=7`);
      for (const event of json.items) {
        expect(event.seq).toBe(after + 1);
        after = event.seq;
        types.push(`${event.type} ${event.objectId}`);
      }
    }
  });

  it('that failed at a target has its dead letters', async () => {
    const unwell = await startHttpSink(() => ({ status: 503 }));
    await tenant.apply(
      'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }\n',
      `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: unwell }\nspec: { type: http, baseUrl: "${unwell.url}" }\n`,
      testFlow({ name: 'failing' })[1]!.replace(
        /out: \{ type: file.*\}/,
        'out: { type: http, connection: unwell, path: /out, retry: { max: 1, initial: 100ms, cap: 1s } }',
      ),
    );
    const jobId = await accept('failing', fresh(3));
    expect(await server.settle(tenant.key, jobId)).toMatchObject({
      state: 'completed_with_failures',
      targets: { out: { routed: 3, dead: 3 } },
    });
    const letters = await pages(`/v1/dead-letters?job=${jobId}`, 2);
    expect(letters.map(({ recordNumber }) => recordNumber).sort()).toEqual([1, 2, 3]);
    expect(await get(`/v1/dead-letters/${letters[0]!.deadLetterId}`)).toMatchObject({ json: { jobId, targetId: 'out' } });
    expect((await get(`/v1/dead-letters?job=${jobId}&cause=operator`)).json.items).toEqual([]);
    expect(await verify((await exported(jobId)).files)).toMatchObject({ isSound: true });
  });
});

// biome-ignore lint/suspicious/noExplicitAny: items of any list
async function pages(path: string, limit: number): Promise<any[]> {
  const items: unknown[] = [];
  let cursor: string | null = null;
  do {
    const { json } = await get(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`);
    expect(json.items.length).toBeLessThanOrEqual(limit);
    items.push(...json.items);
    cursor = json.nextCursor;
  } while (cursor !== null);
  return items as never;
}

describe('a decision', () => {
  const held = async () => {
    const jobId = await accept('strict', fresh(6, 2));
    expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: 'held' });
    return jobId;
  };

  it('shows the records and the money before anything changes', async () => {
    const jobId = await held();
    const { status, json } = await post(`/v1/jobs/${jobId}/release`, { reason: 'agreed with the sender', dryRun: true });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      jobId,
      state: 'held',
      allowed: ['release', 'reject', 'cancel'],
      records: { read: 8, valid: 6, rejected: 2, filtered: 0 },
      targets: [{ id: 'out', records: 6, amounts: { amount: { byCurrency: { XXX: '18.00' } } } }],
    });
    expect((await get(`/v1/jobs/${jobId}`)).json.state).toBe('held');
  });

  it('to release delivers what is valid, and is in the receipt with its reason', async () => {
    const jobId = await held();
    const { json: preview } = await post(`/v1/jobs/${jobId}/release`, { reason: 'agreed', dryRun: true });
    const { status } = await post(`/v1/jobs/${jobId}/release`, { reason: 'agreed', version: preview.version });
    expect(status).toBe(200);
    const closed = await server.settle(tenant.key, jobId);
    expect(closed).toMatchObject({ state: 'completed', verdict: 'partial', reason: 'agreed', targets: { out: { delivered: 6 } } });
    expect(closed.decidedBy).toMatch(/^key:/);
    expect(await verify((await exported(jobId)).files)).toMatchObject({ isSound: true, failures: [] });
  });

  it.each(['reject', 'cancel'])('to %s delivers nothing, and the receipt is sound', async (verb) => {
    const jobId = await held();
    expect((await post(`/v1/jobs/${jobId}/${verb}`, { reason: 'sent by mistake' })).status).toBe(200);
    const closed = await server.settle(tenant.key, jobId);
    expect(closed).toMatchObject({ state: verb === 'reject' ? 'rejected' : 'cancelled', targets: { out: { delivered: 0 } } });
    await expect.poll(async () => (await get(`/v1/jobs/${jobId}`)).json.hasReceipt).toBe(true);
    expect(await verify((await exported(jobId)).files)).toMatchObject({ isSound: true, failures: [] });
  });

  it('of what was not shown any more is stale', async () => {
    const jobId = await held();
    const answer = await post(`/v1/jobs/${jobId}/release`, { reason: 'agreed', version: 'held 1' });
    expect(facts(answer)).toEqual([409, 'E_DECISION_STALE']);
    expect((await get(`/v1/jobs/${jobId}`)).json.state).toBe('held');
  });

  it('is one: of two at once the other is a conflict', async () => {
    const jobId = await held();
    const answers = await Promise.all(['release', 'reject'].map((verb) => post(`/v1/jobs/${jobId}/${verb}`, { reason: 'at once' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it.each(['release', 'reject', 'cancel'])('to %s a closed job is a conflict, dry or not', async (verb) => {
    const jobId = await accept('payments', fresh(1));
    await server.settle(tenant.key, jobId);
    for (const dryRun of [true, false])
      expect(facts(await post(`/v1/jobs/${jobId}/${verb}`, { reason: 'late', dryRun }))).toEqual([409, 'E_JOB_STATE']);
  });

  it.each([
    ['no reason', {}, 400],
    ['an empty reason', { reason: '' }, 400],
    ['a reason of spaces', { reason: '   ' }, 422],
    ['a reason of more than 500 characters', { reason: 'r'.repeat(501) }, 400],
    ['a reason with a line end', { reason: 'a\nb' }, 400],
    ['half a surrogate', { reason: 'a\ud800' }, 400],
    ['who approved it', { reason: 'a', approvedBy: 'me' }, 400],
    ['a switch in quotes', { reason: 'a', dryRun: 'true' }, 400],
    ['a list', [], 400],
  ])('with %s is refused', async (_what, body, status) => {
    const jobId = await held();
    expect((await post(`/v1/jobs/${jobId}/release`, body)).status).toBe(status);
    expect((await get(`/v1/jobs/${jobId}`)).json.state).toBe('held');
  });
});

describe('an export', () => {
  it('of many chunks is sound, named for its file, saved and never shown', async () => {
    const jobId = await accept('payments', fresh(14_000, 30));
    await server.settle(tenant.key, jobId);
    const { answer, files } = await exported(jobId);
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="headgate-job-${jobId}.tar"; filename*=UTF-8''payments%20%3Cb%3E%C3%A9.csv.tar`,
    );
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect([...files.keys()].filter((name) => name.endsWith('outcomes.bin')).length).toBeGreaterThan(5);
    const report = await verify(files);
    expect(report.failures).toEqual([]);
    expect(report.isSound).toBe(true);
  });

  it.each(packingNames)('of a file that came packed with %s is sound, and is not with another container', async (packing) => {
    const packed = pack[packing](fresh(30, 2));
    const headers = { 'content-encoding': packing };
    const { json } = await server.upload(tenant.key, { flow: 'payments', name: 'packed.csv', body: packed, headers });
    await server.settle(tenant.key, json.jobId);
    const { files } = await exported(json.jobId);
    expect(files.get('container.bin')!.equals(packed)).toBe(true);
    expect(await verify(files)).toMatchObject({ isSound: true, failures: [] });
    for (const other of packingNames)
      expect((await verify(new Map([...files, ['container.bin', pack[other](fresh(30, 2))]]))).isSound).toBe(false);
  });

  it('that was changed on its way is not sound', async () => {
    const jobId = await accept('payments', fresh(20));
    await server.settle(tenant.key, jobId);
    const { files } = await exported(jobId);
    const member = Buffer.from(files.get('member.bin')!);
    member[40]! ^= 1;
    expect((await verify(new Map([...files, ['member.bin', member]]))).isSound).toBe(false);
  });

  /** For a busy machine: nothing here is about time. */
  const slowly = { timeout: 60_000, interval: 30 };

  it('is an event with who looked and why', async () => {
    const jobId = await accept('payments', fresh(1));
    await server.settle(tenant.key, jobId);
    await exported(jobId);
    const found = await vi.waitUntil(async () => {
      for (let after = 0; ; ) {
        const { items } = (await get(`/v1/events?after=${after}&limit=1000`)).json;
        const event = items.find(({ type, objectId }: Record<string, string>) => type === 'job.exported' && objectId === jobId);
        if (event || items.length === 0) return event;
        after = items.at(-1).seq;
      }
    }, slowly);
    expect(found).toMatchObject({ from: 'completed', to: 'completed', detail: { reason: 'test' } });
    expect(found.actor).toMatch(/^key:/);
  });

  it('needs a closed job and a scope of its own', async () => {
    const jobId = await accept('strict', fresh(1, 3));
    await server.settle(tenant.key, jobId);
    const reveal = await tenant.makeKey(['records:reveal']);
    expect(facts(await get(`/v1/jobs/${jobId}/export`, reveal))).toEqual([409, 'E_JOB_STATE']);
    expect(facts(await get(`/v1/jobs/${jobId}/export`, await tenant.makeKey(['admin'])))).toEqual([403, 'E_FORBIDDEN']);
  });

  it('is read by a few at once only', async () => {
    const jobId = await accept('payments', fresh(150_000));
    await server.settle(tenant.key, jobId);
    const key = await tenant.makeKey(['records:reveal']);
    const stop = new AbortController();
    const read = () => fetch(`${server.url}/v1/jobs/${jobId}/export`, { headers: { authorization: `Bearer ${key}` }, signal: stop.signal });
    const running = await Promise.all(Array.from({ length: exportsAtOnceMax }, read));
    expect(running.map(({ status }) => status)).toEqual(running.map(() => 200));
    expect(facts(await get(`/v1/jobs/${jobId}/export`, key))).toEqual([429, 'E_TOO_MANY_REQUESTS']);
    stop.abort();
    await expect
      .poll(
        async () =>
          (await fetch(`${server.url}/v1/jobs/${jobId}/export`, { method: 'GET', headers: { authorization: `Bearer ${key}` } })).status,
        slowly,
      )
      .toBe(200);
  });

  it('is made for a few at once only, whichever tenants they are of', async () => {
    const busy = await startTestServer(database, { exportsMax: '1' });
    const stop = new AbortController();
    try {
      const readerOf = async (name: string, rows: number) => {
        const owner = await busy.tenant(name);
        await owner.apply(...testFlow({ root: busy.out }));
        const jobId = await accept('payments', fresh(rows), { server: busy, key: owner.key });
        await busy.settle(owner.key, jobId);
        const headers = { authorization: `Bearer ${await owner.makeKey(['records:reveal'])}` };
        return () => fetch(`${busy.url}/v1/jobs/${jobId}/export`, { headers, signal: stop.signal });
      };
      const [ofOne, ofOther] = [await readerOf('busy-one', 120_000), await readerOf('busy-other', 2)];
      expect((await ofOne()).status).toBe(200);
      const refused = await ofOther();
      const { code } = (await refused.json()) as { code: string };
      expect([refused.status, code, refused.headers.get('retry-after')]).toEqual([429, 'E_TOO_MANY_REQUESTS', '1']);
    } finally {
      stop.abort();
      await busy.stop();
    }
  });
});

describe('a job that was cancelled before its file was checked', () => {
  it('has a receipt of nothing, which is sound', async () => {
    const idle = await startTestServer(database, { roles: 'api,scheduler' });
    try {
      const owner = await idle.tenant('idle');
      await owner.apply(...testFlow({ root: idle.out }));
      const jobId = await accept('payments', fresh(5), { server: idle, key: owner.key });
      const decided = await idle.request(`/v1/jobs/${jobId}/cancel`, { key: owner.key, method: 'POST', body: { reason: 'wrong file' } });
      expect(decided.json).toEqual({ jobId, state: 'cancelled' });
      await expect.poll(async () => (await idle.request(`/v1/jobs/${jobId}`, { key: owner.key })).json.hasReceipt).toBe(true);
      const report = await verify((await exported(jobId, idle, owner)).files, idle);
      expect(report.failures).toEqual([]);
      expect(report.notes.join()).toContain('before its file was checked');
    } finally {
      await idle.stop();
    }
  });
});
