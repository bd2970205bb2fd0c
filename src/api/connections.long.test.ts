import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { openConnection, type RawAnswer, type RawConnection } from '../../test/support/raw-http.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../../test/support/running-server.ts';
import { createLogger } from '../platform/telemetry/logger.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
const open: RawConnection[] = [];
const logged: string[] = [];
const logger = createLogger({ level: 'debug', destination: { write: (line) => void logged.push(line) } });

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { uploadIdleMs: '1000', requestTimeoutMs: '1500', uploadBytesMax: '1000000' }, logger);
  tenant = await server.tenant('alpha');
  await tenant.apply(...testFlow({ root: server.out }));
});
afterAll(async () => {
  for (const { socket } of open) socket.destroy();
  await server?.stop();
  await database?.drop();
});

function connection(): RawConnection {
  const made = openConnection(server.port);
  open.push(made);
  return made;
}

const head = (name: string, ...headers: string[]) =>
  [`POST /v1/files?flow=payments&name=${name} HTTP/1.1`, 'host: x', `authorization: Bearer ${tenant.key}`, ...headers, '', ''].join('\r\n');
const get = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${tenant.key}`, ...headers, '', ''].join('\r\n');

const codeOf = (answer: RawAnswer | undefined) => [answer?.status, JSON.parse(answer?.body ?? '{}').code];

async function arrivals(name: string): Promise<number> {
  const { json } = await server.request('/v1/arrivals?limit=200', { key: tenant.key });
  return json.items.filter((arrival: { name: string }) => arrival.name === name).length;
}

/** That others are served meanwhile, and that the process is alive. */
async function expectAlive(): Promise<void> {
  expect((await server.request('/v1/jobs', { key: tenant.key })).status).toBe(200);
}

describe('a request whose length is ambiguous', () => {
  it.each([
    ['both Content-Length and Transfer-Encoding', ['content-length: 4', 'transfer-encoding: chunked']],
    ['Transfer-Encoding before Content-Length', ['transfer-encoding: chunked', 'content-length: 4']],
    ['two lengths', ['content-length: 4', 'content-length: 5']],
    ['a length that is no number', ['content-length: 4x']],
    ['a negative length', ['content-length: -4']],
    ['an encoding that hides behind a space', ['transfer-encoding : chunked']],
    ['an encoding that is not the last', ['transfer-encoding: chunked, identity']],
    ['a line that is folded', ['content-length: 4', ' 5']],
  ])('is refused and its connection closed: %s', async (_what, headers) => {
    const raw = connection();
    const body = '0\r\n\r\nGET /v1/jobs HTTP/1.1\r\nhost: x\r\n\r\n';
    await raw.write(head('smuggled.csv', ...headers) + body);
    const answer = await raw.answer();
    expect(codeOf(answer)).toEqual([400, 'E_REQUEST']);
    expect(answer?.headers['content-type']).toBe('application/problem+json');
    await raw.closed;
    expect(await raw.answer()).toBeUndefined();
    expect(await arrivals('smuggled.csv')).toBe(0);
    await expectAlive();
  });
});

describe('what HTTP itself refuses', () => {
  it.each([
    ['an expectation that is not met', () => head('refused.csv', 'expect: miracles', 'content-length: 2'), 417, 'E_EXPECTATION'],
    ['no host', () => get('/v1/jobs').replace('host: x\r\n', ''), 400, 'E_REQUEST'],
    ['no host, where there is nothing', () => get('/nothing').replace('host: x\r\n', ''), 400, 'E_REQUEST'],
    ['two hosts', () => get('/v1/jobs', 'host: y'), 400, 'E_REQUEST'],
    ['a tunnel', () => 'CONNECT other:443 HTTP/1.1\r\nhost: other:443\r\n\r\n', 400, 'E_REQUEST'],
    ['a method that is none', () => get('/v1/jobs').replace('GET', 'FETCH'), 400, 'E_REQUEST'],
    ['a method that nothing takes', () => get('/v1/jobs').replace('GET', 'PROPFIND'), 404, 'E_NOT_FOUND'],
    ['an address of another kind', () => get('*').replace('GET', 'OPTIONS'), 404, 'E_NOT_FOUND'],
    ['a version that is none', () => get('/v1/jobs').replace('HTTP/1.1', 'HTTP/3.0'), 400, 'E_REQUEST'],
  ])('is answered with a problem: %s', async (_what, written, status, code) => {
    const raw = connection();
    await raw.write(written());
    const answer = await raw.answer();
    expect(codeOf(answer)).toEqual([status, code]);
    expect(answer?.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'x-content-type-options': 'nosniff',
    });
    expect(JSON.parse(answer!.body)).toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), actions: [expect.any(String)] });
    if (status !== 404) await raw.closed;
    await expectAlive();
  });

  it('is not asked of a client of HTTP/1.0, which need not name a host', async () => {
    const raw = connection();
    await raw.write('GET /livez HTTP/1.0\r\n\r\n');
    expect((await raw.answer())?.status).toBe(200);
  });
});

describe('a transfer coding besides chunked', () => {
  it.each(['gzip, chunked', 'gzip,chunked', 'identity, chunked', 'chunked, chunked', 'x-gzip , chunked'])(
    'is refused, and nothing is kept: %s',
    async (coding) => {
      const raw = connection();
      await raw.write(`${head('coded.csv', `transfer-encoding: ${coding}`)}2\r\nid\r\n0\r\n\r\n`);
      const answer = await raw.answer();
      expect(answer?.status).toBe(400);
      expect(['E_TRANSFER_ENCODING', 'E_REQUEST']).toContain(JSON.parse(answer!.body).code);
      if (coding.startsWith('gzip')) expect(codeOf(answer)).toEqual([400, 'E_TRANSFER_ENCODING']);
      await raw.closed;
      expect(await arrivals('coded.csv')).toBe(0);
      await expectAlive();
    },
  );

  it('is no other word for chunked', async () => {
    const raw = connection();
    await raw.write(
      `${head('chunked.csv', 'transfer-encoding: Chunked')}${testRows(1).length.toString(16)}\r\n${testRows(1)}\r\n0\r\n\r\n`,
    );
    expect((await raw.answer())?.status).toBe(201);
  });
});

describe('headers', () => {
  it('beyond 16 KiB are refused with 431', async () => {
    const raw = connection();
    await raw.write(get('/v1/jobs', `x-filler: ${'a'.repeat(17_000)}`));
    expect(codeOf(await raw.answer())).toEqual([431, 'E_HEADERS_TOO_LARGE']);
    await raw.closed;
  });

  it('that do not come to an end are cut with 408', async () => {
    const raw = connection();
    await raw.write('GET /v1/jobs HTTP/1.1\r\nhost: x\r\nx-slow: ');
    expect(codeOf(await raw.answer())).toEqual([408, 'E_REQUEST_TIMEOUT']);
    await raw.closed;
  });

  it('that never begin are cut too', async () => {
    const raw = connection();
    await raw.closed;
    await expectAlive();
  });

  it('that are no HTTP are refused', async () => {
    const raw = connection();
    await raw.write('\u0016\u0003\u0001 hello\r\n\r\n');
    expect(codeOf(await raw.answer())).toEqual([400, 'E_REQUEST']);
    await raw.closed;
  });
});

describe('an upload', () => {
  it('that goes on slowly within the limit is taken', async () => {
    const raw = connection();
    const body = testRows(1, 0, 1);
    await raw.write(head('slow.csv', `content-length: ${body.length}`));
    for (let at = 0; at < body.length; at += 12) {
      await raw.write(body.slice(at, at + 12));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await raw.answer())?.status).toBe(201);
  });

  it('that stalls is answered with 408 and cut, and nothing of it is kept', async () => {
    const raw = connection();
    await raw.write(`${head('stalled.csv', 'content-length: 1000')}id,account,amount\n`);
    expect(codeOf(await raw.answer())).toEqual([408, 'E_UPLOAD_TIMEOUT']);
    expect(await arrivals('stalled.csv')).toBe(0);
    raw.socket.destroy();
    await expectAlive();
  });

  it('that is aborted half way leaves nothing, and another can follow at once', async () => {
    const raw = connection();
    const body = testRows(2_000, 0, 2);
    await raw.write(head('aborted.csv', `content-length: ${body.length}`, 'idempotency-key: aborted') + body.slice(0, body.length / 2));
    raw.socket.destroy();
    await raw.closed;
    const again = await server.upload(tenant.key, {
      flow: 'payments',
      name: 'aborted.csv',
      body,
      headers: { 'idempotency-key': 'aborted' },
    });
    expect(again.status).toBe(201);
    expect(await arrivals('aborted.csv')).toBe(1);
  });

  it.each([
    ['a length', () => 'content-length: 1000', (body: string) => body],
    ['chunks', () => 'transfer-encoding: chunked', (body: string) => `${body.length.toString(16)}\r\n${body}\r\n`],
  ])('of %s whose sender ends its half of the connection is one that is cut, and can be sent again', async (_how, framing, framed) => {
    const raw = connection();
    await raw.write(head('half.csv', framing()) + framed('id,account,amount\n'));
    raw.socket.end();
    const answer = await raw.answer();
    expect(codeOf(answer)).toEqual([400, 'E_UPLOAD_ABORTED']);
    expect(JSON.parse(answer!.body)).toMatchObject({ retryable: true, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    await raw.closed;
    expect(await arrivals('half.csv')).toBe(0);
  });

  it.each(['Repr-Digest', 'X-Other, content-digest'])(
    'that announces a digest behind its body is refused before that is read: %s',
    async (names) => {
      const raw = connection();
      await raw.write(head('behind.csv', 'transfer-encoding: chunked', `trailer: ${names}`));
      const answer = await raw.answer();
      expect(codeOf(answer)).toEqual([400, 'E_DIGEST_HEADER']);
      expect(JSON.parse(answer!.body).detail).toContain('send it as a header');
      raw.socket.destroy();
    },
  );

  it('with a digest behind its body that was not announced is refused, and nothing of it is kept', async () => {
    const raw = connection();
    const body = testRows(1, 0, 3);
    const digest = `repr-digest: sha-256=:${'A'.repeat(43)}=:\r\n`;
    await raw.write(`${head('behind.csv', 'transfer-encoding: chunked')}${body.length.toString(16)}\r\n${body}\r\n0\r\n${digest}\r\n`);
    expect(codeOf(await raw.answer())).toEqual([400, 'E_DIGEST_HEADER']);
    expect(await arrivals('behind.csv')).toBe(0);
  });

  it('that announces too much is refused before its body is read', async () => {
    const raw = connection();
    await raw.write(head('huge.csv', 'content-length: 107374182400'));
    expect(codeOf(await raw.answer())).toEqual([413, 'E_UPLOAD_TOO_LARGE']);
    raw.socket.destroy();
  });

  it('of endless chunks is cut at the limit, and its sender gets the answer', async () => {
    const raw = connection();
    const piece = 'x'.repeat(60_000);
    await raw.write(head('endless.csv', 'transfer-encoding: chunked'));
    let answer: RawAnswer | undefined;
    void raw.answer().then((it) => {
      answer = it;
    });
    let sent = 0;
    while (answer === undefined && (await raw.write(`${piece.length.toString(16)}\r\n${piece}\r\n`))) sent += piece.length;
    expect(codeOf(answer)).toEqual([413, 'E_UPLOAD_TOO_LARGE']);
    expect(sent).toBeLessThan(20_000_000);
    // Whoever goes on sending is cut.
    await vi.waitUntil(async () => !(await raw.write(`${piece.length.toString(16)}\r\n${piece}\r\n`)), { timeout: 60_000, interval: 0 });
    await expectAlive();
  });

  it('of broken chunks is refused, and nothing of it is kept', async () => {
    const raw = connection();
    await raw.write(`${head('chunks.csv', 'transfer-encoding: chunked')}zz\r\nabc\r\n`);
    expect((await raw.answer())?.status).toBe(400);
    await raw.closed;
    expect(await arrivals('chunks.csv')).toBe(0);
  });

  it('that is refused leaves the connection usable for the next request', async () => {
    const raw = connection();
    await raw.write(`${head('CON', 'content-length: 5')}12345`);
    expect(codeOf(await raw.answer())).toEqual([422, 'E_NAME']);
    await raw.write(get('/v1/jobs'));
    expect((await raw.answer())?.status).toBe(200);
  });
});

describe('a body of JSON', () => {
  const post = (...headers: string[]) =>
    [
      'POST /v1/flows HTTP/1.1',
      'host: x',
      `authorization: Bearer ${tenant.key}`,
      'content-type: application/json',
      ...headers,
      '',
      '',
    ].join('\r\n');

  it('that there is none of is not waited for, however long the answer takes', async () => {
    const locked = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    const holding = database.adminDb.transaction(async (tx) => {
      await tx.query("/* lock flow */ select from headgate.flows where name = 'payments' for update");
      locked.resolve();
      await letGo.promise;
    });
    await locked.promise;
    const asking = connection();
    await asking.write(`POST /v1/flows/payments/disable HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tenant.key}\r\n\r\n`);
    const clock = connection();
    await clock.write('GET /v1/jobs HTTP/1.1\r\nhost: x\r\nx-slow: ');
    expect(codeOf(await clock.answer())).toEqual([408, 'E_REQUEST_TIMEOUT']);
    letGo.resolve();
    await holding;
    expect((await asking.answer())?.status).toBe(200);
    const back = connection();
    await back.write(`POST /v1/flows/payments/enable HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tenant.key}\r\n\r\n`);
    expect((await back.answer())?.status).toBe(200);
  });

  it('that does not come whole in time is cut with 408', async () => {
    const raw = connection();
    await raw.write(`${post('content-length: 1000')}{"text":`);
    expect(codeOf(await raw.answer())).toEqual([408, 'E_REQUEST_TIMEOUT']);
    await raw.closed;
  });

  it('beyond the limit is refused with 413', async () => {
    const raw = connection();
    await raw.write(post('content-length: 3000000'));
    expect(codeOf(await raw.answer())).toEqual([413, 'E_REQUEST_TOO_LARGE']);
    raw.socket.destroy();
  });
});

describe('an answer to what can not be read', () => {
  it.each([
    ['no HTTP', () => '\u0016\u0003\u0001 hello\r\n\r\n'],
    ['long headers', () => get('/v1/jobs', `x-filler: ${'a'.repeat(17_000)}`)],
    ['a bad address', () => get('/v1/jobs/%ff')],
  ])('has a trace of its own, which its log line has too: %s', async (_what, request) => {
    const raw = connection();
    await raw.write(request());
    const { traceId } = JSON.parse((await raw.answer())!.body);
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    await vi.waitFor(() => expect(logged.filter((line) => line.includes(traceId))).toHaveLength(1), 60_000);
    raw.socket.destroy();
  });
});

describe('idle connections', () => {
  it('by the hundred do not keep others from being served', async () => {
    const sockets = await Promise.all(
      Array.from(
        { length: 200 },
        () =>
          new Promise<ReturnType<typeof connect>>((resolve) => {
            const socket = connect({ host: '127.0.0.1', port: server.port }, () => resolve(socket));
            socket.on('error', () => undefined).resume();
          }),
      ),
    );
    await expectAlive();
    await Promise.all(
      sockets.map((socket) => new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())))),
    );
    await expectAlive();
  });
});
