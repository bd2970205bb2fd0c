/** The rule for every bad input: the process lives, others go on, each has a code, nothing of it is repeated in the log. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createLogger } from '../../src/platform/telemetry/logger.ts';
import { pack, zstdOfWindow } from '../support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../support/running-server.ts';

const marker = `hostile${randomBytes(12).toString('hex')}`;
const header = 'id,account,amount\n';

interface Hostile {
  readonly body: string | Uint8Array;
  readonly flow?: string;
  readonly name?: string;
  readonly headers?: Record<string, string>;
}

const gzip = { 'content-encoding': 'gzip' };
const zstd = { 'content-encoding': 'zstd' };
const hostile: Readonly<Record<string, Hostile>> = {
  'a name that is a path': { body: header, name: `../../${marker}` },
  'a name with a line end': { body: header, name: `${marker}\nx` },
  'a bomb': { body: pack.gzip(Buffer.alloc(60 * 1024 * 1024)), headers: gzip },
  'a bomb of zstd': { body: pack.zstd(Buffer.alloc(60 * 1024 * 1024)), headers: zstd },
  'a window of 2 GiB': { body: await zstdOfWindow(`${header}${marker}`, 31), headers: zstd },
  'a cut archive': { body: pack.gzip(`${header}${marker}`).subarray(0, 30), headers: gzip },
  'a cut archive of zstd': { body: pack.zstd(`${header}${marker}`).subarray(0, 30), headers: zstd },
  'no archive': { body: `${header}${marker}`, headers: gzip },
  'no bytes': { body: '' },
  'a byte order mark': { body: '\ufeff' },
  'a header row only': { body: header },
  'another header row': { body: `${marker},b\n1,2\n` },
  'a column twice': { body: `id,id,account,amount\n${marker},1,2,3\n` },
  'UTF-16': { body: Buffer.from(`\ufeff${header}${marker},1,1.00\n`, 'utf16le') },
  'Latin-1': { body: Buffer.from(`${header}P1,M\xfcller ${marker},1.00\n`, 'latin1') },
  'random bytes': { body: Buffer.concat([Buffer.from(header), randomBytes(300_000)]) },
  'an open quote': { body: `${header}P1,"${marker},1.00\n${'P2,2,2.00\n'.repeat(1_000)}` },
  'quotes everywhere': { body: `${header}${`P1,a"${marker}"b,1.00\n`.repeat(100)}` },
  'a line of twenty megabytes': { body: `${header}P1,${marker.padEnd(20_000_000, 'x')},1.00\n` },
  'a hundred thousand columns': { body: `${header}P1${`,${marker}`.repeat(100_000)}\n` },
  NUL: { body: `${header}P1,\u0000${marker}\u0000,1.00\n` },
  'amounts that are none': {
    body: `${header}${['1e3', '1,000.00', marker, 'NaN', '', '\u0663'].map((text, at) => `P${at},1,"${text}"\n`).join('')}`,
  },
  'formulas and markup': { body: `${header}P1,"=cmd|'/c calc'!${marker}",1.00\nP2,<script>${marker}</script>,1.00\n` },
  'a nest of JSON': { flow: 'lines', body: `{"id":"P1","x":${'['.repeat(100_000)}${marker}` },
  'keys of JavaScript': { flow: 'lines', body: `{"id":"P1","__proto__":{"${marker}":1},"constructor":{}}\n` },
  'a key twice': { flow: 'lines', body: `{"id":"P1","id":"${marker}","account":"1","amount":1}\n` },
  'no JSON': { flow: 'lines', body: `${marker}\n{"id":\n]\n` },
};

let database: TestDatabase;
let server: RunningTestServer;
let bad: TestTenant;
let good: TestTenant;
const logged: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  const logger = createLogger({ level: 'trace', destination: { write: (line) => void logged.push(line) } });
  server = await startTestServer(database, {}, logger);
  [bad, good] = [await server.tenant('hostile'), await server.tenant('orderly')];
  const [out, flow] = testFlow({ root: server.out });
  const lines = testFlow({ name: 'lines' })[1]!;
  await bad.apply(out!, flow!, lines.replace(/format: .*/, 'format: { type: json-lines }'));
  await good.apply(out!, flow!);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

it('all of them at once, beside the file of another tenant', async () => {
  const names = Object.keys(hostile);
  const uploads = names.map(async (what, at) => {
    const { body, flow = 'payments', name = `bad-${at}.csv`, headers } = hostile[what]!;
    return { what, answer: await server.upload(bad.key, { flow, name, body, headers }) };
  });
  const orderly = await server.upload(good.key, { flow: 'payments', name: 'good.csv', body: testRows(2_000, 0, 1) });
  expect(orderly.status).toBe(201);
  expect(await server.settle(good.key, orderly.json.jobId)).toMatchObject({
    state: 'completed',
    balanced: true,
    records: { valid: 2_000 },
  });

  const answers = await Promise.all(uploads);
  for (const { what, answer } of answers) {
    expect([201, 422], what).toContain(answer.status);
    if (answer.status === 422) expect(answer.json.code, what).toMatch(/^E_[A-Z_]+$/);
  }
  const accepted = answers.filter(({ answer }) => answer.status === 201);
  for (const { what, answer } of accepted) {
    const job = await server.settle(bad.key, answer.json.jobId);
    expect(['held', 'rejected', 'completed'], what).toContain(job.state);
    const findings = (await server.request(`/v1/jobs/${answer.json.jobId}/errors`, { key: bad.key })).json.items;
    // What went through is only what is text to the flow; the rest says why, and where.
    if (job.state === 'completed' && job.records.rejected === 0) expect(what).toBe('formulas and markup');
    else expect([what, job.reasonCode ?? findings[0]?.code]).toEqual([what, expect.stringMatching(/^E_[A-Z_]+$/)]);
    expect(JSON.stringify(findings), what).not.toContain(marker);
  }
  expect(accepted.length).toBeGreaterThan(10);
  expect(answers.length - accepted.length).toBeGreaterThanOrEqual(5);

  // Kept as they came, or refused before anything was kept.
  const arrivals = (await server.request('/v1/arrivals?limit=200', { key: bad.key })).json.items as {
    state: string;
    reasonCode: string | null;
  }[];
  expect(
    arrivals
      .filter(({ state }) => state === 'quarantined')
      .map(({ reasonCode }) => reasonCode)
      .toSorted(),
  ).toEqual(['E_ARCHIVE', 'E_ARCHIVE', 'E_ARCHIVE', 'E_BOMB', 'E_BOMB', 'E_PACKED_WINDOW']);

  await vi.waitUntil(async () => (await server.request('/readyz')).status === 200, 60_000);
  expect(logged.length).toBeGreaterThan(0);
  expect(logged.join('\n')).not.toContain(marker);
  expect((await (await fetch(`${server.url}/metrics`)).text()).includes(marker)).toBe(false);
  expect(({} as Record<string, unknown>)[marker]).toBeUndefined();
});
