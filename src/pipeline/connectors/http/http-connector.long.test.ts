import { expect, it } from 'vitest';
import { type SinkRequest, startHttpSink } from '../../../../test/support/http-sink.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { strictEgress } from '../connector.ts';
import { again, describeConnectorContract, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { readRetryAfter } from './http-answer.ts';
import { httpConnector } from './http-connector.ts';
import { targetUrl } from './http-url.ts';

for (const [mode, isAsked] of [
  ['batch', false],
  ['single', false],
  ['batch', true],
  ['single', true],
] as const) {
  describeConnectorContract({
    connector: httpConnector,
    // Of single requests these concern one record.
    cannot: mode === 'single' ? ['reply lost', 'reset while sending'] : [],
    async open() {
      const sink = await startHttpSink();
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: sink.port });
      let hasListener = true;
      const options = openOptions(httpConnector, {
        settings: { mode, requestsInFlight: 1, ...(isAsked ? { status: { path: '/status/{key}', absentStatus: [404] } } : {}) },
        connection: { baseUrl: `http://127.0.0.1:${proxy.port}/v1` },
        target: { timeoutMs: 3_000 },
      });
      const taken: string[] = [];
      const known = new Set<string>();
      /** A service that can be asked knows its keys, and takes none twice. */
      const take = ({ headers, body }: SinkRequest, ids = idsOf(body)) => {
        const key = headers['idempotency-key'] as string;
        if (!isAsked || !known.has(key)) taken.push(...ids);
        known.add(key);
      };
      const answerStatus = ({ path }: SinkRequest) => ({ status: known.has(decodeURIComponent(path.split('/').at(-1)!)) ? 200 : 404 });
      sink.answer((request) => {
        if (request.method === 'GET') return answerStatus(request);
        if (request.method === 'POST') take(request);
        return {};
      });
      return {
        target: httpConnector.open(options),
        stored: async () => [...taken].sort(),
        interrupted: 'unknown',
        proxy,
        isIdempotent: isAsked,
        async arrange(fault) {
          switch (fault) {
            case 'reply lost':
              // Single requests are lost one at a time.
              if (mode === 'single') return undefined;
              proxy.arm({ match: /POST/, how: 'forward-and-drop-answer' });
              return 'arranged';
            case 'reset while sending':
              if (mode === 'single') return undefined;
              proxy.arm({ match: /POST/, how: 'cut-before-forward' });
              return 'arranged';
            case 'half-open':
              proxy.arm({ match: /POST/, how: 'hold' });
              return 'arranged';
            case 'too slow':
              sink.answer(() => ({ isSilent: true }));
              return 'arranged';
            case 'refused':
              sink.answer(() => ({ status: 422, body: 'no' }));
              return 'arranged';
            case 'busy': {
              let isBusy = true;
              sink.answer(() => {
                const status = isBusy ? 503 : 200;
                isBusy = false;
                return { status };
              });
              return 'arranged';
            }
            case 'one record refused':
              sink.answer((request) => {
                const refuses = request.body.includes('"b"');
                take(
                  request,
                  idsOf(request.body).filter((id) => id !== 'b'),
                );
                if (mode === 'single') return { status: refuses ? 400 : 200 };
                return { headers: { 'content-type': 'application/json' }, body: '{"results":[{"index":1,"status":"refused"}]}' };
              });
              return 'arranged';
            case 'unreachable':
              hasListener = false;
              await proxy.close();
              return 'arranged';
          }
        },
        async close() {
          if (hasListener) await proxy.close();
        },
      };
    },
  });
}

function idsOf(body: string): string[] {
  return body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { id: string }).id);
}

const signal = new AbortController().signal;

async function withSink(more: Partial<Parameters<typeof openOptions>[1]> = {}) {
  const sink = await startHttpSink();
  const options = openOptions(httpConnector, { settings: {}, connection: { baseUrl: sink.url }, ...more });
  return { sink, target: httpConnector.open(options) };
}

it('a connection that stays open and goes dead in the middle is unknown at the timeout, and the next attempt has another', async () => {
  const sink = await startHttpSink();
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: sink.port });
  const options = openOptions(httpConnector, {
    settings: {},
    connection: { baseUrl: `http://127.0.0.1:${proxy.port}` },
    target: { timeoutMs: 3_000 },
  });
  const target = httpConnector.open(options);
  proxy.arm({ match: /POST/, how: 'hold' });
  const batch = outgoing(['a']);
  expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_TIMEOUT' });
  expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'acked' });
  expect(sink.requests).toHaveLength(1);
  await target.close();
  await proxy.close();
});

it('the body is exactly the persisted bytes, with length, key, ids and trace', async () => {
  const { sink, target } = await withSink();
  const batch = outgoing(['a', 'b']);
  await target.deliver(batch, signal);
  const [request] = sink.requests;
  expect(request!.body).toBe(Buffer.concat([...batch.body.pieces()] as Uint8Array[]).toString());
  expect(request!.headers).toMatchObject({
    'content-type': 'application/x-ndjson',
    'content-length': String(batch.body.sizeBytes),
    'idempotency-key': batch.batchId,
    'headgate-batch-id': batch.batchId,
    'headgate-job-id': batch.jobIds[0],
    traceparent: batch.traceparent,
  });
  await target.deliver(again(batch), signal);
  expect(sink.requests[1]!.headers).toMatchObject({
    'headgate-possible-duplicate': 'true',
    'headgate-attempt': '2',
    'idempotency-key': batch.batchId,
  });
  await target.close();
});

it('a JSON array holds the records as they are', async () => {
  const { sink, target } = await withSink({ settings: { envelope: 'json-array' } });
  await target.deliver(outgoing(['a', 'b', 'c']), signal);
  expect((JSON.parse(sink.requests[0]!.body) as { id: string }[]).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  expect(sink.requests[0]!.headers['content-length']).toBe(String(sink.requests[0]!.body.length));
  await target.close();
});

it.each([
  [200, 'acked', undefined],
  [204, 'acked', undefined],
  [301, 'refused', true],
  [303, 'unknown', undefined],
  [307, 'refused', true],
  [400, 'refused', false],
  [401, 'refused', true],
  [403, 'refused', true],
  [408, 'refused', true],
  [409, 'refused', false],
  [425, 'refused', true],
  [429, 'refused', true],
  [500, 'unknown', undefined],
  [501, 'refused', true],
  [502, 'unknown', undefined],
  [503, 'refused', true],
  [504, 'unknown', undefined],
  [507, 'refused', true],
  [520, 'unknown', undefined],
])('status %i is %s', async (status, kind, retryable) => {
  const { sink, target } = await withSink();
  sink.answer(() => ({ status, headers: { location: `${sink.url}/elsewhere` } }));
  const outcome = await target.deliver(outgoing(['a']), signal);
  expect([outcome.kind, 'retryable' in outcome ? outcome.retryable : undefined]).toEqual([kind, retryable]);
  expect(sink.requests).toHaveLength(1);
  await target.close();
});

it('Retry-After is seconds or a date, at most a quarter of an hour', async () => {
  const { sink, target } = await withSink();
  sink.answer(() => ({ status: 429, headers: { 'retry-after': '7' } }));
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ retryAfterMs: 7_000 });
  sink.answer(() => ({ status: 500, headers: { 'retry-after': '8' } }));
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'unknown', retryAfterMs: 8_000 });
  const nowMs = Date.UTC(2026, 0, 1);
  expect(readRetryAfter('Thu, 01 Jan 2026 00:00:09 GMT', nowMs)).toBe(9_000);
  expect(readRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', nowMs)).toBe(0);
  for (const seconds of ['999999', '9999999999', '9'.repeat(400)]) expect(readRetryAfter(seconds, nowMs)).toBe(900_000);
  expect([readRetryAfter('soon', nowMs), readRetryAfter('-1', nowMs), readRetryAfter(undefined, nowMs)]).toEqual([
    null,
    expect.anything(),
    null,
  ]);
  await target.close();
});

it.each([
  ['damaged JSON', { headers: { 'content-type': 'application/json' }, body: '{"results":[' }],
  ['a result of no record', { headers: { 'content-type': 'application/json' }, body: '{"results":[{"index":9,"status":"refused"}]}' }],
  [
    'a record twice',
    { headers: { 'content-type': 'application/json' }, body: '{"results":[{"index":0,"status":200},{"index":0,"status":400}]}' },
  ],
  ['an unknown status', { headers: { 'content-type': 'application/json' }, body: '{"results":[{"index":0,"status":"perhaps"}]}' }],
  ['an endless answer', { headers: { 'content-type': 'application/json' }, body: `{"results":[],"x":"${'x'.repeat(2 * 1024 * 1024)}"}` }],
])('%s is unknown, never acked', async (_, answer) => {
  const { sink, target } = await withSink();
  sink.answer(() => answer);
  expect(await target.deliver(outgoing(['a', 'b']), signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_ANSWER' });
  await target.close();
});

it('results by delivery key find their records; a code that may be content is not repeated', async () => {
  const { sink, target } = await withSink();
  const batch = outgoing(['a', 'b']);
  const keys = await batch.deliveryKeys();
  sink.answer(() => ({
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify({ results: [{ key: keys[1], status: 'refused', code: 'customer-secret-4711' }] }),
  }));
  expect(await target.deliver(batch, signal)).toEqual({
    kind: 'acked',
    perRecord: [{ index: 1, status: 'refused', code: 'E_TARGET_RECORD' }],
  });
  await target.close();
});

it('secrets are read at each attempt and never shown', async () => {
  const env: Record<string, string> = { HEADGATE_SECRET_BANK__A: 'first-token' };
  const service = await startHttpSink();
  const options = openOptions(httpConnector, {
    settings: {},
    connection: { baseUrl: service.url, auth: { type: 'bearer', token: 'env:HEADGATE_SECRET_BANK__A' } },
    env,
  });
  const opened = httpConnector.open(options);
  await opened.deliver(outgoing(['a']), signal);
  env['HEADGATE_SECRET_BANK__A'] = 'second-token';
  await opened.deliver(outgoing(['a']), signal);
  expect(service.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer first-token', 'Bearer second-token']);
  env['HEADGATE_SECRET_BANK__A'] = 'split\r\nheader: x';
  const outcome = await opened.deliver(outgoing(['a']), signal);
  expect(outcome).toMatchObject({ kind: 'refused', code: 'E_TARGET' });
  expect(JSON.stringify(outcome)).not.toContain('split');
  delete env['HEADGATE_SECRET_BANK__A'];
  expect(await opened.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_SECRET_MISSING' });
  await opened.close();
});

it.each([
  'http://127.0.0.1',
  'http://0x7f.1',
  'http://2130706433',
  'http://017700000001',
  'http://①②⑦.⓪.⓪.①',
  'http://127。0。0。1',
  'http://127.1',
  'http://[::1]',
  'http://[::ffff:169.254.169.254]',
  'http://[64:ff9b::a00:1]',
  'http://10.0.0.1',
  'http://169.254.169.254/latest/meta-data',
  'http://0.0.0.0',
  'http://localhost',
])('C2: %s is refused as an address to connect to', async (baseUrl) => {
  const options = openOptions(httpConnector, { settings: {}, connection: { baseUrl }, egress: { allowPrivate: [], allowPlain: true } });
  const target = httpConnector.open(options);
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
  await target.close();
});

it.each([
  ['127.0.0.1.nip.io', '127.0.0.1'],
  ['bank.10-0-0-5.sslip.io', '10.0.0.5'],
  ['app.a9fea9fe.nip.io', '169.254.169.254'],
  ['--1.sslip.io', '::1'],
  ['lvh.me', '127.0.0.1'],
])('C2: %s, a public name that resolves to %s, is refused at its address', async (host, address) => {
  const asked: string[] = [];
  const options = openOptions(httpConnector, {
    settings: {},
    connection: { baseUrl: `https://${host}` },
    egress: { allowPrivate: [], allowPlain: true },
    ports: {
      resolveHost: async (name) => {
        asked.push(name);
        return [address];
      },
    },
  });
  const target = httpConnector.open(options);
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
  expect(asked).toEqual([host]);
  await target.close();
});

it.each([
  ['https://user@bank.example', 'E_TARGET'],
  ['https://a@127.0.0.1#@ok.bank', 'E_TARGET'],
  ['https://bank.example/?x=1', 'E_TARGET'],
  ['file:///etc/passwd', 'E_SSRF'],
  ['gopher://bank.example', 'E_SSRF'],
  ['https://bank.example:22', 'E_SSRF'],
  ['https://bank.example:5432', 'E_SSRF'],
  ['http://bank.example', 'E_TARGET'],
  ['not a url', 'E_TARGET'],
])('C2: the address %s is refused before anything is opened', (baseUrl, code) => {
  const options = openOptions(httpConnector, { settings: {}, connection: { baseUrl }, egress: strictEgress });
  expect(() => httpConnector.open(options)).toThrowError(expect.objectContaining({ code }));
});

it.each(['//evil.example/x', '/../../admin', '\\\\evil.example', '/a?x=1', '/a#b', '@evil.example/'])(
  'the path %s can not leave the base address',
  (path) => {
    expect(() => targetUrl('https://bank.example/v1', path, strictEgress)).toThrowError(expect.objectContaining({ code: 'E_TARGET' }));
  },
);

it('C3: a name that is public first and private later never gets a second connection', async () => {
  const service = await startHttpSink();
  const answers = [['203.0.113.7'], ['127.0.0.1']];
  let asked = 0;
  const resolveHost = async () => answers[Math.min(asked++, 1)]!;
  // The documentation range stands for a public address here, and this machine answers for it.
  const options = openOptions(httpConnector, {
    settings: {},
    connection: { baseUrl: `http://rebinding.example:${service.port}` },
    egress: { allowPrivate: ['203.0.113.0/24'], allowPlain: true },
    target: { timeoutMs: 200 },
    ports: { resolveHost },
  });
  const target = httpConnector.open(options);
  const deadline = new AbortController();
  const first = target.deliver(outgoing(['a']), deadline.signal);
  setTimeout(() => deadline.abort(), 100);
  expect((await first).kind).toBe('refused');
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
  expect([asked, service.requests.length]).toEqual([2, 0]);
  await target.close();
});

it('C3: one forbidden address among public ones refuses all', async () => {
  const options = openOptions(httpConnector, {
    settings: {},
    connection: { baseUrl: 'https://mixed.example' },
    egress: strictEgress,
    ports: { resolveHost: async () => ['8.8.8.8', '::ffff:10.0.0.1'] },
  });
  const target = httpConnector.open(options);
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
  await target.close();
});
