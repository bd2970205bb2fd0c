import { expect, it, onTestFinished } from 'vitest';
import { startHttpSink } from '../../../../test/support/http-sink.ts';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { httpConnector } from './http-connector.ts';

async function probed(status: number, connection: Record<string, unknown> = {}) {
  const sink = await startHttpSink();
  sink.answer(() => ({ status }));
  const target = httpConnector.open(openOptions(httpConnector, { settings: {}, connection: { baseUrl: sink.url, ...connection } }));
  onTestFinished(() => target.close());
  const { isReachable, code } = await target.probe(new AbortController().signal);
  return { isReachable, code, methods: sink.requests.map(({ method }) => method) };
}

it.each([200, 204, 400, 404, 405, 500, 501])('a service that answers OPTIONS with %i is there: it need not know it', async (status) => {
  expect(await probed(status)).toEqual({ isReachable: true, code: null, methods: ['OPTIONS'] });
});

it.each([
  [401, 'E_TARGET_FORBIDDEN'],
  [403, 'E_TARGET_FORBIDDEN'],
  [408, 'E_TARGET_BUSY'],
  [429, 'E_TARGET_BUSY'],
  [502, 'E_TARGET_BUSY'],
  [503, 'E_TARGET_BUSY'],
  [504, 'E_TARGET_BUSY'],
])('one that answers OPTIONS with %i is not', async (status, code) => {
  expect(await probed(status)).toEqual({ isReachable: false, code, methods: ['OPTIONS'] });
});

it.each([
  [200, null],
  [404, 'E_TARGET_SETUP'],
  [500, 'E_TARGET_BUSY'],
])('at a path for its health it says with %i what it is', async (status, code) => {
  expect(await probed(status, { healthPath: '/health' })).toEqual({ isReachable: code === null, code, methods: ['GET'] });
});

it('a request that is given up before there is a connection is never written', async () => {
  const sink = await startHttpSink();
  let connect!: () => void;
  const resolved = new Promise<readonly string[]>((resolve) => {
    connect = () => resolve(['127.0.0.1']);
  });
  const target = httpConnector.open(
    openOptions(httpConnector, {
      settings: {},
      connection: { baseUrl: sink.url.replace('127.0.0.1', 'slow.example') },
      ports: { resolveHost: () => resolved },
    }),
  );
  onTestFinished(() => target.close());
  const attempt = new AbortController();
  const outcome = target.deliver(outgoing(['a']), attempt.signal);
  await new Promise((resolve) => setImmediate(resolve));
  attempt.abort();
  expect(await outcome).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_TIMEOUT' });
  connect();
  expect(await target.deliver(outgoing(['b']), new AbortController().signal)).toMatchObject({ kind: 'acked' });
  expect(sink.requests.map(({ body }) => body.includes('"b"'))).toEqual([true]);
});
