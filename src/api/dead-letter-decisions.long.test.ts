import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { askOvertaken } from '../../test/support/overtaken-request.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant } from '../../test/support/running-server.ts';
import { servedExport, verifiedBy } from '../../test/support/served-export.ts';
import { scopes } from '../platform/access/api-keys.ts';
import { systemPorts } from '../platform/base/system-ports.ts';

let database: TestDatabase;
let server: RunningTestServer;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 8 });
  server = await startTestServer(database);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const documents = (url: string) => [
  'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }\n',
  `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: api }\nspec: { type: http, baseUrl: "${url}" }\n`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: payments, version: 1.0.0, owner: test }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema:
    record:
      fields:
        id: { type: string, required: true }
        account: { type: string, required: true, mask: last4, class: account }
        amount: { type: decimal, scale: 2, required: true, sum: true }
        note: { type: string }
  routes: { default: { to: [api] } }
  targets:
    api: { type: http, connection: api, path: /payments, mode: single, retry: { max: 0, initial: 100ms, cap: 1s } }
`,
];

/** A service that refuses accounts that end with 9 until it is told that they were opened; it notes the keys of what it takes. */
async function startBank(name: string) {
  const taken: { key: string; body: Record<string, string> }[] = [];
  let isOpen = false;
  const sink = await startHttpSink(({ body, headers }) => {
    const record = JSON.parse(body);
    if (!isOpen && record.account.endsWith('9')) return { status: 422 };
    taken.push({ key: String(headers['idempotency-key']), body: record });
    return { status: 200 };
  });
  const tenant: TestTenant = await server.tenant(name);
  const key = await tenant.makeKey(scopes);
  await tenant.apply(...documents(sink.url));
  const rows = ['A1,62000001,10.00,', 'A2,62000009,20.50,', 'A3,62000019,30.00,', 'A4,62000003,5.00,'];
  const { json } = await server.upload(key, { flow: 'payments', name: 'in.csv', body: `id,account,amount,note\n${rows.join('\n')}\n` });
  await server.settle(key, json.jobId);
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    server.request(path, { key, method: 'POST', body, headers });
  return {
    tenant,
    key,
    taken,
    jobId: json.jobId as string,
    post,
    open: () => void (isOpen = true),
    get: (path: string) => server.request(path, { key }),
  };
}

describe('dead letters over the API', () => {
  it('are grouped, repaired by preview, sent again under the keys that they had, and found in the new receipt', async () => {
    const bank = await startBank('letters-repair');
    const groups = (await bank.get('/v1/dead-letters/groups')).json.items;
    expect(groups).toMatchObject([
      {
        flow: 'payments',
        targetId: 'api',
        code: 'E_TARGET_REFUSED',
        causes: ['refused'],
        records: 2,
        jobs: 1,
        amounts: { amount: { byCurrency: { XXX: '50.50' }, unreadable: 0 } },
      },
    ]);
    const [{ groupId, oldestAt, expiresAt, samples }] = groups;
    expect(Date.parse(expiresAt) - Date.parse(oldestAt)).toBe(90 * 86_400_000);
    expect(samples.map(({ recordId }: { recordId: string }) => recordId)).toEqual([`${bank.jobId}/2`, `${bank.jobId}/3`]);
    const sampled = (key = bank.key) => server.request(`/v1/dead-letters/groups/${groupId}`, { key });
    const ids = samples.map((sample: object) => ({ ...sample, code: null }));
    const records = [2, 3].map((number) => bank.get(`/v1/jobs/${bank.jobId}/records/${number}`));
    const shown = (await Promise.all(records)).map(({ json }) => json.fields);
    expect(shown).toMatchObject([{ id: 'A2', account: '****0009', amount: '20.50' }, { account: '****0019' }]);
    expect((await sampled()).json).toEqual({
      ...groups[0],
      samples: ids.map((sample: object, index: number) => ({ ...sample, fields: shown[index] })),
    });
    expect((await sampled(await bank.tenant.makeKey(['jobs:read']))).json.samples).toEqual(
      ids.map((sample: object) => ({ ...sample, fields: null })),
    );
    expect((await sampled((await server.tenant('letters-stranger')).key)).status).toBe(404);
    const letters = (await bank.get(`/v1/dead-letters?group=${groupId}`)).json.items;
    const set = { account: "record.account.substring(0, 7) + '1'" };
    const preview = (await bank.post('/v1/redrives', { group: groupId, set, reason: 'accounts moved', dryRun: true })).json;
    expect(preview).toMatchObject({
      chosen: { records: 2, amounts: { amount: { byCurrency: { XXX: '50.50' } } } },
      sent: { records: 2 },
      rejected: { records: 0 },
    });
    // Masked as the flow says, before and after.
    expect(preview.members[0].changes).toEqual([{ field: 'account', before: '****0009', after: '****0001' }]);
    const made = await bank.post('/v1/redrives', { group: groupId, set, reason: 'accounts moved', version: preview.version });
    expect(made.status).toBe(200);
    const [job] = made.json.jobs;
    expect((await server.settle(bank.key, job.jobId)).state).toBe('completed');
    const keys = letters.map(({ deliveryKey }: { deliveryKey: string }) => deliveryKey).sort();
    const sent = bank.taken.filter(({ key }) => keys.includes(key));
    expect(sent.map(({ key }) => key).sort()).toEqual(keys);
    expect(sent.map(({ body }) => body['account']).sort()).toEqual(['62000001', '62000011']);
    const receipt = (await bank.get(`/v1/jobs/${job.jobId}/receipt`)).json;
    expect(JSON.parse(receipt.body ?? JSON.stringify(receipt)).job.redrive).toMatchObject({
      ofJobId: bank.jobId,
      repair: set,
      reason: 'accounts moved',
    });
    expect((await bank.get('/v1/dead-letters/groups')).json.items).toEqual([]);
    // Events are there once they have their number.
    const wanted = ['redrive.created', 'dead_letter.redriving', 'dead_letter.redriven'];
    await vi.waitUntil(
      async () => {
        const events = (await bank.get('/v1/events?limit=200')).json.items.map(({ type }: { type: string }) => type);
        return wanted.every((type) => events.includes(type));
      },
      { timeout: 60_000, interval: 50 },
    );
  });

  it('are not sent again where the preview is not what it was, or nothing is left', async () => {
    const bank = await startBank('letters-stale');
    bank.open();
    const [one, other] = (await bank.get('/v1/dead-letters')).json.items;
    const body = { flow: 'payments', reason: 'opened' };
    const { version } = (await bank.post('/v1/redrives', { ...body, dryRun: true })).json;
    const first = await bank.post('/v1/redrives', { deadLetters: [one.deadLetterId], reason: 'this one' });
    expect(first.json).toMatchObject({ records: 1 });
    expect(await bank.post('/v1/redrives', { ...body, version })).toMatchObject({ status: 409, json: { code: 'E_REDRIVE_STALE' } });
    expect(await bank.post('/v1/redrives', { deadLetters: [one.deadLetterId], reason: 'again' })).toMatchObject({
      status: 422,
      json: { code: 'E_REDRIVE_EMPTY' },
    });
    expect((await bank.post('/v1/redrives', { deadLetters: [other.deadLetterId], reason: 'the other' })).json).toMatchObject({
      records: 1,
    });
  });

  it('are sent once where a request is repeated under its key, and another request under the key is refused', async () => {
    const bank = await startBank('letters-keyed');
    bank.open();
    const body = { flow: 'payments', reason: 'opened' };
    const key = { 'idempotency-key': 'k-1' };
    const first = await bank.post('/v1/redrives', body, key);
    expect(await bank.post('/v1/redrives', body, key)).toMatchObject({ status: 200, json: first.json });
    expect((await bank.post('/v1/redrives', { ...body, reason: 'another' }, key)).json.code).toBe('E_KEY_REUSED');
    await server.settle(bank.key, first.json.jobs[0].jobId);
    expect(bank.taken).toHaveLength(4);
  });

  it('are sent once where a request is repeated under its key just before the first answer is there', async () => {
    const bank = await startBank('letters-overtaken');
    bank.open();
    const ask = () => bank.post('/v1/redrives', { flow: 'payments', reason: 'opened' }, { 'idempotency-key': 'k-1' });
    const [one, two] = await askOvertaken({ database, tenantId: bank.tenant.tenantId, table: 'dead_letters', ask });
    expect([one.status, two.status, two.json]).toEqual([200, 200, one.json]);
    await server.settle(bank.key, one.json.jobs[0].jobId);
    expect(bank.taken).toHaveLength(4);
  });

  it('are sent again a part at a time, in the order of their records, where more are open than one decision may choose', async () => {
    const bank = await startBank('letters-parts');
    const [{ groupId }] = (await bank.get('/v1/dead-letters/groups')).json.items;
    bank.open();
    const request = { group: groupId, first: 1, reason: 'accounts were opened' };
    const preview = (await bank.post('/v1/redrives', { ...request, dryRun: true })).json;
    expect(preview.members.map(({ recordId }: { recordId: string }) => recordId)).toEqual([`${bank.jobId}/2`]);
    for (const left of [1, 0]) {
      const { status, json } = await bank.post('/v1/redrives', request);
      expect([status, json.records]).toEqual([200, 1]);
      expect((await server.settle(bank.key, json.jobs[0].jobId)).state).toBe('completed');
      expect((await bank.get('/v1/dead-letters?state=open')).json.items).toHaveLength(left);
    }
    expect((await bank.post('/v1/redrives', request)).json.code).toBe('E_REDRIVE_EMPTY');
    expect((await bank.post('/v1/redrives', { first: 1, reason: 'all' })).json.code).toBe('E_REQUEST');
    expect((await bank.post('/v1/redrives', { ...request, first: 1_001 })).json.code).toBe('E_REQUEST');
  });

  it('are discarded with a reason, and the ledger of their job stays as it is', async () => {
    const bank = await startBank('letters-discard');
    const before = (await bank.get(`/v1/jobs/${bank.jobId}`)).json;
    const receipt = (await bank.get(`/v1/jobs/${bank.jobId}/receipt`)).body;
    expect(await bank.post('/v1/dead-letters/discard', { job: bank.jobId, reason: ' ' })).toMatchObject({
      json: { code: 'E_REASON_REQUIRED' },
    });
    const preview = await bank.post('/v1/dead-letters/discard', { job: bank.jobId, reason: 'paid by hand', dryRun: true });
    expect(preview.json).toMatchObject({ records: 2, groups: [{ records: 2, expiresAt: expect.any(String) }] });
    expect((await bank.post('/v1/dead-letters/discard', { job: bank.jobId, reason: 'paid by hand' })).json).toEqual({ discarded: 2 });
    expect((await bank.get('/v1/dead-letters?state=discarded')).json.items).toMatchObject([
      { reason: 'paid by hand' },
      { reason: 'paid by hand' },
    ]);
    expect((await bank.get('/v1/dead-letters/groups')).json.items).toEqual([]);
    expect((await bank.post('/v1/redrives', { job: bank.jobId, reason: 'after all' })).json.code).toBe('E_REDRIVE_EMPTY');
    expect(before.next).toContain('dead-letter list');
    expect((await bank.get(`/v1/jobs/${bank.jobId}`)).json).toEqual({ ...before, next: null });
    expect((await bank.get(`/v1/jobs/${bank.jobId}/receipt`)).body).toBe(receipt);
  });

  it('are not discarded where others are open than the preview showed, and without its version all that are', async () => {
    const bank = await startBank('letters-discard-stale');
    const one = (await bank.get('/v1/dead-letters')).json.items[0].deadLetterId;
    const body = { flow: 'payments', reason: 'paid by hand' };
    const discard = (more: object = {}) => bank.post('/v1/dead-letters/discard', { ...body, ...more });
    const preview = async (of: object) => (await discard({ ...of, dryRun: true })).json;
    const [first, of] = [await preview({}), { flow: undefined, deadLetters: [one] }];
    // As if the other one had been given up since.
    const { records, version } = await preview(of);
    expect([records, first.records]).toEqual([1, 2]);
    expect(await discard({ version })).toMatchObject({ status: 409, json: { code: 'E_REDRIVE_STALE' } });
    expect((await bank.get('/v1/dead-letters?state=open')).json.items).toHaveLength(2);
    expect((await discard({ ...of, version })).json).toEqual({ discarded: 1 });
    expect((await discard({ version: first.version })).json.code).toBe('E_REDRIVE_STALE');
    expect((await discard()).json).toEqual({ discarded: 1 });
  });

  it('are discarded and sent again once where a request is repeated under its key without the version that it had', async () => {
    const bank = await startBank('letters-keyed-version');
    bank.open();
    const [one, other] = (await bank.get('/v1/dead-letters')).json.items.map((letter: { deadLetterId: string }) => letter.deadLetterId);
    for (const [path, letter] of [
      ['/v1/redrives', one],
      ['/v1/dead-letters/discard', other],
    ]) {
      const body = { deadLetters: [letter], reason: 'agreed' };
      const { version } = (await bank.post(path, { ...body, dryRun: true })).json;
      const key = { 'idempotency-key': path };
      const first = await bank.post(path, { ...body, version }, key);
      expect(first.status).toBe(200);
      expect(await bank.post(path, body, key)).toMatchObject({ status: 200, json: first.json });
    }
  });

  it('run under the version of the flow in force where a person says so, if it reads them alike', async () => {
    const bank = await startBank('letters-version');
    const [, , flow] = documents('') as [string, string, string];
    const transform = `transform:\n    - { id: shape, set: { id: record.id, account: "'0' + record.account" } }\n  routes:`;
    const mended = flow.replace('version: 1.0.0', 'version: 1.1.0').replace('routes:', transform);
    await bank.tenant.apply(flow.replace('version: 1.0.0', 'version: 1.0.1').replace('header: true', 'header: true, delimiter: ";"'));
    const request = { job: bank.jobId, reason: 'the flow was mended' };
    const refused = await bank.post('/v1/redrives', { ...request, currentVersion: true, dryRun: true });
    expect([refused.status, refused.json.code]).toEqual([409, 'E_REDRIVE_VERSION']);
    const moved = flow.replace('version: 1.0.0', 'version: 1.0.2').replace('record:\n', 'record:\n      key: [id]\n');
    await bank.tenant.apply(moved);
    expect((await bank.post('/v1/redrives', { ...request, currentVersion: true, dryRun: true })).json.code).toBe('E_REDRIVE_VERSION');
    await bank.tenant.apply(mended);
    const [own, current] = [
      await bank.post('/v1/redrives', { ...request, dryRun: true }),
      await bank.post('/v1/redrives', { ...request, currentVersion: true, dryRun: true }),
    ];
    expect([own.json.jobs, current.json.jobs]).toMatchObject([[{ flowVersion: '1.0.0' }], [{ flowVersion: '1.1.0' }]]);
    const stale = await bank.post('/v1/redrives', { ...request, currentVersion: true, version: own.json.version });
    expect(stale.json.code).toBe('E_REDRIVE_STALE');
    bank.open();
    const { json } = await bank.post('/v1/redrives', { ...request, currentVersion: true, version: current.json.version });
    const { jobId } = json.jobs[0];
    expect(await server.settle(bank.key, jobId)).toMatchObject({ state: 'completed', flowVersion: '1.1.0' });
    expect(bank.taken.slice(-2).map(({ body }) => body['account'])).toEqual(['062000009', '062000019']);
    const { files } = await servedExport(server, bank.tenant, jobId);
    expect(await verifiedBy(server, files)).toMatchObject({ isSound: true, failures: [] });
    expect((await bank.get(`/v1/jobs/${bank.jobId}/lineage`)).json).toMatchObject({ balanced: true });
  });

  it('of another tenant, or none at all, answer alike: they are not there', async () => {
    const bank = await startBank('letters-mine');
    const other = await startBank('letters-theirs');
    const [letter] = (await other.get('/v1/dead-letters')).json.items;
    for (const path of ['/v1/redrives', '/v1/dead-letters/discard'])
      for (const dryRun of [true, false]) {
        const probe = await bank.post(path, { deadLetters: [letter.deadLetterId], reason: 'probe', dryRun });
        const unknown = await bank.post(path, { deadLetters: [systemPorts.ids.next()], reason: 'probe', dryRun });
        expect([probe.status, probe.json.code, unknown.status, unknown.json.code]).toEqual([
          404,
          'E_DEAD_LETTER_UNKNOWN',
          404,
          'E_DEAD_LETTER_UNKNOWN',
        ]);
      }
    for (const which of [{ group: letter.groupId }, { job: other.jobId }])
      expect((await bank.post('/v1/redrives', { ...which, reason: 'probe' })).json.code).toBe('E_REDRIVE_EMPTY');
    expect((await bank.get(`/v1/dead-letters/groups?group=${letter.groupId}`)).json.items).toEqual([]);
    expect((await other.get('/v1/dead-letters?state=open')).json.items).toHaveLength(2);
  });

  it('show no masked field by a repair, neither by its result nor to a key that may not read records', async () => {
    const bank = await startBank('letters-masks');
    const copy = { flow: 'payments', set: { note: 'record.account' }, reason: 'look', dryRun: true };
    expect((await bank.post('/v1/redrives', copy)).json).toMatchObject({ code: 'E_REPAIR_MASK' });
    const guess = { ...copy, set: { note: "record.account.startsWith('6') ? 'yes' : 'no'" } };
    expect((await bank.post('/v1/redrives', guess)).json).toMatchObject({ code: 'E_REPAIR_MASK' });
    const operator = await bank.tenant.makeKey(['jobs:operate']);
    const repair = { flow: 'payments', set: { note: "'x'" }, reason: 'look', dryRun: true };
    const asOperator = (body: object) => server.request('/v1/redrives', { key: operator, method: 'POST', body });
    expect(await asOperator(repair)).toMatchObject({ status: 403, json: { code: 'E_FORBIDDEN' } });
    const { set: _, ...plain } = repair;
    expect((await asOperator(plain)).status).toBe(200);
    expect((await bank.post('/v1/redrives', { ...repair, set: { nope: "'x'" } })).json).toMatchObject({ code: 'E_REPAIR' });
  });

  it('answer no question about a masked field to a key that may not see it', async () => {
    const bank = await startBank('letters-questions');
    const operator = await bank.tenant.makeKey(['jobs:operate', 'records:read']);
    const asked = async (set: Record<string, string>, key = operator, more: object = {}) => {
      const body = { flow: 'payments', set, reason: 'ask', dryRun: true, ...more };
      return (await server.request('/v1/redrives', { key, method: 'POST', body })).json;
    };
    for (const account of [
      "record.account.startsWith('62') ? record.account : 'x'",
      "'xxxx' + record.account.substring(0, 4)",
      "record.account.endsWith('09') ? '' : '1'",
      "has(record.account) ? '1' : '2'",
    ]) {
      expect(await asked({ account })).toMatchObject({ code: 'E_REPAIR_MASK' });
      expect(await asked({ account }, operator, { dryRun: false })).toMatchObject({ code: 'E_REPAIR_MASK' });
      expect(await asked({ account }, await bank.tenant.makeKey(['admin']))).toMatchObject({ code: 'E_REPAIR_MASK' });
      expect((await asked({ account }, bank.key)).chosen).toMatchObject({ records: 2 });
    }
    // A text may be given to it, and is shown as a change also where it is the one that was guessed.
    const guessed = await asked({ account: "'62000009'" });
    expect(guessed).toMatchObject({ changed: 2, sent: { records: 2 } });
    expect(guessed.members.map(({ changes }: { changes: object[] }) => changes)).toEqual([
      [{ field: 'account', before: '****0009', after: '****0009' }],
      [{ field: 'account', before: '****0019', after: '****0009' }],
    ]);
  });
});
