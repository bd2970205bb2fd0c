/** What a service is asked by, and what its answer decides. */
import { expect, it } from 'vitest';
import { startHttpSink } from '../../../../test/support/http-sink.ts';
import { again, loopbackEgress, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { httpConnector } from './http-connector.ts';
import { readStatusSettings } from './http-status.ts';

const signal = new AbortController().signal;

async function startAsked(settings: Record<string, unknown>, path = '/v1') {
  const sink = await startHttpSink();
  const target = httpConnector.open(openOptions(httpConnector, { settings, connection: { baseUrl: sink.url + path } }));
  return { sink, target };
}

it.each(['.', '..', '../../admin', '%2e%2e', 'a?b=c', 'a#b', 'a/../../b', '//evil.example', 'a&b'])(
  'C5: the key %j leads to no other address',
  async (key) => {
    const status = { path: '/status/{key}?of={key}', absentStatus: [404] };
    const { sink, target } = await startAsked({ mode: 'single', idempotencyKey: 'out.id', status });
    sink.answer(() => ({ status: 404 }));
    const resolved = await target.resolve!(again(outgoing([key])), signal);
    const paths = sink.requests.map(({ path }) => path);
    if (key === '.' || key === '..') expect([resolved.kind, paths]).toEqual(['unresolved', []]);
    else expect([resolved.kind, paths]).toEqual(['resendable', [`/v1/status/${encodeURIComponent(key)}?of=${encodeURIComponent(key)}`]]);
    for (const path of paths) expect(new URL(path, sink.url).pathname).toMatch(/^\/v1\/status\/[^/]+$/);
    await target.close();
  },
);

it.each([
  [200, '{"result":{"state":"done"}}', 'acked'],
  [200, '{"result":{"state":7}}', 'acked'],
  [200, '{"result":{"state":"gone"}}', 'resendable'],
  [404, '', 'resendable'],
  [200, '{"result":{"state":"DONE"}}', 'unresolved'],
  [200, '{"state":"done"}', 'unresolved'],
  [200, '{"result":{"state":"gone","state":"done"}}', 'unresolved'],
  [200, '{"result":{"state":"done"}', 'unresolved'],
  [200, '{"result":{"state":{"x":"done"}}}', 'unresolved'],
  [200, '', 'unresolved'],
  [204, '', 'unresolved'],
  [301, '', 'unresolved'],
  [400, '{"result":{"state":"gone"}}', 'unresolved'],
  [401, '', 'unresolved'],
  [410, '', 'unresolved'],
  [500, '{"result":{"state":"done"}}', 'unresolved'],
])('an answer of status %i and body %s decides: %s', async (status, body, kind) => {
  const asked = { path: '/s/{batchId}', field: 'result.state', acked: ['done', '7'], absent: ['gone'], absentStatus: [404] };
  const { sink, target } = await startAsked({ status: asked });
  sink.answer(() => ({ status, body, headers: { location: '/elsewhere' } }));
  const resolved = await target.resolve!(again(outgoing(['a'])), signal);
  expect(resolved.kind).toBe(kind);
  if (resolved.kind === 'unresolved') expect(resolved.mustWait).toBe(true);
  expect(sink.requests).toHaveLength(1);
  await target.close();
});

it('results that are not all taken decide nothing: only the answer to the request says which', async () => {
  const { sink, target } = await startAsked({ status: { path: '/s/{key}', absentStatus: [404] } });
  const results = (status: number) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ results: [{ index: 0, status }] }),
  });
  sink.answer(() => results(201));
  expect(await target.resolve!(again(outgoing(['a'])), signal)).toMatchObject({ kind: 'acked' });
  sink.answer(() => results(422));
  expect(await target.resolve!(again(outgoing(['a'])), signal)).toEqual({ kind: 'unresolved', code: 'E_TARGET_ANSWER' });
  await target.close();
});

it('a single record that the service says it refused is refused, and not sent again', async () => {
  const { sink, target } = await startAsked({ mode: 'single', requestsInFlight: 1, status: { path: '/s/{key}', absentStatus: [404] } });
  const batch = outgoing(['a', 'b']);
  const [refused] = await batch.deliveryKeys();
  sink.answer(({ method, path }) => {
    if (method !== 'GET') return { status: 201 };
    const isRefused = path.endsWith(refused!);
    return isRefused ? { body: '{"results":[{"index":0,"status":422,"code":"ACCOUNT_CLOSED"}]}' } : { status: 404 };
  });
  expect(await target.deliver(again(batch), signal)).toEqual({
    kind: 'acked',
    perRecord: [{ index: 0, status: 'refused', code: 'ACCOUNT_CLOSED', message: 'the target answered for the record with status 422' }],
  });
  expect(sink.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  await target.close();
});

it.each([
  [{ path: '/s/{ky}', absentStatus: [404] }],
  [{ path: '/s', absentStatus: [404] }],
  [{ path: '/s/{key}' }],
  [{ path: '/../{key}', absentStatus: [404] }],
  [{ path: '//evil.example/{key}', absentStatus: [404] }],
  [{ path: '/s/{key}?a b', absentStatus: [404] }],
  [{ absentStatus: [404] }],
])('the settings %j are refused when the target is opened', (settings) => {
  const context = { baseUrl: 'https://bank.example/v1', egress: loopbackEgress, isSingle: false };
  expect(() => readStatusSettings(settings, context)).toThrowError(expect.objectContaining({ code: 'E_TARGET' }));
});
