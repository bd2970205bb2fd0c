import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
import { systemPorts } from '../platform/base/system-ports.ts';
import { packingNames } from '../platform/packing/packings.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let seeds = 0;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { uploadBytesMax: '3000000' });
  tenant = await server.tenant('alpha');
  await tenant.apply(
    ...testFlow({ root: server.out }),
    testFlow({ name: 'small', more: ', limits: { maxSize: 100 }' })[1]!,
    testFlow({ name: 'careful' })[1]!.replace('  format:', '  duplicates: { file: [sha256], onDuplicate: hold }\n  format:'),
    testFlow({ name: 'from-folder' })[1]!.replace('{ id: upload, type: http }', '{ id: drop, type: folder, connection: out, path: in }'),
  );
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const fresh = (rows = 2) => testRows(rows, 0, ++seeds);
const digestOf = (content: string | Uint8Array) => `sha-256=:${createHash('sha256').update(content).digest('base64')}:`;

interface Upload {
  readonly body?: unknown;
  readonly name?: string;
  readonly flow?: string;
  readonly headers?: Record<string, string>;
}

const upload = ({ body = fresh(), name = 'a.csv', flow = 'payments', headers }: Upload = {}): Promise<Answer> =>
  server.upload(tenant.key, { flow, name, body, headers });

const facts = ({ status, type, json }: Answer) => [status, type.replace('application/', ''), json.code ?? json.state];

async function arrivals(name: string): Promise<string[]> {
  const { json } = await server.request('/v1/arrivals?limit=200', { key: tenant.key });
  return json.items.filter((arrival: { name: string }) => arrival.name === name).map(({ state }: { state: string }) => state);
}

describe('an upload', () => {
  it('is accepted with 201, its file, its job and its hash', async () => {
    const body = fresh();
    const { status, json } = await upload({ body, name: 'accepted.csv', headers: { 'repr-digest': digestOf(body) } });
    expect(status).toBe(201);
    expect(json).toMatchObject({ state: 'accepted', bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') });
    const file = await server.request(`/v1/files/${json.fileId}`, { key: tenant.key });
    expect(file.json).toMatchObject({ name: 'accepted.csv', flow: 'payments', arrivalId: json.arrivalId, jobIds: [json.jobId] });
    const arrival = await server.request(`/v1/arrivals/${json.arrivalId}`, { key: tenant.key });
    expect(arrival.json).toMatchObject({ state: 'accepted', source: 'upload', fileId: json.fileId });
  });

  it('says how many of its lines are blank, and that it has no comments', async () => {
    const skippedIn = async (body: string) => {
      const { json } = await upload({ body });
      return (await server.request(`/v1/files/${json.fileId}`, { key: tenant.key })).json.skippedLines;
    };
    expect(await skippedIn(`${fresh()}\n\n`)).toEqual({ blank: 2, comments: 0 });
    expect(await skippedIn(fresh())).toEqual({ blank: 0, comments: 0 });
  });

  it('of bytes that came before is a duplicate with 200', async () => {
    const body = fresh();
    const first = await upload({ body });
    const again = await upload({ body, name: 'again.csv' });
    expect(facts(again)).toEqual([200, 'json', 'duplicate']);
    expect(again.json).toMatchObject({ of: first.json.fileId, jobId: first.json.jobId });
    expect(first.json.jobId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('that the flow holds is answered with 202 and goes nowhere', async () => {
    const body = fresh();
    await upload({ body, flow: 'careful' });
    const held = await upload({ body, flow: 'careful', name: 'held.csv' });
    expect(facts(held)).toEqual([202, 'json', 'E_DUPLICATE']);
    expect(held.json.state).toBe('held');
    expect(held.json.jobId).toBeUndefined();
  });

  it('that is not what it says is quarantined with 422 and its arrival', async () => {
    const answer = await upload({ body: Buffer.from('no gzip at all'), name: 'bad.gz', headers: { 'content-encoding': 'gzip' } });
    expect(facts(answer)).toEqual([422, 'json', 'E_ARCHIVE']);
    expect(answer.json.state).toBe('quarantined');
    const { json } = await server.request(`/v1/arrivals/${answer.json.arrivalId}`, { key: tenant.key });
    expect(json).toMatchObject({ state: 'quarantined', reasonCode: 'E_ARCHIVE', fileId: null });
  });

  it.each(packingNames)('that is packed with %s is unpacked, and both hashes are kept', async (packing) => {
    const body = fresh();
    const packed = pack[packing](body);
    const { json } = await upload({ body: packed, headers: { 'content-encoding': packing, 'repr-digest': digestOf(packed) } });
    const file = await server.request(`/v1/files/${json.fileId}`, { key: tenant.key });
    expect(file.json).toMatchObject({
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
      containerSha256: createHash('sha256').update(packed).digest('hex'),
    });
  });

  it.each([
    ['an unknown flow', { flow: 'nobody' }, [404, 'problem+json', 'E_FLOW_UNKNOWN']],
    ['a flow without an upload source', { flow: 'from-folder' }, [422, 'problem+json', 'E_UPLOAD_SOURCE']],
    ['more bytes than the flow takes', { flow: 'small', body: 'x'.repeat(101) }, [413, 'problem+json', 'E_UPLOAD_TOO_LARGE']],
    ['more bytes than the installation takes', { body: Buffer.alloc(3_000_001) }, [413, 'problem+json', 'E_UPLOAD_TOO_LARGE']],
    ['another digest', { headers: { 'content-digest': digestOf('other') } }, [422, 'problem+json', 'E_DIGEST']],
    ['a digest that is none', { headers: { 'repr-digest': 'sha-256=abc' } }, [400, 'problem+json', 'E_DIGEST_HEADER']],
    ['an encoding that is not known', { headers: { 'content-encoding': 'br' } }, [415, 'problem+json', 'E_CONTENT_ENCODING']],
    ['three encodings', { headers: { 'content-encoding': 'gzip, gzip, gzip' } }, [415, 'problem+json', 'E_CONTENT_ENCODING']],
    ['gzip that nothing says is gzip', { body: pack.gzip(testRows(3)) }, [415, 'problem+json', 'E_CONTENT_ENCODING']],
    ['zstd that nothing says is zstd', { body: pack.zstd(testRows(3)) }, [415, 'problem+json', 'E_CONTENT_ENCODING']],
    ['two encodings', { headers: { 'content-encoding': 'zstd, gzip' } }, [415, 'problem+json', 'E_CONTENT_ENCODING']],
    ['a form around it', { headers: { 'content-type': 'multipart/form-data; boundary=x' } }, [415, 'problem+json', 'E_MEDIA_TYPE']],
    ['parts', { headers: { 'content-type': 'Multipart/Mixed; boundary=x' } }, [415, 'problem+json', 'E_MEDIA_TYPE']],
    ['a key with spaces', { headers: { 'idempotency-key': 'a b' } }, [400, 'problem+json', 'E_IDEMPOTENCY_KEY']],
    ['a key that is too long', { headers: { 'idempotency-key': 'k'.repeat(256) } }, [400, 'problem+json', 'E_IDEMPOTENCY_KEY']],
  ] as [string, Upload, unknown[]][])('with %s is refused, and nothing is kept', async (what, options, expected) => {
    const name = `${what.replaceAll(' ', '-')}.csv`;
    expect(facts(await upload({ ...options, name }))).toEqual(expected);
    expect(await arrivals(name)).toEqual([]);
  });

  it('that is refused for what it is packed in says how to send it', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    expect((await upload({ headers })).json.detail).toContain('--data-binary @FILE');
    for (const packing of packingNames) {
      const packed = pack[packing](fresh());
      const bytewise = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const byte of packed) controller.enqueue(Uint8Array.of(byte));
          controller.close();
        },
      });
      for (const body of [packed, bytewise]) {
        const { json } = await upload({ body, name: 'packed.csv' });
        expect(json.detail).toMatch(new RegExp(`\`Content-Encoding: ${packing}\`.*\`unpack: ${packing}\``));
      }
    }
    expect(await arrivals('packed.csv')).toEqual([]);
  });

  it('whose stream has no length is refused as soon as it is too large', async () => {
    const piece = Buffer.alloc(100_000, 'x');
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += piece.length;
        if (sent > 50_000_000) controller.close();
        else controller.enqueue(piece);
      },
    });
    expect(facts(await upload({ body, name: 'endless.csv' }))).toEqual([413, 'problem+json', 'E_UPLOAD_TOO_LARGE']);
    expect(sent).toBeLessThan(50_000_000);
    expect(await arrivals('endless.csv')).toEqual([]);
  });

  it('to a flow that is switched off is a conflict, until it is switched on', async () => {
    await tenant.apply(testFlow({ name: 'switched' })[1]!);
    const flip = (verb: string) => server.request(`/v1/flows/switched/${verb}`, { key: tenant.key, method: 'POST' });
    expect((await flip('disable')).json).toEqual({ name: 'switched', enabled: false, changed: true });
    expect(facts(await upload({ flow: 'switched' }))).toEqual([409, 'problem+json', 'E_FLOW_DISABLED']);
    expect((await flip('enable')).json).toEqual({ name: 'switched', enabled: true, changed: true });
    expect((await upload({ flow: 'switched' })).status).toBe(201);
  });
});

describe('a tenant without room', () => {
  const policy = (admission: string) =>
    `apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { tier: silver, admission: { ${admission} } }\n`;

  it.each([
    ['storage', 'maxStoredBytes: 10', 507, 'E_QUOTA_STORED'],
    ['files a minute', 'filesPerMinute: 1', 429, 'E_FILE_RATE'],
  ])('is refused for %s, with when to come again, and nothing is kept', async (what, admission, status, code) => {
    const full = await server.tenant(`full-${what.replaceAll(' ', '-')}`);
    await full.apply(policy(admission), ...testFlow({ root: server.out }));
    const answers: Answer[] = [];
    for (let at = 0; at < 3; at++)
      answers.push(
        await server.upload(full.key, { flow: 'payments', name: `${at}.csv`, body: fresh(), headers: { 'idempotency-key': `k${at}` } }),
      );
    const last = answers.at(-1)!;
    expect(facts(last)).toEqual([status, 'problem+json', code]);
    expect(last.json.retryable).toBe(true);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    const { json } = await server.request('/v1/arrivals', { key: full.key });
    expect(json.items.length).toBe(answers.filter((answer) => answer.status === 201).length);
  });
});

describe('an Idempotency-Key', () => {
  it('gives the same answer to the same request', async () => {
    const options = { body: fresh(), headers: { 'idempotency-key': `same-${systemPorts.ids.next()}` } };
    const [first, second] = [await upload(options), await upload(options)];
    expect([second.status, second.json]).toEqual([first.status, first.json]);
    expect(first.status).toBe(201);
  });

  it('gives the same answer while the first request still runs', async () => {
    const options = { body: fresh(500), name: 'parallel.csv', headers: { 'idempotency-key': `parallel-${systemPorts.ids.next()}` } };
    const answers = await Promise.all(Array.from({ length: 5 }, () => upload(options)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    expect(new Set(answers.map(({ json }) => json.fileId)).size).toBe(1);
    expect(await arrivals('parallel.csv')).toEqual(['accepted']);
  });

  it.each([
    ['another body', { body: 'id,account,amount\n' }],
    ['another name', { name: 'other.csv' }],
    ['another flow', { flow: 'careful' }],
  ] as [string, Upload][])('with %s is refused with 422', async (_what, other) => {
    const options = { body: fresh(), headers: { 'idempotency-key': `reused-${systemPorts.ids.next()}` } };
    await upload(options);
    expect(facts(await upload({ ...options, ...other }))).toEqual([422, 'problem+json', 'E_KEY_REUSED']);
  });

  it('of one tenant means nothing to another', async () => {
    const other = await server.tenant('other-keys');
    await other.apply(...testFlow({ root: server.out }));
    const body = fresh();
    const headers = { 'idempotency-key': 'shared-key' };
    const own = await upload({ body, headers });
    const theirs = await server.upload(other.key, { flow: 'payments', name: 'a.csv', body, headers });
    expect([own.status, theirs.status]).toEqual([201, 201]);
    expect(own.json.fileId).not.toBe(theirs.json.fileId);
  });
});

describe('a name', () => {
  it.each([
    '../../etc/cron.d/x',
    '..\\..\\x',
    '%2e%2e%2fx',
    '/etc/passwd',
    'a/b.csv',
    'a\u0000.csv',
    'a\r\nSet-Cookie: x.csv',
    'gpj.\u202eexe.csv',
    'x'.repeat(300),
    'CON',
    'con.csv',
    '.',
    '..',
    'trailing ',
    'zero\u200bwidth.csv',
  ])('such as %j is refused with E_NAME, and never part of a path', async (name) => {
    const answer = await upload({ name });
    expect(facts(answer)).toEqual([422, 'problem+json', 'E_NAME']);
    expect(answer.json.detail).not.toContain(name.length > 2 ? name : '"');
  });

  it.each(['%ff%fe.csv', '%ed%a0%80.csv', 'a%', 'a%zz.csv'])(
    'that is written as %s, which is no UTF-8, is refused with E_NAME',
    async (name) => {
      const answer = await server.request(`/v1/files?flow=payments&name=${name}`, {
        key: tenant.key,
        method: 'POST',
        body: fresh(),
        headers: { 'content-type': 'application/octet-stream' },
      });
      expect(facts(answer)).toEqual([422, 'problem+json', 'E_NAME']);
    },
  );

  it('that differs in normal form or case only is another name', async () => {
    const names = ['caf\u00e9.csv', 'cafe\u0301.csv', 'CAF\u00c9.csv'];
    const ids = await Promise.all(names.map(async (name) => (await upload({ name })).json.fileId));
    const found = await Promise.all(ids.map(async (id) => (await server.request(`/v1/files/${id}`, { key: tenant.key })).json));
    expect(found.map(({ name }) => name)).toEqual(names);
    expect(found.map(({ sameNameAs }) => sameNameAs)).toEqual([null, null, null]);
  });

  it('of markup is data: escaped in JSON, never sniffed, never shown', async () => {
    const name = '<img src=x onerror=alert(1)>"&.svg';
    const { json, headers } = await upload({ name });
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    const file = await server.request(`/v1/files/${json.fileId}`, { key: tenant.key });
    expect([file.type, file.json.name]).toEqual(['application/json', name]);
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
  });
});
