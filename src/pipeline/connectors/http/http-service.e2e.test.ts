/** Against a bank's service in a process of its own: tokens, client certificates, signatures, status queries, and each of them exchanged meanwhile. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BankSettings, bankHost, startBankService } from '../../../../test/support/bank-service.ts';
import { freePort, startChildServer } from '../../../../test/support/child-server.ts';
import { itWith } from '../../../../test/support/components.ts';
import { selfSignedCertificate } from '../../../../test/support/self-signed-certificate.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { temporaryFolder } from '../../../../test/support/temporary-store.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import type { EgressPolicy } from '../connector.ts';
import { again, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { httpConnector } from './http-connector.ts';

const signal = new AbortController().signal;
const strict: EgressPolicy = { allowPrivate: ['127.0.0.0/8'], allowPlain: false };

async function startBank(settings: Partial<BankSettings> = {}) {
  const bank = await startBankService();
  await bank.change(settings);
  const env: Record<string, string> = { CA: bank.certificate };

  function open(connection: Record<string, unknown>, more: Partial<Parameters<typeof openOptions>[1]> = {}) {
    const target = httpConnector.open(
      openOptions(httpConnector, {
        settings: { path: '/payments' },
        connection: { baseUrl: bank.baseUrl, certificateAuthority: 'env:CA', ...connection },
        egress: strict,
        env,
        ...more,
        ports: { resolveHost: async () => ['127.0.0.1'], ...more.ports },
      }),
    );
    onTestFinished(() => target.close());
    return target;
  }
  return { ...bank, env, open };
}

describe('OAuth 2.0 client credentials', () => {
  const oauth = (tokenUrl: string, more: Record<string, unknown> = {}) => ({
    auth: { type: 'oauth2', tokenUrl, clientId: 'headgate', clientSecret: 'env:SECRET', scope: 'payments.write', ...more },
  });

  async function startOauth(more: Partial<BankSettings> = {}, auth: Record<string, unknown> = {}) {
    const bank = await startBank({ clientSecrets: ['first secret'], ...more });
    bank.env['SECRET'] = 'first secret';
    return { ...bank, connection: oauth(bank.tokenUrl, auth) };
  }

  for (const clientAuth of ['basic', 'body'])
    it(`one token is fetched for many batches at once, and used until it ends: client secret in the ${clientAuth}`, async () => {
      const bank = await startOauth({ tokenLifetimeS: 100 }, { clientAuth });
      let passedMs = 0;
      const clock = { ...systemPorts.clock, monotonicMs: () => systemPorts.clock.monotonicMs() + passedMs };
      const target = bank.open(bank.connection, { ports: { resolveHost: async () => ['127.0.0.1'], clock } });
      const deliverSome = async () => Promise.all(['a', 'b', 'c', 'd'].map((id) => target.deliver(outgoing([id]), signal)));
      const outcomes = [...(await deliverSome()), ...(await deliverSome())];
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array(8).fill('acked'));
      expect((await bank.journal()).tokens).toEqual([{ status: 200, secret: 'first secret' }]);
      // Shortly before the end, so that none ends on its way.
      passedMs = 95_000;
      await deliverSome();
      const { tokens, payments } = await bank.journal();
      expect([tokens.length, payments]).toEqual([2, Array(12).fill(201)]);
    });

  it('a token that is not taken any more is exchanged once within the attempt', async () => {
    const bank = await startOauth();
    const target = bank.open(bank.connection);
    await target.deliver(outgoing(['a']), signal);
    await bank.change({ revokeTokens: true });
    const outcomes = await Promise.all([target.deliver(outgoing(['b']), signal), target.deliver(outgoing(['c']), signal)]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['acked', 'acked']);
    const { tokens, taken, payments } = await bank.journal();
    expect([tokens.length, taken.length, payments.filter((status) => status === 401).length]).toEqual([2, 3, 2]);
  });

  it('a secret that is exchanged in mid-run is refused for now, then used at once; nothing is lost or doubled', async () => {
    const bank = await startOauth();
    const target = bank.open(bank.connection);
    const batches = Array.from({ length: 6 }, (_, at) => outgoing([`r${at}`]));
    const sent = async (from: number, to: number) => Promise.all(batches.slice(from, to).map((batch) => target.deliver(batch, signal)));
    expect((await sent(0, 2)).map(({ kind }) => kind)).toEqual(['acked', 'acked']);
    await bank.change({ clientSecrets: ['second secret'], revokeTokens: true });
    const refused = await sent(2, 4);
    expect(refused).toMatchObject(Array(2).fill({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' }));
    expect(JSON.stringify(refused)).not.toMatch(/secret/i);
    bank.env['SECRET'] = 'second secret';
    expect((await sent(2, 6)).map(({ kind }) => kind)).toEqual(Array(4).fill('acked'));
    const { taken, tokens } = await bank.journal();
    expect(taken.map(({ key }) => key).sort()).toEqual(batches.map(({ batchId }) => batchId).sort());
    expect(tokens.at(-1)).toEqual({ status: 200, secret: 'second secret' });
  });

  it.each([
    ['a busy endpoint', { status: 503, headers: { 'retry-after': '7' }, body: '' }, 'E_TARGET_BUSY', 7_000],
    ['a refused scope', { status: 400, body: '{"error":"invalid_scope"}' }, 'E_TARGET_FORBIDDEN', undefined],
    ['a redirection', { status: 302, headers: { location: 'https://evil.example/' }, body: '' }, 'E_TARGET_TOKEN', undefined],
    ['no token', { status: 200, body: '{"token_type":"Bearer"}' }, 'E_TARGET_TOKEN', undefined],
    ['a token of another type', { status: 200, body: '{"access_token":"t","token_type":"mac"}' }, 'E_TARGET_TOKEN', undefined],
    [
      'a token that no header can hold',
      { status: 200, body: '{"access_token":"a\\r\\nb","token_type":"Bearer"}' },
      'E_TARGET_TOKEN',
      undefined,
    ],
    ['a member twice', { status: 200, body: '{"access_token":"t","access_token":"u","token_type":"Bearer"}' }, 'E_TARGET_TOKEN', undefined],
    ['an endless answer', { status: 200, body: `{"x":"${'x'.repeat(200_000)}"}` }, 'E_TARGET_TOKEN', undefined],
  ])('%s of the token endpoint sends nothing to the target', async (_what, tokenAnswer, code, retryAfterMs) => {
    const bank = await startOauth({ tokenAnswer });
    const outcome = await bank.open(bank.connection).deliver(outgoing(['a']), signal);
    expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code });
    expect('retryAfterMs' in outcome ? outcome.retryAfterMs : undefined).toBe(retryAfterMs);
    expect((await bank.journal()).payments).toEqual([]);
  });

  it('C2: the address of the token endpoint is judged as that of the target is', async () => {
    const bank = await startOauth();
    const addresses: Record<string, string> = { [bankHost]: '127.0.0.1', 'id.bank.example': '169.254.169.254' };
    const ports = { resolveHost: async (name: string) => [addresses[name]!] };
    const target = bank.open(oauth('https://id.bank.example/oauth2/token'), { ports });
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
    expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_SSRF' });
    for (const tokenUrl of [
      'http://id.bank.example/token',
      'https://me@id.bank.example/',
      'https://id.bank.example:5432/',
      'file:///etc/passwd',
    ])
      expect(() => bank.open(oauth(tokenUrl))).toThrowError(expect.objectContaining({ code: expect.stringMatching(/^E_(TARGET|SSRF)$/) }));
    const { tokens, payments } = await bank.journal();
    expect([tokens, payments]).toEqual([[], []]);
  });

  it('who gives up waiting for a token leaves the others their fetch', async () => {
    const bank = await startOauth();
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: bank.port });
    onTestFinished(() => proxy.close());
    const target = bank.open(oauth(`https://${bankHost}:${proxy.port}/oauth2/token`));
    const impatient = new AbortController();
    const first = target.deliver(outgoing(['a']), impatient.signal);
    const second = target.deliver(outgoing(['b']), signal);
    impatient.abort();
    expect(await first).toMatchObject({ kind: 'refused', code: 'E_TARGET_TIMEOUT' });
    expect(await second).toMatchObject({ kind: 'acked' });
    expect((await bank.journal()).tokens).toHaveLength(1);
  });

  it('a probe fetches a token of its own', async () => {
    const bank = await startOauth();
    const target = bank.open({ ...bank.connection, healthPath: '/health' });
    expect(await target.probe(signal)).toMatchObject({ isReachable: true });
    bank.env['SECRET'] = 'wrong';
    expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_FORBIDDEN' });
  });
});

/** That looks at certificates within the handshake, as most do and those of Node.js don't. */
async function startAlertingServer({ certificate, key }: { certificate: string; key: string }, trusted: string) {
  const folder = temporaryFolder();
  const port = await freePort();
  const files = { 'server.pem': certificate, 'server.key': key, 'clients.pem': trusted };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const server = await startChildServer({
    command: 'openssl',
    args: `s_server -accept 127.0.0.1:${port} -cert server.pem -key server.key -CAfile clients.pem -Verify 1 -verify_return_error -www`.split(
      ' ',
    ),
    cwd: folder,
    ready: /ACCEPT/,
    readyMsMax: 60_000,
  });
  onTestFinished(() => server.kill());
  return { port };
}

describe('a client certificate', () => {
  const shown = { clientCertificate: 'env:CERTIFICATE', clientKey: 'env:KEY' };

  async function startMutual() {
    const [first, second] = [selfSignedCertificate('first.headgate.example'), selfSignedCertificate('second.headgate.example')];
    const bank = await startBank({ clientCertificates: [first.certificate] });
    const use = ({ certificate, key }: typeof first) => Object.assign(bank.env, { CERTIFICATE: certificate, KEY: key });
    use(first);
    return { ...bank, first, second, use };
  }

  it('is shown to the server, and who shows none or another gets nothing in', async () => {
    const bank = await startMutual();
    expect(await bank.open(shown).deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'acked' });
    const without = await bank.open({}).deliver(outgoing(['b']), signal);
    bank.use(bank.second);
    const other = await bank.open(shown).deliver(outgoing(['c']), signal);
    for (const outcome of [without, other]) expect(outcome).toMatchObject({ kind: 'refused', retryable: true });
    expect((await bank.journal()).taken).toHaveLength(1);
  });

  for (const what of ['none', 'another'])
    itWith('openssl')(`that a server refuses by an alert is told from a lost answer: ${what} is shown`, async () => {
      const [server, trusted, other] = [bankHost, 'trusted.example', 'other.example'].map(selfSignedCertificate);
      const service = await startAlertingServer(server!, trusted!.certificate);
      const target = httpConnector.open(
        openOptions(httpConnector, {
          settings: {},
          connection: { baseUrl: `https://${bankHost}:${service.port}`, certificateAuthority: 'env:CA', ...(what === 'none' ? {} : shown) },
          egress: strict,
          env: { CA: server!.certificate, CERTIFICATE: other!.certificate, KEY: other!.key },
          ports: { resolveHost: async () => ['127.0.0.1'] },
        }),
      );
      onTestFinished(() => target.close());
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
      expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_FORBIDDEN' });
    });

  it('that is exchanged in mid-run is used at once, while what is under way ends on the old connection', async () => {
    const bank = await startMutual();
    const target = bank.open(shown);
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'acked' });
    const underWay = target.deliver(outgoing(['b']), signal);
    await bank.change({ clientCertificates: [bank.first.certificate, bank.second.certificate] });
    bank.use(bank.second);
    expect(await target.deliver(outgoing(['c']), signal)).toMatchObject({ kind: 'acked' });
    expect(await underWay).toMatchObject({ kind: 'acked' });
    const { taken } = await bank.journal();
    const clients = taken.map(({ body, client }) => [(JSON.parse(body) as { id: string }).id, client]).sort();
    expect(clients).toEqual([
      ['a', 'first.headgate.example'],
      ['b', 'first.headgate.example'],
      ['c', 'second.headgate.example'],
    ]);
  });

  it('that is none, or not of its key, is told from a server that can not be reached', async () => {
    const bank = await startMutual();
    const target = bank.open(shown);
    bank.env['KEY'] = bank.second.key;
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET' });
    bank.env['CERTIFICATE'] = 'no certificate at all';
    const outcome = await target.deliver(outgoing(['a']), signal);
    expect(outcome).toMatchObject({ kind: 'refused', code: 'E_TARGET' });
    expect(JSON.stringify(outcome)).not.toContain('no certificate');
    expect(() => bank.open({ clientCertificate: 'env:CERTIFICATE' })).toThrowError(/go together/);
  });
});

describe('a signature', () => {
  const signed = {
    'message-signature': { signature: { scheme: 'message-signature', keyId: 'headgate-1', secret: 'env:HMAC' } },
    timestamp: {
      signature: {
        scheme: 'timestamp',
        keyId: 'headgate-1',
        secret: 'env:HMAC',
        signatureHeader: 'X-Bank-Signature',
        timestampHeader: 'X-Bank-Time',
        keyIdHeader: 'X-Bank-Key',
      },
    },
  } as const;

  for (const scheme of ['message-signature', 'timestamp'] as const) {
    it.each([
      ['a batch', {}],
      ['an array', { envelope: 'json-array' }],
      ['single records', { mode: 'single' }],
    ])(
      `by ${scheme} of %s holds against a service that makes it anew, and a secret that is exchanged is used at once`,
      async (_what, settings) => {
        const bank = await startBank({ signingSecrets: { 'headgate-1': 'first key' } });
        bank.env['HMAC'] = 'first key';
        const target = bank.open(signed[scheme], { settings: { path: '/payments', ...settings } });
        expect(await target.deliver(outgoing(['a', 'b']), signal)).toMatchObject({ kind: 'acked' });
        await bank.change({ signingSecrets: { 'headgate-1': 'second key' } });
        expect(await target.deliver(outgoing(['c']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_FORBIDDEN' });
        bank.env['HMAC'] = 'second key';
        expect(await target.deliver(outgoing(['c']), signal)).toMatchObject({ kind: 'acked' });
        expect((await bank.journal()).taken).toHaveLength('mode' in settings ? 3 : 2);
      },
    );

    it(`by ${scheme} with a clock that is far off is refused`, async () => {
      const bank = await startBank({ signingSecrets: { 'headgate-1': 'key' } });
      bank.env['HMAC'] = 'key';
      const clock = { ...systemPorts.clock, nowMs: () => systemPorts.clock.nowMs() - 3_600_000 };
      const target = bank.open(signed[scheme], { ports: { resolveHost: async () => ['127.0.0.1'], clock } });
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_FORBIDDEN' });
    });
  }
});

describe('a service that can be asked what became of a request', () => {
  const status = { path: '/status/{key}', field: 'result.state', acked: ['done'], absentStatus: [404] };

  async function startAsked(mode: 'batch' | 'single' = 'batch') {
    const bank = await startBank({ clientSecrets: ['s'] });
    bank.env['SECRET'] = 's';
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: bank.port });
    onTestFinished(() => proxy.close());
    const target = bank.open(
      {
        baseUrl: `https://${bankHost}:${proxy.port}/v1`,
        auth: { type: 'oauth2', tokenUrl: bank.tokenUrl, clientId: 'headgate', clientSecret: 'env:SECRET' },
      },
      { settings: { path: '/payments', mode, requestsInFlight: 1, status }, target: { timeoutMs: 5_000 } },
    );
    return { bank, proxy, target };
  }

  it('has a batch whose answer was lost, or has it not, or does not say yet', async () => {
    const { bank, proxy, target } = await startAsked();
    expect(target.unknownResolution).toBe('query');
    await target.deliver(outgoing(['first']), signal);
    const batch = outgoing(['a', 'b']);
    expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'resendable' });
    proxy.arm({ match: /./s, how: 'forward-and-drop-answer' });
    expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_REPLY_LOST' });
    await expect.poll(async () => (await bank.journal()).taken.length).toBe(2);
    await bank.change({ statusOfTaken: 'pending' });
    expect(await target.resolve!(again(batch), signal)).toEqual({ kind: 'unresolved', code: 'E_TARGET_UNDECIDED', mustWait: true });
    await bank.change({ statusOfTaken: 'done' });
    expect(await target.resolve!(again(batch), signal)).toMatchObject({
      kind: 'acked',
      evidence: 'the service was asked, and has the batch',
    });
    await proxy.close();
    expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'unresolved', mustWait: true });
    const { asked, payments } = await bank.journal();
    expect([asked, payments]).toEqual([Array(3).fill(batch.batchId), [201, 201]]);
  });

  it('has some of single records, and only the others are sent again', async () => {
    const { bank, target } = await startAsked('single');
    const batch = outgoing(['a', 'b', 'c']);
    const keys = await batch.deliveryKeys();
    const half = { ...batch, records: 2, body: outgoing(['a', 'b']).body, deliveryKeys: async () => keys.slice(0, 2) };
    expect(await target.deliver(half, signal)).toMatchObject({ kind: 'acked' });
    expect(await target.resolve!(again(batch), signal)).toEqual({
      kind: 'resendable',
      evidence: 'the service was asked, and has 2 of 3 records; those are not sent again',
    });
    expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'acked' });
    const { taken, payments } = await bank.journal();
    expect([taken.map(({ key }) => key), payments]).toEqual([keys, [201, 201, 201]]);
    expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'acked' });
  });
});
