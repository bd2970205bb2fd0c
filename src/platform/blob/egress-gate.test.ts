import { generateKeyPairSync } from 'node:crypto';
import { createServer, request } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selfSignedCertificate } from '../../../test/support/self-signed-certificate.ts';
import { systemRng } from '../base/system-ports.ts';
import { openBlobContainer } from './blob-container.ts';
import { openEgressGate } from './egress-gate.ts';

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const loopback = async () => ['127.0.0.1'];

/** Asks the gate as a client of a proxy does; answers the status and where it leads to, or what came through the tunnel. */
async function ask(proxyUrl: string, how: { method: 'GET' | 'CONNECT'; target: string; password?: string }): Promise<string> {
  const { hostname, port, username, password } = new URL(proxyUrl);
  const secret = Buffer.from(`${username}:${how.password ?? password}`).toString('base64');
  const headers = { 'proxy-authorization': `Basic ${secret}` };
  return new Promise((resolve, reject) => {
    const asked = request({ host: hostname, port, method: how.method, path: how.target, headers, agent: false });
    asked.on('error', reject);
    asked.on('response', (answer) => resolve([answer.resume().statusCode, answer.headers.location].join(' ').trimEnd()));
    asked.on('connect', (answer, socket) => {
      if (answer.statusCode !== 200) return resolve(String(answer.statusCode));
      socket.once('data', (data) => resolve(data.toString()));
      return socket.write('hello');
    });
    asked.end();
  });
}

describe('the gate', () => {
  it('lets through to a host what knows its password, while the host is admitted', async () => {
    const http = await listen(createServer((_request, response) => response.writeHead(201).end()));
    const echo = await listen(createTcpServer((socket) => socket.pipe(socket)));
    const gate = await openEgressGate('a'.repeat(64));
    const asks = [
      { method: 'GET', target: `http://files.example:${http}/a?b` },
      { method: 'CONNECT', target: `files.example:${echo}` },
    ] as const;
    const answers = (password?: string) => Promise.all(asks.map((how) => ask(gate.proxyUrl, { ...how, password })));
    expect(await answers()).toEqual(['502', '502']);
    const admissions = [http, echo].map((port) => gate.admit({ host: 'Files.Example', port }, loopback));
    expect(await answers()).toEqual(['201', 'hello']);
    expect(await answers('b'.repeat(64))).toEqual(['407', '407']);
    for (const admission of admissions) admission.end();
    expect(await answers()).toEqual(['502', '502']);
  });

  it('lets an answer without TLS lead to the same host alone, also where another is admitted', async () => {
    const locations = [
      '/b',
      'http://files.example:PORT/b?c',
      'http://files.example/b',
      'https://files.example:PORT/b',
      '//other.example:PORT/b',
      'http://[',
    ];
    const service = createServer(({ url }, response) =>
      response.writeHead(307, { location: locations[Number(url!.slice(1))]!.replace('PORT', String(port)) }).end(),
    );
    const port: number = await listen(service);
    const gate = await openEgressGate('a'.repeat(64));
    for (const host of ['files.example', 'other.example']) gate.admit({ host, port }, loopback);
    const leads = locations.map((_, at) => ask(gate.proxyUrl, { method: 'GET', target: `http://files.example:${port}/${at}` }));
    const nowhere = '307 http://gate.invalid/';
    expect(await Promise.all(leads)).toEqual(['307 /b', `307 http://files.example:${port}/b?c`, nowhere, nowhere, nowhere, nowhere]);
  });

  it('asks for the addresses at each connection, and connects to none that it was not told', async () => {
    const port = await listen(createTcpServer((socket) => socket.pipe(socket)));
    const gate = await openEgressGate('a'.repeat(64));
    const said = new Error('closed');
    const told: (() => Promise<readonly string[]>)[] = [loopback, () => Promise.reject(said), loopback, async () => []];
    const admission = gate.admit({ host: 'localhost', port }, () => told.shift()!());
    const target = `localhost:${port}`;
    const answers: string[] = [];
    for (let at = 0; at < 4; at++) answers.push(await ask(gate.proxyUrl, { method: 'CONNECT', target }));
    expect(answers).toEqual(['hello', '502', 'hello', '502']);
    expect(admission.failures).toBe(2);
  });
});

describe('OpenDAL', () => {
  const s3 = (endpoint: string) =>
    openBlobContainer({
      service: { kind: 's3', bucket: 'box', region: 'us-east-1', endpoint },
      credentials: { kind: 'access-key', accessKeyId: 'a', secretAccessKey: 'b' },
      addressesOf: loopback,
      rng: systemRng,
    });

  it('names the bucket in the host where that is asked for, and sends the session token of a key', async () => {
    const asked: unknown[] = [];
    const port = await listen(
      createServer(({ method, url, headers }, response) => {
        asked.push([method, url, headers.host, headers['x-amz-security-token'], /x-amz-security-token/.test(headers.authorization ?? '')]);
        response.writeHead(404).end();
      }),
    );
    const judged: string[] = [];
    for (const addressing of ['host', 'path'] as const) {
      const container = await openBlobContainer({
        service: { kind: 's3', bucket: 'box', region: 'us-east-1', endpoint: `http://files.example:${port}`, addressing },
        credentials: { kind: 'access-key', accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'for-an-hour' },
        addressesOf: async (host) => {
          judged.push(host);
          return ['127.0.0.1'];
        },
        rng: systemRng,
      });
      expect(await container.look('a.csv')).toBeUndefined();
      container.close();
    }
    expect(asked).toEqual([
      ['HEAD', '/a.csv', `box.files.example:${port}`, 'for-an-hour', true],
      ['HEAD', '/box/a.csv', `files.example:${port}`, 'for-an-hour', true],
    ]);
    expect(new Set(judged)).toEqual(new Set(['box.files.example', 'files.example']));
  });

  it("does not take a host of Google's tokens that can not be reached for credentials that are refused", async () => {
    const privateKey = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const json = JSON.stringify({ type: 'service_account', client_email: 'a@bank.example', private_key: privateKey });
    const said = new Error('closed');
    let asked = 0;
    const container = await openBlobContainer({
      service: { kind: 'gcs', bucket: 'box', endpoint: 'http://files.example' },
      credentials: { kind: 'service-account', json },
      addressesOf: (host) => (host === 'oauth2.googleapis.com' && asked++ > 0 ? Promise.reject(said) : loopback()),
      rng: systemRng,
    });
    onTestFinished(() => container.close());
    await expect(container.look('a.csv')).rejects.toMatchObject({ kind: 'unreachable', cause: said });
    expect(asked).toBe(2);
  });

  it('follows no redirection to a host that is not admitted', async () => {
    let entered = 0;
    const inside = await listen(createServer((_request, response) => response.writeHead(200).end(String(entered++))));
    const front = await listen(
      createServer((_request, response) => response.writeHead(307, { location: `http://127.0.0.1:${inside}/box/secret` }).end()),
    );
    const container = await s3(`http://files.example:${front}`);
    onTestFinished(() => container.close());
    await expect(container.look('secret')).rejects.toMatchObject({ name: 'BlobFailure' });
    expect(entered).toBe(0);
  });

  it('sends no content to an address for it that the service names at a host that is not admitted', async () => {
    let entered = 0;
    const inside = await listen(createServer((_request, response) => response.writeHead(200).end(String(entered++))));
    const asked: unknown[] = [];
    const front = await listen(
      createServer(({ method, url }, response) => {
        asked.push([method, url]);
        response.writeHead(200, { location: `http://127.0.0.1:${inside}/upload` }).end();
      }),
    );
    const container = await openBlobContainer({
      service: { kind: 'gcs', bucket: 'box', endpoint: `http://files.example:${front}` },
      credentials: { kind: 'access-token', accessToken: 'token' },
      addressesOf: loopback,
      rng: systemRng,
    });
    onTestFinished(() => container.close());
    await expect(container.create('a.csv', Buffer.from('content'))).rejects.toMatchObject({ kind: 'unreachable' });
    expect(asked).toEqual([['POST', '/upload/storage/v1/b/box/o?uploadType=resumable&name=a.csv&ifGenerationMatch=0']]);
    expect(entered).toBe(0);
  });

  it('checks the certificate of a service behind the gate by its name', async () => {
    let entered = 0;
    const { key, certificate } = selfSignedCertificate('files.example');
    const server = createTlsServer({ key, cert: certificate }, () => (entered += 1));
    server.on('connection', () => (entered += 100)).on('tlsClientError', () => {});
    const container = await s3(`https://files.example:${await listen(server)}`);
    onTestFinished(() => container.close());
    await expect(container.look('secret')).rejects.toMatchObject({ kind: 'lost' });
    expect(entered).toBe(100);
  });

  it('leaves the environment as it was', async () => {
    const names = ['HTTP_PROXY', 'https_proxy', 'ALL_PROXY', 'NO_PROXY'];
    expect(names.map((name) => process.env[name])).toEqual(names.map(() => undefined));
  });
});
