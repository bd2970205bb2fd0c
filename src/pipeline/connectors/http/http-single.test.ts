/** One request for each record: its key, its answer, and when no further one is sent. */
import { expect, it } from 'vitest';
import { startHttpSink } from '../../../../test/support/http-sink.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { again, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { httpConnector } from './http-connector.ts';

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

it('single requests take their key from the flow, from the delivery key where the value is none', async () => {
  const { sink, target } = await withSink({ settings: { mode: 'single', idempotencyKey: 'out.id' } });
  const batch = outgoing(['a', 'b\n', '']);
  await target.deliver(batch, signal);
  const keys = await batch.deliveryKeys();
  expect(sink.requests.map(({ headers }) => headers['idempotency-key']).sort()).toEqual(['a', keys[1], keys[2]].sort());
  expect(sink.requests.map(({ headers }) => headers['content-type'])).toEqual(Array(3).fill('application/json'));
  await target.close();
});

it('single requests take numbers as keys by their exact text', async () => {
  const { sink, target } = await withSink({ settings: { mode: 'single', idempotencyKey: 'out.id', requestsInFlight: 1 } });
  const ids = ['9007199254740992', '9007199254740993', '-9223372036854775808'];
  const lines = ids.map((id) => Buffer.from(`{"id":${id},"note":"\\u0000"}\n`));
  const bytes = Buffer.concat(lines);
  const body = { sizeBytes: bytes.length, sha256: '', preamble: new Uint8Array(0), pieces: () => [bytes], lines: () => lines };
  await target.deliver(outgoing(ids, { body }), signal);
  expect(sink.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(ids);
  await target.close();
});

it('the answer to a single request decides for its record as results per record do', async () => {
  const { sink, target } = await withSink({ settings: { mode: 'single', requestsInFlight: 1 } });
  const results = ['{"index":0,"status":201}', '{"index":0,"status":422,"code":"ACCOUNT_CLOSED"}', '{"index":0,"status":504}'];
  sink.answer((_, number) => ({ headers: { 'content-type': 'application/json' }, body: `{"results":[${results[number - 1]}]}` }));
  expect(await target.deliver(outgoing(['a', 'b', 'c', 'd']), signal)).toEqual({
    kind: 'acked',
    perRecord: [
      { index: 1, status: 'refused', code: 'ACCOUNT_CLOSED', message: 'the target answered for the record with status 422' },
      { index: 2, status: 'unknown', code: 'E_TARGET_RECORD', message: 'the target answered for the record with status 504' },
      { index: 3, status: 'retry', code: 'E_TARGET_RECORD', message: 'the target answered for the record with status 504' },
    ],
  });
  expect(sink.requests).toHaveLength(3);
  await target.close();
});

it('a conflict with a request that may have been there before is no refusal, and holds up no other record', async () => {
  const { sink, target } = await withSink({ settings: { mode: 'single', requestsInFlight: 1 } });
  sink.answer(({ body }) => ({ status: idsOf(body)[0] === 'b' ? 409 : 200 }));
  const batch = outgoing(['a', 'b', 'c']);
  expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'acked', perRecord: [{ index: 1, status: 'refused' }] });
  expect(await target.deliver(again(batch), signal)).toMatchObject({
    kind: 'acked',
    perRecord: [{ index: 1, status: 'unknown', code: 'E_TARGET_UNDECIDED', message: expect.stringMatching(/may be under way/) }],
  });
  expect(sink.requests).toHaveLength(6);
  const inOrder = { ...again(batch), orderKeys: async () => ['k', 'k', 'k'] };
  expect(await target.deliver(inOrder, signal)).toMatchObject({
    perRecord: [
      { index: 1, status: 'unknown', code: 'E_TARGET_UNDECIDED' },
      { index: 2, status: 'retry', code: 'E_TARGET_ORDER' },
    ],
  });
  expect(sink.requests).toHaveLength(8);
  await target.close();
});

it('a conflict with a batch that may have been there before leaves it unknown', async () => {
  const { sink, target } = await withSink();
  sink.answer(() => ({ status: 409, headers: { 'retry-after': '3' } }));
  const batch = outgoing(['a', 'b']);
  expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'refused', retryable: false });
  const expected = { kind: 'unknown', code: 'E_TARGET_UNDECIDED', retryAfterMs: 3_000 };
  expect(await target.deliver(again(batch), signal)).toMatchObject(expected);
  await target.close();
});

it('single requests of which some are told to wait wait as long as the longest', async () => {
  const { sink, target } = await withSink({ settings: { mode: 'single', requestsInFlight: 1 } });
  sink.answer((_, number) => (number === 1 ? {} : { status: 429, headers: { 'retry-after': '7' } }));
  expect(await target.deliver(outgoing(['a', 'b', 'c']), signal)).toMatchObject({ kind: 'acked', retryAfterMs: 7_000 });
  await target.close();
});

it.each([301, 401, 403])('single requests stop at status %i, and no record of the rest is refused for good', async (status) => {
  const { sink, target } = await withSink({ settings: { mode: 'single', requestsInFlight: 1 } });
  sink.answer((_, number) => ({ status: number === 1 ? 200 : status }));
  const { perRecord } = (await target.deliver(outgoing(['a', 'b', 'c']), signal)) as { perRecord: unknown };
  expect(perRecord).toMatchObject([
    { index: 1, status: 'retry' },
    { index: 2, status: 'retry' },
  ]);
  expect(sink.requests).toHaveLength(2);
  await target.close();
});

it('single requests that are all refused alike are not searched for the one record that is to blame', async () => {
  const { sink, target } = await withSink({ settings: { mode: 'single' } });
  sink.answer(() => ({ status: 422 }));
  const outcome = await target.deliver(outgoing(['a', 'b', 'c']), signal);
  expect(outcome).toMatchObject({ kind: 'refused', retryable: false, mayBeOneRecord: false });
  expect(sink.requests).toHaveLength(3);
  await target.close();
});

it('single requests that are all refused for good keep the codes of their own', async () => {
  const { sink, target } = await withSink({ settings: { mode: 'single', requestsInFlight: 1 } });
  sink.answer((_, number) => ({
    headers: { 'content-type': 'application/json' },
    body: `{"results":[{"index":0,"status":"refused","code":"REASON_${number}"}]}`,
  }));
  expect(await target.deliver(outgoing(['a', 'b']), signal)).toEqual({
    kind: 'acked',
    perRecord: [1, 2].map((number) => ({
      index: number - 1,
      status: 'refused',
      code: `REASON_${number}`,
      message: 'the answer says so of the record',
    })),
  });
  await target.close();
});

it('an answer to a single request that is endless is unknown, and no further record is sent', async () => {
  const { sink, target } = await withSink({ settings: { mode: 'single', requestsInFlight: 1 } });
  sink.answer(() => ({ headers: { 'content-type': 'application/json' }, body: `{"x":"${'x'.repeat(2 * 1024 * 1024)}"}` }));
  expect(await target.deliver(outgoing(['a', 'b']), signal)).toMatchObject({
    perRecord: [
      { index: 0, status: 'unknown', code: 'E_TARGET_ANSWER' },
      { index: 1, status: 'retry' },
    ],
  });
  expect(sink.requests).toHaveLength(1);
  await target.close();
});

it('a record refused in the body of an answer holds back those of its key as one refused by status does', async () => {
  const { sink, target } = await withSink({ settings: { mode: 'single' }, target: { order: 'by-key', lanes: 64 } });
  sink.answer(({ body }) => ({
    headers: { 'content-type': 'application/json' },
    body: `{"results":[{"index":0,"status":"${body.includes('"a1"') ? 'refused' : 'ok'}"}]}`,
  }));
  const outcome = await target.deliver(outgoing(['a1', 'b1', 'a2'], { orderKeys: async () => ['a', 'b', 'a'] }), signal);
  expect(sink.requests.flatMap(({ body }) => idsOf(`${body}\n`))).toEqual(['a1', 'b1']);
  expect(outcome).toMatchObject({
    perRecord: [
      { index: 0, status: 'refused', code: 'E_TARGET_RECORD' },
      { index: 2, status: 'retry', code: 'E_TARGET_ORDER' },
    ],
  });
  await target.close();
});

it('single requests stop at the first that may pass later, and say of each record what became of it', async () => {
  const { sink, target } = await withSink({ settings: { mode: 'single', requestsInFlight: 1 } });
  sink.answer((_, number) => ({ status: [200, 400, 503][number - 1]!, ...(number === 4 ? { status: 500 } : {}) }));
  const outcome = await target.deliver(outgoing(['a', 'b', 'c', 'd']), signal);
  expect(sink.requests).toHaveLength(3);
  expect(outcome).toEqual({
    kind: 'acked',
    perRecord: [
      { index: 1, status: 'refused', code: 'E_TARGET_REFUSED', message: 'the target answered with status 400' },
      { index: 2, status: 'retry', code: 'E_TARGET_BUSY', message: 'the target answered with status 503' },
      { index: 3, status: 'retry', code: 'E_TARGET_BUSY', message: 'the target answered with status 503' },
    ],
  });
  await target.close();
});

it('a lease that is lost between two records of single requests sends no more of them', async () => {
  const sink = await startHttpSink();
  const options = openOptions(httpConnector, { settings: { mode: 'single', requestsInFlight: 1 }, connection: { baseUrl: sink.url } });
  const lost = new HeadgateError('E_ATTEMPT_ABANDONED', 'the lease of the batch has run out', { retryable: true });
  const assertOurs = () => {
    if (sink.requests.length === 2) throw lost;
  };
  const outcome = await httpConnector.open(options).deliver(outgoing(['a', 'b', 'c', 'd'], { assertOurs }), new AbortController().signal);
  expect(sink.requests).toHaveLength(2);
  expect(outcome).toEqual({
    kind: 'acked',
    perRecord: [2, 3].map((index) => ({
      index,
      status: 'retry',
      code: 'E_ATTEMPT_ABANDONED',
      message: 'the lease of the batch has run out',
    })),
  });
});

it('single requests to a target that keeps the order of keys send no record behind a refused one of its key', async () => {
  const sink = await startHttpSink();
  sink.answer(({ body }) => ({ status: body.includes('"a1"') ? 422 : 200 }));
  const options = openOptions(httpConnector, {
    settings: { mode: 'single' },
    connection: { baseUrl: sink.url },
    target: { order: 'by-key', lanes: 64 },
  });
  const orderKeys = async () => ['a', 'b', 'a', null, 'b'];
  const outcome = await httpConnector
    .open(options)
    .deliver(outgoing(['a1', 'b1', 'a2', 'n', 'b2'], { orderKeys }), new AbortController().signal);
  expect(sink.requests.flatMap(({ body }) => idsOf(`${body}\n`))).toEqual(['a1', 'b1', 'n', 'b2']);
  expect(outcome).toMatchObject({
    perRecord: [
      { index: 0, status: 'refused', code: 'E_TARGET_REFUSED' },
      { index: 2, status: 'retry', code: 'E_TARGET_ORDER' },
    ],
  });
});
