import { connect, createServer } from 'node:net';
import { generateKey } from 'openpgp';
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import type { BlobServer } from '../../../../test/support/blob-server.ts';
import { type BlobServerName, blobServerEntries, hasBlobServer, itWithBlobServer } from '../../../../test/support/blob-servers.ts';
import { startTcpProxy, type TcpProxy, type TcpProxyOptions } from '../../../../test/support/tcp-proxy.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { type BlobContainer, openBlobContainer } from '../../../platform/blob/blob-container.ts';
import type { Target } from '../connector.ts';
import { again, describeConnectorContract, type loopbackEgress, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { blobConnectors } from './blob-connectors.ts';

const connectorNames = { azurite: 'azure-blob', moto: 's3', 'fake-gcs': 'gcs' } as const satisfies Record<BlobServerName, string>;
const connectorOf = (type: string) => blobConnectors.find(({ name }) => name === type)!;
const signal = new AbortController().signal;
const usualName = 'in/eft-out-1-0000.ndjson';
const keeping = /^PUT /m;
/** What S3 says of a key that it does not know: in answers to HEAD there is no room for more than a status. */
const refusalOf = (body: string) => ({
  answer: `HTTP/1.1 403 Forbidden\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
});
const unknownKey = '<Error><Code>InvalidAccessKeyId</Code></Error>';

let containers = 0;

interface Place {
  readonly target: Target;
  readonly container: BlobContainer;
  /** Where its credentials are looked up. */
  readonly env: Record<string, string>;
  idsIn(): Promise<string[]>;
}

interface Given {
  readonly port?: number;
  readonly settings?: Record<string, unknown>;
  readonly connection?: Record<string, unknown>;
  readonly credentials?: BlobServer['credentials'];
  readonly egress?: typeof loopbackEgress;
  readonly env?: Record<string, string>;
  /** Not made at the service. */
  readonly isMissing?: boolean;
}

async function openPlace(server: BlobServer, given: Given = {}): Promise<Place> {
  const { port, settings, connection, credentials = server.credentials, egress, isMissing = false } = given;
  const name = `outbox-${process.pid}-${++containers}`;
  if (!isMissing) await server.makeContainer(name);
  const { kind: _service, ...service } = server.service(name, port);
  const { kind: _credentials, ...secrets } = credentials;
  const connector = connectorOf(server.connectionType);
  const env: Record<string, string> = { ...(secrets as Record<string, string>), ...given.env };
  const references = Object.fromEntries(Object.keys(secrets).map((key) => [key, `env:${key}`]));
  const target = connector.open(
    openOptions(connector, {
      settings: { path: 'in', ...settings },
      connection: { ...service, ...references, ...connection },
      env,
      target: { timeoutMs: 10_000 },
      ports: { resolveHost: async () => ['127.0.0.1'] },
      ...(egress && { egress }),
    }),
  );
  const container = await openBlobContainer({
    service: server.service(name),
    credentials: server.credentials,
    addressesOf: async () => ['127.0.0.1'],
    rng: systemPorts.rng,
  });
  onTestFinished(async () => {
    container.close();
    await target.close();
  });
  return {
    target,
    container,
    env,
    async idsIn() {
      const found = await container.list('in/', { namesMax: 100, onPage: async () => {} });
      const texts = await Promise.all(found.map((blob) => container.read(blob, { from: 0, bytes: blob.bytes })));
      return texts
        .flatMap((text) =>
          text
            .toString()
            .split('\n')
            .slice(0, -1)
            .map((line) => (JSON.parse(line) as { id: string }).id),
        )
        .sort();
    },
  };
}

async function useProxy(server: BlobServer, options: TcpProxyOptions = {}) {
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port }, options);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** The service, where something happens before it is asked to keep an object for the first time. */
async function portBehind(server: BlobServer, before: () => Promise<void>): Promise<number> {
  let happened: Promise<void> | undefined;
  const proxy = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port: server.port });
    let turn = Promise.resolve();
    client.on('data', (data) => {
      turn = turn.then(async () => {
        if (keeping.test(data.toString('latin1'))) await (happened ??= before());
        upstream.write(data);
      });
    });
    upstream.pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.on('close', () => upstream.destroy());
  });
  onTestFinished(() => void proxy.close());
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return (proxy.address() as { port: number }).port;
}

/** The service, which gives `answer` to all that is asked once it has kept an object; null: it can't be reached any more. */
async function portUntilKept(
  server: BlobServer,
  { answer, onKept }: { answer?: string | null; onKept?: () => Promise<void> },
): Promise<number> {
  let isKept = false;
  const proxy = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port: server.port });
    let isKeeping = false;
    client.on('data', (data) => {
      const text = data.toString('latin1');
      isKeeping ||= keeping.test(text);
      if (isKept && answer !== undefined) client.end(answer ?? '');
      else upstream.write(data);
    });
    upstream.on('data', async (data) => {
      const isAnswer = isKeeping && /^HTTP\/1\.1 20[01] /.test(data.toString('latin1'));
      if (isAnswer && !isKept) {
        isKept = true;
        await onKept?.();
        if (answer === null) proxy.close();
      }
      client.write(data, () => {
        if (isAnswer && answer === null) client.end();
      });
    });
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.on('close', () => upstream.destroy());
  });
  onTestFinished(() => void proxy.close());
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return (proxy.address() as { port: number }).port;
}

describe.each(blobServerEntries)('at %s', (name, start) => {
  const it = itWithBlobServer(name);
  let server: BlobServer;
  beforeAll(async () => {
    if (hasBlobServer(name)) server = await start();
  });
  afterAll(() => server?.stop());

  if (hasBlobServer(name))
    describeConnectorContract({
      connector: connectorOf(connectorNames[name]),
      cannot: ['too slow', 'busy', 'one record refused'],
      async open() {
        const proxy = await useProxy(server);
        const place = await openPlace(server, { port: proxy.port });
        let isHidden = false;
        return {
          target: place.target,
          stored: async () => (isHidden ? [] : await place.idsIn()),
          interrupted: 'unknown',
          proxy,
          isIdempotent: true,
          async arrange(fault) {
            switch (fault) {
              case 'reply lost':
                proxy.arm({ match: keeping, how: 'forward-and-drop-answer' });
                return 'arranged';
              case 'reset while sending':
                proxy.arm({ match: keeping, how: 'cut-before-forward' });
                return 'arranged';
              case 'half-open':
                proxy.arm({ match: keeping, how: 'hold' });
                return 'arranged';
              case 'refused':
                await place.container.create(usualName, Buffer.from('of somebody else'));
                isHidden = true;
                return 'arranged';
              case 'unreachable':
                await proxy.close();
                return 'arranged';
              // Its moment can't be met: below, with a service that was waited for.
              case 'too slow':
              case 'busy':
              case 'one record refused':
                return undefined;
            }
          },
          close: async () => {},
        };
      },
    });

  it('an attempt ends with its deadline, unknown once the service was asked to keep the object', async () => {
    const proxy = await useProxy(server);
    const { target, idsIn } = await openPlace(server, { port: proxy.port });
    proxy.arm({ match: keeping, how: 'hold' });
    const deadline = new AbortController();
    const batch = outgoing(['a']);
    const attempt = target.deliver(batch, deadline.signal);
    await vi.waitUntil(() => proxy.faultsUsed === 1, { timeout: 60_000, interval: 10 });
    deadline.abort();
    expect(await attempt).toMatchObject({ kind: 'unknown', code: 'E_TARGET_TIMEOUT' });
    expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
    expect(await idsIn()).toEqual(['a']);
  });

  it('credentials that are exchanged in mid-run are refused for now, then used at once', async () => {
    const proxy = await useProxy(server);
    const { target, env, idsIn } = await openPlace(server, { port: proxy.port });
    const numbered = (number: number) => outgoing([`r${number}`], { number: `${number}-0000` });
    expect((await target.deliver(numbered(1), signal)).kind).toBe('acked');
    const right = { ...env };
    if (server.otherCredentials !== null) Object.assign(env, server.otherCredentials);
    else {
      // It knows every key: the service that does not is the proxy.
      env['accessKeyId'] = 'stale';
      proxy.arm({ match: /Credential=stale/, how: refusalOf('') });
    }
    const batch = numbered(2);
    const code = server.otherCredentials === null ? 'E_TARGET_SETUP' : 'E_TARGET_FORBIDDEN';
    expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'refused', retryable: true, code });
    if (server.otherCredentials === null) proxy.arm({ match: /Credential=stale/, how: refusalOf(unknownKey) });
    expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_FORBIDDEN' });
    Object.assign(env, right);
    expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
    expect(await idsIn()).toEqual(['r1', 'r2']);
  });

  it('a service that asks for patience has the object once it takes it', async () => {
    const proxy = await useProxy(server);
    const { target, idsIn } = await openPlace(server, { port: proxy.port });
    proxy.arm({ match: keeping, how: { answer: 'HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n' } });
    const batch = outgoing(['a']);
    // It does not say that it kept nothing.
    expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_BUSY' });
    expect((await target.resolve!(again(batch), signal)).kind).toBe('resendable');
    expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
    expect(await idsIn()).toEqual(['a']);
  });

  it('what fails after the service has kept the object leaves it unknown, whatever it is', async () => {
    const statuses = [401, 403, 404].map((status) => `HTTP/1.1 ${status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    for (const answer of [null, ...statuses]) {
      const { target, idsIn } = await openPlace(server, { port: await portUntilKept(server, { answer }) });
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'unknown' });
      expect(await idsIn()).toEqual(['a']);
    }
  });

  it('an object that is taken away before it is read back is not sent again without a label', async () => {
    let take = async (): Promise<void> => {};
    const { target, container } = await openPlace(server, { port: await portUntilKept(server, { onKept: () => take() }) });
    take = async () => container.remove((await container.look(usualName))!);
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_READ_BACK' });
  });

  it('an object of the same content that is of another batch is not taken for its own', async () => {
    const { target } = await openPlace(server, {});
    expect((await target.deliver(outgoing(['a']), signal)).kind).toBe('acked');
    const message = 'the name "eft-out-1-0000.ndjson" is taken by the same bytes of another batch';
    const refused = { kind: 'refused', retryable: false, code: 'E_TARGET_CONFLICT', message };
    expect(await target.deliver(outgoing(['a']), signal)).toEqual(refused);
  });

  it('an object that takes the name in the last moment is never overwritten', async () => {
    let take = async (): Promise<void> => {};
    const { target, container } = await openPlace(server, { port: await portBehind(server, () => take()) });
    take = () => container.create(usualName, Buffer.from('theirs'));
    const outcome = await target.deliver(outgoing(['a']), signal);
    const message = 'the name "eft-out-1-0000.ndjson" is taken by other bytes';
    expect(outcome).toEqual({ kind: 'refused', retryable: false, code: 'E_TARGET_CONFLICT', message });
    const now = (await container.look(usualName))!;
    expect((await container.read(now, { from: 0, bytes: now.bytes })).toString()).toBe('theirs');
  });

  it('nor are the same bytes of another batch that take it then taken for its own, unless an attempt before may have written them', async () => {
    const batch = outgoing(['a']);
    const message = 'the name "eft-out-1-0000.ndjson" is taken by the same bytes of another batch';
    const refused = { kind: 'refused', retryable: false, code: 'E_TARGET_CONFLICT', message };
    for (const [sent, outcome] of [
      [batch, refused],
      [again(batch), { kind: 'acked' }],
    ] as const) {
      let take = async (): Promise<void> => {};
      const { target, container } = await openPlace(server, { port: await portBehind(server, () => take()) });
      take = () => container.create(usualName, Buffer.concat([...batch.body.pieces()]));
      expect(await target.deliver(sent, signal)).toMatchObject(outcome);
    }
  });

  it('objects of many megabytes are read back byte by byte', async () => {
    const { target, idsIn } = await openPlace(server, { settings: { readBack: 'hash' } });
    const ids = Array.from({ length: 60_000 }, (_, index) => `record-${String(index).padStart(5, '0')}`);
    expect(await target.deliver(outgoing(ids), signal)).toMatchObject({ kind: 'acked', evidence: 'the object was written and read back' });
    expect(await idsIn()).toEqual(ids);
  });

  it('a probe reads back what it made, and says where that is not allowed', async () => {
    const probed = async (proxy: TcpProxy, readBack = 'size') => {
      const { target, container } = await openPlace(server, { port: proxy.port, settings: { readBack } });
      const result = await target.probe(signal);
      expect(await container.list('in/', { namesMax: 10, onPage: async () => {} })).toEqual([]);
      return result;
    };
    const proxy = await useProxy(server);
    const message = 'an object could be made, read back and removed';
    expect(await probed(proxy)).toMatchObject({ isReachable: true, code: null, message });
    const refusing = { match: /^GET [\s\S]*bytes=0-14/m, how: refusalOf('') };
    proxy.arm(refusing);
    const unread = 'an object could be made and removed; it may not be read back';
    expect(await probed(proxy)).toMatchObject({ isReachable: true, code: null, message: unread });
    proxy.arm(refusing);
    expect(await probed(proxy, 'hash')).toMatchObject({
      isReachable: false,
      code: 'E_TARGET_SETUP',
      message: 'an object could be made, but may not be read back (readBack: hash)',
    });
    expect(proxy.faultsUsed).toBe(2);
    const damaged = (data: Buffer) => Buffer.from(data.toString('latin1').replace('headgate probe\n', 'headgate prove\n'), 'latin1');
    expect(await probed(await useProxy(server, { answers: damaged }))).toMatchObject({ isReachable: false, code: 'E_TARGET_ANSWER' });
  });

  it('an encrypted object is known again by what it holds', async () => {
    const { publicKey } = await generateKey({ userIDs: [{ name: 'clearing' }] });
    const { target, container } = await openPlace(server, {
      settings: { encrypt: true },
      connection: { pgpRecipients: ['env:PGP'] },
      env: { PGP: publicKey },
    });
    const batch = outgoing(['a']);
    expect((await target.deliver(batch, signal)).kind).toBe('acked');
    expect((await target.resolve!(again(batch), signal)).kind).toBe('acked');
    expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'acked', evidence: expect.stringMatching(/already/) });
    const { bytes } = (await container.look(`${usualName}.pgp`))!;
    expect(bytes).toBeGreaterThan(0);
  });

  it('a container that is missing, credentials that are refused and an address that is closed let nothing out', async () => {
    const missing = await openPlace(server, { isMissing: true });
    expect(await missing.target.deliver(outgoing(['a']), signal)).toMatchObject({
      kind: 'refused',
      retryable: true,
      code: 'E_TARGET_SETUP',
    });
    if (server.otherCredentials !== null) {
      const wrong = await openPlace(server, { credentials: server.otherCredentials });
      expect(await wrong.target.deliver(outgoing(['a']), signal)).toMatchObject({
        kind: 'refused',
        retryable: true,
        code: 'E_TARGET_FORBIDDEN',
      });
      expect(await wrong.idsIn()).toEqual([]);
    }
    const closed = await openPlace(server, { egress: { allowPrivate: [], allowPlain: true } });
    expect(await closed.target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
    await expect(openPlace(server, { egress: { allowPrivate: ['127.0.0.1/32'], allowPlain: false } })).rejects.toThrowError(/allowPlain/);
    await expect(openPlace(server, { settings: { path: '../out' } })).rejects.toThrowError(/leads out/);
  });
});
