/** How often a token endpoint is asked by a service that takes its tokens only at times, or by an endpoint whose tokens hold no time. */
import { expect, it, onTestFinished } from 'vitest';
import { startHttpSink } from '../../../../test/support/http-sink.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { httpConnector } from './http-connector.ts';

const signal = new AbortController().signal;

/** `takes`: whether the service takes the request of this number. What waits for a second or less is not waited for. */
async function startService(token: () => Record<string, unknown>, takes: (number: number, token: string) => boolean) {
  const sink = await startHttpSink();
  const isToken = ({ path }: { readonly path: string }) => path === '/token';
  let requests = 0;
  sink.answer((request) => {
    if (!isToken(request)) return { status: takes(++requests, request.headers.authorization!) ? 200 : 401 };
    return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token_type: 'Bearer', ...token() }) };
  });
  let passedMs = 0;
  const clock = { ...systemPorts.clock, monotonicMs: () => passedMs };
  const sleep = {
    sleep: async (ms: number, signal?: AbortSignal) => {
      if (ms > 1_000) await systemPorts.sleep.sleep(ms, signal);
      else passedMs += ms;
    },
  };
  const auth = { type: 'oauth2', tokenUrl: `${sink.url}/token`, clientId: 'headgate', clientSecret: 'env:SECRET' };
  const target = httpConnector.open(
    openOptions(httpConnector, {
      settings: { path: '/payments' },
      connection: { baseUrl: sink.url, auth },
      env: { SECRET: 'secret' },
      ports: { clock, sleep },
    }),
  );
  onTestFinished(() => target.close());
  return {
    deliver: async (batches: number) => {
      const kinds: string[] = [];
      for (let batch = 0; batch < batches; batch++) kinds.push((await target.deliver(outgoing(['a']), signal)).kind);
      return kinds;
    },
    tokens: () => sink.requests.filter(isToken).length,
    pass: (ms: number) => {
      passedMs += ms;
    },
    passedMs: () => passedMs,
  };
}

it('a service that refuses every other request has no more than ten tokens given up at once, and one more each second', async () => {
  const service = await startService(
    () => ({ access_token: 't', expires_in: 3_600 }),
    (number) => number % 2 === 0,
  );
  expect(await service.deliver(50)).toEqual(Array(50).fill('acked'));
  expect(service.tokens()).toBe(1 + 10);
  service.pass(3_000);
  expect(await service.deliver(50)).toEqual(Array(50).fill('acked'));
  expect(service.tokens()).toBe(1 + 10 + 3);
});

it('a service whose tokens hold for one request each has another once a second, and nothing is refused', async () => {
  let given = 0;
  const used = new Set<string>();
  const service = await startService(
    () => ({ access_token: `t${++given}`, expires_in: 3_600 }),
    (_number, token) => used.size < used.add(token).size,
  );
  expect(await service.deliver(30)).toEqual(Array(30).fill('acked'));
  expect(service.tokens()).toBe(30);
  expect(service.passedMs()).toBe((30 - 1 - 10) * 1_000);
});

it('a token that holds no time, or less than a second, is used for a second', async () => {
  for (const expires of [0, 1]) {
    const service = await startService(
      () => ({ access_token: 't', expires_in: expires }),
      () => true,
    );
    await service.deliver(5);
    service.pass(999);
    await service.deliver(5);
    expect(service.tokens()).toBe(1);
    service.pass(1);
    await service.deliver(5);
    expect(service.tokens()).toBe(2);
  }
});
