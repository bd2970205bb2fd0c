/**
 * What banks answer, hours later, to files that they were sent: matched to the deliveries of the tenant, with what was refused and
 * why, what is overdue, and what matches nothing.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answerDocuments, smallFlow } from '../support/answer-flows.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { auditJob } from '../support/job-audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant } from '../support/running-server.ts';
import { payment, report, transaction } from '../support/status-reports.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let other: TestTenant;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  tenant = await server.tenant('bank-za');
  other = await server.tenant('bank-ke');
  for (const each of [tenant, other]) {
    mkdirSync(join(server.out, each.name), { recursive: true });
    await each.apply(...answerDocuments(join(server.out, each.name)));
  }
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

async function sent(
  owner: TestTenant,
  ids: readonly string[],
  flow = 'eft-out',
): Promise<{ readonly jobId: string; readonly batchId: string; readonly name: string }> {
  const content = ['paymentId,name,amount', ...ids.map((id, index) => `${id},"Person, ${index}",${index + 1}.50`), ''].join('\n');
  const { json } = await server.upload(owner.key, { flow, name: `in-${ids[0]}.csv`, body: content });
  await server.settle(owner.key, json.jobId);
  const list = await server.request(`/v1/batches?job=${json.jobId}`, { key: owner.key });
  const { batchId } = list.json.items[0];
  const batch = await server.request(`/v1/batches/${batchId}`, { key: owner.key });
  expect(batch.json.answer).toMatchObject({ state: 'awaited', unanswered: ids.length });
  expect(readdirSync(join(server.out, owner.name, flow === 'eft-out' ? 'bank' : 'grouped'))).toContain(batch.json.answer.name);
  return { jobId: json.jobId, batchId, name: batch.json.answer.name };
}

/** The job that took the report, closed. */
async function reported(owner: TestTenant, body: string, flow = 'bank-reports', name = 'report.xml') {
  const { json } = await server.upload(owner.key, { flow, name, body });
  return await server.settle(owner.key, json.jobId);
}

/** The job that took the answers, closed. */
const answered = (owner: TestTenant, lines: readonly string[], name = 'answer.csv') =>
  reported(owner, ['file,payment,result,why,text', ...lines, ''].join('\n'), 'bank-answers', name);

const answerOf = async (owner: TestTenant, batchId: string) =>
  (await server.request(`/v1/batches/${batchId}`, { key: owner.key })).json.answer;

/** In their order, once the last of these is among them. */
async function eventsOf(
  owner: TestTenant,
  batchId: string,
  last: string,
): Promise<readonly { type: string; detail: Record<string, unknown> }[]> {
  return await vi.waitUntil(
    async () => {
      const { json } = await server.request(`/v1/events?about=${batchId}&limit=200`, { key: owner.key });
      const found = json.items.filter(({ type }: { type: string }) => type.startsWith('answer.'));
      return found.some(({ type }: { type: string }) => type === last) ? found : undefined;
    },
    { timeout: 60_000 },
  );
}

const typesOf = async (...wanted: Parameters<typeof eventsOf>) => (await eventsOf(...wanted)).map(({ type }) => type).sort();

describe('status reports', () => {
  it('without transactions answer every record of the file', async () => {
    const accepted = await sent(tenant, ['G1', 'G2']);
    const refused = await sent(tenant, ['H1', 'H2', 'H3']);
    for (const [{ name }, status] of [[accepted, 'ACSC'] as const, [refused, 'RJCT'] as const])
      expect((await reported(tenant, report(name.replace('.csv', ''), status, ''))).state).toBe('completed');
    expect(await answerOf(tenant, accepted.batchId)).toMatchObject({ state: 'complete', accepted: 2 });
    expect(await answerOf(tenant, refused.batchId)).toMatchObject({ state: 'complete', refused: 3, refusedAsWhole: '' });
  });

  it('with PART answer those that they list, and the rest stays unanswered', async () => {
    const { jobId, batchId, name } = await sent(tenant, ['P1', 'P2', 'P3', 'P4']);
    const listed = [transaction('P1', 'ACSP'), transaction('P2', 'RJCT', 'AC01'), transaction('P3', 'PDNG')].join('');
    const job = await reported(tenant, report(name.replace('.csv', ''), 'PART', payment('any', '', listed)));
    expect(job.state).toBe('completed');
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'awaited', accepted: 1, refused: 1, pending: 1, unanswered: 1 });
    const refusals = await server.request(`/v1/batches/${batchId}/refusals`, { key: tenant.key });
    expect(refusals.json.items).toMatchObject([{ jobId, record: 2, code: 'AC01', answerJobId: job.jobId, answerRecord: 3 }]);
  });

  it('that accept a file but for what they list are no contradiction, and later ones about the same records are', async () => {
    const { batchId, name } = await sent(tenant, ['Q1', 'Q2', 'Q3']);
    const message = name.replace('.csv', '');
    expect((await reported(tenant, report(message, 'ACSP', payment('any', '', transaction('Q2', 'RJCT', 'AM04'))))).state).toBe(
      'completed',
    );
    expect(await answerOf(tenant, batchId)).toMatchObject({
      state: 'complete',
      accepted: 2,
      refused: 1,
      refusedAsWhole: null,
      contradictions: 0,
    });
    expect((await reported(tenant, report(message, '', payment('any', '', transaction('Q3', 'RJCT', 'AM04'))))).state).toBe(
      'completed_with_failures',
    );
    expect(await answerOf(tenant, batchId)).toMatchObject({ accepted: 2, refused: 1, contradictions: 1 });
  });

  it('whose parts are matched one after the other say the same as in one, also where a part takes back what was complete', async () => {
    await tenant.apply(
      answerDocuments(join(server.out, tenant.name))
        .at(-1)!
        .replace('name: bank-reports', 'name: part-reports')
        .replace('type: answers,', 'type: answers, batch: { size: 1 },'),
    );
    const { batchId, name } = await sent(tenant, ['Person 0', 'Person 1', 'Person 2'], 'grouped-out');
    const body = report(
      name.replace('.ndjson', ''),
      'RJCT',
      [
        payment('Person, 0', 'RJCT', transaction('Person 0', 'PDNG')),
        payment('Person, 1', 'ACSC', transaction('Person 1', 'ACSC')),
        payment('Person, 2', 'ACSC') + payment('Person, 2', 'RJCT'),
      ].join(''),
    );
    const { json } = await server.upload(tenant.key, { flow: 'part-reports', name: 'parts.xml', body });
    expect(await server.settle(tenant.key, json.jobId)).toMatchObject({
      state: 'completed_with_failures',
      targets: { matched: { delivered: 6, refused: 1 } },
    });
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'awaited', pending: 1, unanswered: 0, contradictions: 1 });
    // In which order the parts are matched is nobody's promise, and with it how often something new was said, and whether all was said at once.
    const types = await typesOf(tenant, batchId, 'answer.contradicted');
    expect(types).toEqual(expect.arrayContaining(['answer.expected', 'answer.received']));
    expect(types.filter((type) => type === 'answer.contradicted')).toHaveLength(1);
    await answered(tenant, [`${batchId},,OK,,`], 'unknown-to-this-flow.csv');
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'awaited', pending: 1 });
  });

  it('that say otherwise of a payment information than of the message mean the payment information', async () => {
    const { batchId, name } = await sent(tenant, ['L1', 'L2', 'L3'], 'grouped-out');
    const body = report(name.replace('.ndjson', ''), 'ACCP', payment('Person, 1', 'RJCT') + payment('Person, 2', 'PDNG'));
    expect(await reported(tenant, body)).toMatchObject({ state: 'completed', targets: { matched: { delivered: 3 } } });
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'awaited', accepted: 1, refused: 1, pending: 1, contradictions: 0 });
  });

  it('about one transaction without its end-to-end identification are about no other', async () => {
    const { batchId, name } = await sent(tenant, ['U1', 'U2', 'U3'], 'grouped-out');
    const nameless = '<TxInfAndSts><OrgnlInstrId>I-1</OrgnlInstrId><TxSts>RJCT</TxSts></TxInfAndSts>';
    const job = await reported(tenant, report(name.replace('.ndjson', ''), '', payment('Person, 1', '', nameless)));
    expect(job.targets.matched).toMatchObject({ delivered: 0, refused: 1 });
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'awaited', refused: 0, pending: 1, unanswered: 2 });
  });

  it('that accept a file but for what can not be matched leave that open, and a re-drive by a corrected flow settles it', async () => {
    const { batchId, name } = await sent(tenant, ['O1', 'O2', 'O2', 'O3']);
    const listed = transaction('O1', 'RJXX') + transaction('O2', 'RJCT');
    const flow = answerDocuments(join(server.out, tenant.name)).at(-1)!.replace('name: bank-reports', 'name: odd-reports');
    await tenant.apply(flow);
    const job = await reported(tenant, report(name.replace('.csv', ''), 'ACSP', payment('any', '', listed)), 'odd-reports');
    expect(job.targets.matched).toMatchObject({ delivered: 1, refused: 2 });
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'awaited', accepted: 1, refused: 0, pending: 3, unanswered: 0 });
    await tenant.apply(flow.replace('1.0.0', '1.1.0').replace('type: answers,', 'type: answers, refused: [RJCT, RJXX],'));
    const operator = await tenant.makeKey(['jobs:operate', 'jobs:read', 'records:read', 'records:reveal']);
    const body = { job: job.jobId, reason: 'the status is known now', currentVersion: true };
    const { json } = await server.request('/v1/redrives', { key: operator, method: 'POST', body });
    await server.settle(tenant.key, json.jobs[0].jobId);
    expect(await answerOf(tenant, batchId)).toMatchObject({ accepted: 1, refused: 1, pending: 2, contradictions: 0 });
  });

  it('that are final of many settle what an earlier report said was pending', async () => {
    const { batchId, name } = await sent(tenant, ['Z1', 'Z2', 'Z3']);
    const message = name.replace('.csv', '');
    const listed = ['Z1', 'Z2'].map((id) => transaction(id, 'PDNG')).join('');
    await reported(tenant, report(message, 'PART', payment('any', '', listed)));
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'awaited', pending: 2, unanswered: 1 });
    expect((await reported(tenant, report(message, 'RJCT', ''))).state).toBe('completed');
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'complete', refused: 3, refusedAsWhole: '' });
  });

  it('answer the records of a payment information at once', async () => {
    const { batchId, name } = await sent(tenant, ['K1', 'K2', 'K3'], 'grouped-out');
    const payments = [payment('Person, 0', 'RJCT'), payment('Person, 1', 'ACCP'), payment('Person, 9', 'ACCP')].join('');
    const job = await reported(tenant, report(name.replace('.ndjson', ''), '', payments));
    expect([job.state, job.targets.matched]).toMatchObject(['completed_with_failures', { delivered: 2, refused: 1 }]);
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'awaited', accepted: 1, refused: 1, unanswered: 1 });
  });
});

describe('answers in CSV', () => {
  it('about a file as a whole are matched by its name, with its ending or without', async () => {
    const first = await sent(tenant, ['W1', 'W2', 'W3']);
    const second = await sent(tenant, ['X1', 'X2']);
    const lines = [`${first.name},,OK,,`, `${second.name.replace(/\.csv$/, '')},,NOK,AC04,`];
    expect((await answered(tenant, lines)).state).toBe('completed');
    expect(await answerOf(tenant, first.batchId)).toMatchObject({ state: 'complete', accepted: 3, refused: 0, refusedAsWhole: null });
    expect(await answerOf(tenant, second.batchId)).toMatchObject({ state: 'complete', accepted: 0, refused: 2, refusedAsWhole: 'AC04' });
    expect(await typesOf(tenant, first.batchId, 'answer.completed')).toEqual(['answer.completed', 'answer.expected']);
  });

  it('are matched by a name that could be the id of a batch, as one of 32 digits', async () => {
    await tenant.apply(
      smallFlow(
        'digits-out',
        'bank: { type: file, connection: out, path: digits, name: "2026112914{sequence:22}.{extension}", answers: { within: 1h } }',
      ),
      smallFlow(
        'digits-answers',
        'matched: { type: answers, of: [{ flow: digits-out, target: bank }], file: out.id, status: out.name, accepted: [OK] }',
      ),
    );
    const { json } = await server.upload(tenant.key, { flow: 'digits-out', name: 'digits.csv', body: 'id,name\nA,Jane\n' });
    await server.settle(tenant.key, json.jobId);
    const said = await reported(tenant, `id,name\n2026112914${'1'.padStart(22, '0')},OK\n`, 'digits-answers', 'about-digits.csv');
    expect([said.state, said.targets.matched.delivered]).toEqual(['completed', 1]);
  });

  it('about single records accept, refuse with a reason and leave pending, and what was delivered stays delivered', async () => {
    const { jobId, batchId, name } = await sent(tenant, ['R1', 'R2', 'R3', 'R4']);
    const job = await answered(tenant, [`${name},R1,OK,,`, `${name},R3,NOK,AC01,Account of Jane Roe is closed`, `${name},R4,WAIT,,`]);
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'awaited', accepted: 1, refused: 1, pending: 1, unanswered: 1 });
    const refusals = await server.request(`/v1/batches/${batchId}/refusals`, { key: tenant.key });
    expect(refusals.json.items).toMatchObject([{ position: 2, jobId, record: 3, code: 'AC01', answerJobId: job.jobId, answerRecord: 2 }]);
    const { targets } = (await server.request(`/v1/jobs/${jobId}`, { key: tenant.key })).json;
    expect(targets.bank).toMatchObject({
      delivered: 4,
      answers: { batches: { awaited: 1, overdue: 0, complete: 0 }, accepted: 1, refused: 1, pending: 1, unanswered: 1 },
    });
    await answered(tenant, [`,R2,OK,,`, `,R4,NOK,AM04,`]);
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'complete', accepted: 2, refused: 2 });
    expect((await auditJob(server, tenant, jobId)).report).toMatchObject({ isSound: true, failures: [] });
    expect((await auditJob(server, tenant, job.jobId)).report).toMatchObject({ isSound: true, failures: [] });
    const listed = await server.request('/v1/batches?answer=refused', { key: tenant.key });
    expect(listed.json.items.map((each: { batchId: string }) => each.batchId)).toContain(batchId);
  });

  it('about one of several records that have its key are about none', async () => {
    const { batchId, name } = await sent(tenant, ['D1', 'D1', 'D2', 'D3', 'D3']);
    const job = await answered(
      tenant,
      ['D1,NOK', 'D2,OK', 'D3,OK', 'D3,OK'].map((said) => `${name},${said},,`),
    );
    expect(job.targets.matched).toMatchObject({ delivered: 3, refused: 1 });
    expect(await answerOf(tenant, batchId)).toMatchObject({ accepted: 3, refused: 0, pending: 2 });
  });

  it('that come twice change nothing, and one that contradicts is listed and told', async () => {
    const { batchId, name } = await sent(tenant, ['T1', 'T2']);
    const lines = [`${name},T1,OK,,`, `${name},T2,NOK,AC01,`];
    await answered(tenant, lines);
    const before = await answerOf(tenant, batchId);
    expect(await answered(tenant, lines, 'again.csv')).toMatchObject({ state: 'completed' });
    expect(await answerOf(tenant, batchId)).toEqual(before);
    const says = (said: string) => `${name},${said},,`;
    const late = await answered(tenant, ['T1,WAIT', 'T2,OK', 'T2,OK', 'T1,OK', 'T1,OK'].map(says), 'contradicting.csv');
    expect([late.state, late.targets.matched]).toMatchObject(['completed_with_failures', { delivered: 3, refused: 2 }]);
    expect(await answerOf(tenant, batchId)).toMatchObject({ accepted: 1, refused: 1, contradictions: 2 });
    const { json } = await server.request(`/v1/dead-letters?job=${late.jobId}`, { key: tenant.key });
    const told = json.items.map(({ code, recordNumber }: { code: string; recordNumber: number }) => `${code} ${recordNumber}`);
    expect(told.sort()).toEqual(['E_ANSWER_CONTRADICTS 2', 'E_ANSWER_CONTRADICTS 3']);
    expect(await typesOf(tenant, batchId, 'answer.contradicted')).toEqual(['answer.completed', 'answer.contradicted', 'answer.expected']);
  });

  it('that name nothing that was delivered, or what another tenant delivered, are listed one by one', async () => {
    const { batchId, name } = await sent(tenant, ['N1']);
    const foreign = await sent(other, ['F1', 'F2']);
    const job = await answered(tenant, [
      `EFT9999.csv,N1,OK,,`,
      `${foreign.batchId},F1,OK,,`,
      ',F2,NOK,,',
      `${name},N2,OK,,`,
      `${name},N1,MAYBE,,`,
      ',,OK,,',
    ]);
    expect([job.state, job.targets.matched]).toMatchObject(['completed_with_failures', { refused: 6, delivered: 0 }]);
    const { json } = await server.request(`/v1/dead-letters?job=${job.jobId}`, { key: tenant.key });
    expect(json.items.map(({ code }: { code: string }) => code).sort()).toEqual([
      'E_ANSWER_STATUS',
      ...Array(4).fill('E_ANSWER_UNMATCHED'),
      'E_ANSWER_UNNAMED',
    ]);
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'awaited', pending: 1 });
    expect(await answerOf(other, foreign.batchId)).toMatchObject({ state: 'awaited', unanswered: 2 });
  });

  it('that come before their delivery is written down are matched once it is', async () => {
    let answer = () => {};
    const sink = await startHttpSink(() => new Promise((resolve) => (answer = () => resolve({ status: 200 }))));
    await tenant.apply(
      'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { egress: { allowPrivate: [127.0.0.0/8], allowPlain: true } }\n',
      `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: api }\nspec: { type: http, baseUrl: "${sink.url}" }\n`,
      smallFlow('instant-out', 'bank: { type: http, connection: api, path: /pay, timeout: 60s, answers: { within: 1h, key: out.id } }'),
      smallFlow(
        'instant-answers',
        'matched: { type: answers, of: [{ flow: instant-out, target: bank }], key: out.id, status: out.name, accepted: [OK] }',
      ),
    );
    const sending = await server.upload(tenant.key, { flow: 'instant-out', name: 'instant.csv', body: 'id,name\nI1,Jane\nI2,Joe\n' });
    await vi.waitUntil(() => sink.requests.length === 1, { timeout: 60_000 });
    const early = await server.upload(tenant.key, { flow: 'instant-answers', name: 'early.csv', body: 'id,name\nI1,OK\nI3,OK\n' });
    const letters = async () => (await server.request(`/v1/dead-letters?job=${early.json.jobId}`, { key: tenant.key })).json.items;
    const batches = async () => (await server.request(`/v1/batches?job=${early.json.jobId}`, { key: tenant.key })).json.items;
    await vi.waitUntil(async () => (await batches())[0]?.attempts === 1 && (await batches())[0].state !== 'sending', { timeout: 60_000 });
    expect(await letters()).toEqual([]);
    answer();
    await server.settle(tenant.key, sending.json.jobId);
    const job = await server.settle(tenant.key, early.json.jobId);
    expect([job.state, job.targets.matched]).toMatchObject(['completed_with_failures', { delivered: 1, refused: 1 }]);
    expect(await letters()).toMatchObject([{ recordNumber: 2, code: 'E_ANSWER_UNMATCHED' }]);
    const [batch] = (await server.request(`/v1/batches?job=${sending.json.jobId}`, { key: tenant.key })).json.items;
    expect(await answerOf(tenant, batch.batchId)).toMatchObject({ state: 'awaited', name: null, accepted: 1, unanswered: 1 });
    await sink.close();
  });

  it('that matched nothing are matched by a re-drive, once there is what they are about', async () => {
    const early = await answered(tenant, [',V1,NOK,AC06,'], 'too-early.csv');
    expect(early.state).toBe('completed_with_failures');
    const { batchId } = await sent(tenant, ['V1']);
    const operator = await tenant.makeKey(['jobs:operate', 'jobs:read', 'records:read', 'records:reveal']);
    const body = { job: early.jobId, reason: 'the file was sent meanwhile' };
    const redrive = await server.request('/v1/redrives', { key: operator, method: 'POST', body });
    expect([redrive.status, redrive.json]).toMatchObject([200, { records: 1 }]);
    const [{ jobId }] = redrive.json.jobs;
    expect((await server.settle(tenant.key, jobId)).state).toBe('completed');
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'complete', refused: 1 });
    const refusals = await server.request(`/v1/batches/${batchId}/refusals`, { key: tenant.key });
    expect(refusals.json.items).toMatchObject([{ record: 1, code: 'AC06', answerJobId: jobId }]);
  });

  it('refuse more records than a page holds, page by page', async () => {
    const { batchId, name } = await sent(tenant, ['Y1', 'Y2', 'Y3', 'Y4', 'Y5']);
    await answered(
      tenant,
      ['Y5', 'Y1', 'Y3'].map((id) => `${name},${id},NOK,MS03,`),
    );
    const page = async (query: string) =>
      (await server.request(`/v1/batches/${batchId}/refusals?limit=2${query}`, { key: tenant.key })).json;
    const first = await page('');
    const second = await page(`&cursor=${first.nextCursor}`);
    expect([first, second].map(({ items }) => items.map(({ record }: { record: number }) => record))).toEqual([[1, 3], [5]]);
    expect(second.nextCursor).toBeNull();
    expect((await server.request(`/v1/batches/${batchId}/refusals?cursor=bm90aGluZw`, { key: tenant.key })).status).toBe(400);
  });

  it('are a target that is well, has a place in the list of targets, and takes no connection', async () => {
    const { json } = await server.request('/v1/targets?flow=bank-answers', { key: tenant.key });
    expect(json.items).toMatchObject([{ targetId: 'matched', type: 'answers', connection: null }]);
    const operator = await tenant.makeKey(['jobs:operate', 'jobs:read', 'flows:read']);
    const probed = await server.request('/v1/health/probe', { key: operator, method: 'POST', body: { flow: 'bank-answers' } });
    expect(probed.json.items).toMatchObject([{ kind: 'target', id: 'matched', state: 'healthy', code: null }]);
  });

  it('that are not there in time are overdue, with an event, and are matched when they come after all', async () => {
    const { batchId, name } = await sent(tenant, ['L1', 'L2']);
    await answered(tenant, [`${name},L1,OK,,`]);
    await database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + interval '2 hours'");
    const [overdue] = (await eventsOf(tenant, batchId, 'answer.overdue')).filter(({ type }) => type === 'answer.overdue');
    expect(overdue!.detail).toMatchObject({ target: 'bank', records: 2, accepted: 1, unanswered: 1 });
    expect(await answerOf(tenant, batchId)).toMatchObject({
      state: 'overdue',
      isLate: false,
      next: expect.stringContaining('Ask the downstream'),
    });
    const listed = await server.request('/v1/batches?answer=overdue', { key: tenant.key });
    expect(listed.json.items.map((each: { batchId: string }) => each.batchId)).toContain(batchId);
    expect((await server.request('/metrics')).body).toMatch(
      /headgate_answers_overdue_total\{tenant="bank-za",flow="eft-out",target="bank"\} [1-9]/,
    );
    await answered(tenant, [`${name},L2,NOK,,`], 'late.csv');
    expect(await answerOf(tenant, batchId)).toMatchObject({ state: 'complete', accepted: 1, refused: 1, isLate: true });
    const [completed] = (await eventsOf(tenant, batchId, 'answer.completed')).filter(({ type }) => type === 'answer.completed');
    expect(completed!.detail).toMatchObject({ late: true });
  });
});
