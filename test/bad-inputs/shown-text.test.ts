/** What was sent as text comes back as text, and what must not be kept is kept nowhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopes } from '../../src/platform/access/api-keys.ts';
import { createLogger } from '../../src/platform/telemetry/logger.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type Answer, type RunningTestServer, startTestServer, type TestTenant, testFlow } from '../support/running-server.ts';

const markup = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "';alert(1)//",
  '</textarea><svg/onload=alert(1)>',
  '{{constructor.constructor("alert(1)")()}}',
  '\u2028alert(1)\u2029',
  '<!--\r\n\r\n<html>',
];

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let key: string;
const logged: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  const logger = createLogger({ level: 'trace', destination: { write: (line) => void logged.push(line) } });
  server = await startTestServer(database, {}, logger);
  tenant = await server.tenant('alpha');
  key = await tenant.makeKey(scopes);
  const [out, flow] = testFlow({ root: server.out });
  await tenant.apply(
    out!,
    flow!.replace('account: { type: string, required: true, class: account, mask: last4 }', 'account: { type: string, required: true }'),
  );
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const get = (path: string) => server.request(path, { key });
const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;

describe('markup in records (D7)', () => {
  let jobId: string;
  beforeAll(async () => {
    const good = markup.map((text, at) => `P${at},${cell(text)},1.00\n`);
    const bad = markup.map((text, at) => `P9${at},x,${cell(text)}\n`);
    const { json } = await server.upload(key, {
      flow: 'payments',
      name: 'a.csv',
      body: `id,account,amount\n${[...good, ...bad].join('')}`,
    });
    jobId = json.jobId;
    expect((await server.settle(key, jobId)).records).toMatchObject({ valid: markup.length, rejected: markup.length });
  });

  const expectNeverShown = (answer: Answer) => {
    expect([answer.status, answer.type]).toEqual([200, 'application/json']);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(answer.headers.get('x-frame-options')).toBe('DENY');
  };

  it('is data in JSON that a browser neither sniffs nor shows', async () => {
    for (const [at, text] of markup.entries()) {
      const answer = await get(`/v1/jobs/${jobId}/records/${at + 1}`);
      expectNeverShown(answer);
      expect(answer.json.fields.account).toBe(text);
    }
  });

  it('is in no finding and no list of records', async () => {
    for (const path of ['errors', 'records', 'receipt']) {
      const answer = await get(`/v1/jobs/${jobId}/${path}`);
      expectNeverShown(answer);
      for (const text of markup) expect(JSON.stringify(answer.json)).not.toContain(JSON.stringify(text).slice(1, -1));
    }
    expect((await get(`/v1/jobs/${jobId}/errors`)).json.items).toHaveLength(markup.length);
  });

  it('is delivered unchanged', () => {
    expect(
      linesOf(join(server.out, 'out'))
        .map((line) => JSON.parse(line).account)
        .toSorted(),
    ).toEqual(markup.toSorted());
  });
});

function linesOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean));
}

describe('markup in what the API refuses (D7)', () => {
  it.each(markup)('such as %j comes back in no problem as markup, and as JSON only', async (text) => {
    const encoded = encodeURIComponent(text);
    const paths = [`/v1/jobs?flow=${encoded}`, `/v1/jobs?${encoded}=1`, `/v1/jobs/${encoded}`, `/v1/flows/${encoded}`, `/${encoded}`];
    for (const path of paths) {
      const answer = await server.request(path, { key, isUndescribed: true });
      expect(answer.type, path).toMatch(/^application\/(problem\+)?json$/);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
    const body = { kind: text, text };
    const posted = await server.request('/v1/flows', { key, method: 'POST', body });
    expect([posted.status, posted.type]).toEqual([400, 'application/problem+json']);
  });
});

describe('a secret that is written out in a definition (C6)', () => {
  it('is refused, not repeated, not logged and not stored', async () => {
    const secret = 'hunter2-written-out';
    const texts = [
      `spec: { type: http, baseUrl: "https://bank.example/", auth: { type: bearer, token: ${secret} } }`,
      `spec: { type: http, baseUrl: "https://me:${secret}@bank.example/" }`,
      `spec: { type: postgres, host: h, database: d, user: u, password: ${secret} }`,
      `spec: { type: postgres, host: h, database: d, user: u, password: "env:A", options: "-c ${secret}" }`,
    ];
    for (const spec of texts) {
      const text = `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: alpha, name: inline }\n${spec}\n`;
      for (const dryRun of [true, false]) {
        const answer = await server.request('/v1/flows', { key, method: 'POST', headers: { 'if-match': '*' }, body: { text, dryRun } });
        expect(answer.status).toBe(422);
        expect(answer.body).not.toContain(secret);
      }
    }
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join('\n')).not.toContain(secret);
    const { rows } = await database.adminDb.query<{ name: string }>(
      "/* list tables */ select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'headgate'",
    );
    for (const { name } of rows) {
      const found = await database.adminDb.query(`/* search */ select from ${name} t where t::text like '%' || $1 || '%'`, [secret]);
      expect([name, found.rowCount]).toEqual([name, 0]);
    }
  });
});
