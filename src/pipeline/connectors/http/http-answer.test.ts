/** What may be taken for an acknowledgement. The oracle below is written from docs/connectors/http.md, not from the reader. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { startHttpSink } from '../../../../test/support/http-sink.ts';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { outcomeOf, withRecordResults } from './http-answer.ts';
import { httpConnector } from './http-connector.ts';
import type { AnswerBody, AnswerHeaders, HttpExchange } from './http-exchange.ts';

const signal = new AbortController().signal;
const keys = ['a'.repeat(64), 'b'.repeat(64)];
const batch = { records: 2, deliveryKeys: async () => keys };
const json = { 'content-type': 'application/json' };

async function outcomeFor(body: AnswerBody | string, headers: AnswerHeaders = json, status = 200) {
  const whole: AnswerBody = typeof body === 'string' ? { kind: 'whole', bytes: Buffer.from(body) } : body;
  const answer: Extract<HttpExchange, { kind: 'answered' }> = { kind: 'answered', status, headers, body: whole };
  const outcome = outcomeOf(answer, 0);
  return outcome.kind === 'acked' ? await withRecordResults(answer, batch) : outcome;
}

const damaged = [
  ['cut JSON', '{"results":['],
  ['text behind the JSON', '{"results":[]} x'],
  ['results twice', '{"results":[{"index":0,"status":422}],"results":[]}'],
  ['a key twice in a result', '{"results":[{"index":0,"status":422,"status":200}]}'],
  ['a key twice elsewhere', '{"meta":{"a":1,"a":2}}'],
  ['results that are an object', '{"results":{"index":0,"status":422}}'],
  ['results that are null', '{"results":null}'],
  ['results that are a text', '{"results":"none"}'],
  ['a list in place of an object', '[{"index":0,"status":422}]'],
  ['a result that is no object', '{"results":[422]}'],
  ['an index twice', '{"results":[{"index":0,"status":200},{"index":0,"status":422}]}'],
  ['an index and a key of one record', `{"results":[{"index":0,"status":200},{"key":"${keys[0]}","status":422}]}`],
  ['an index and a key that disagree', `{"results":[{"index":0,"key":"${keys[1]}","status":200}]}`],
  ['an index that is a text', `{"results":[{"index":"0","key":"${keys[0]}","status":200}]}`],
  ['an index out of range', '{"results":[{"index":2,"status":200}]}'],
  ['an index below zero', '{"results":[{"index":-1,"status":200}]}'],
  ['an index with a fraction', '{"results":[{"index":0.0,"status":200}]}'],
  ['an unknown key', '{"results":[{"key":"c","status":200}]}'],
  ['no name of a record', '{"results":[{"status":200}]}'],
  ['a status as text', '{"results":[{"index":0,"status":"200"}]}'],
  ['a status that is a list', '{"results":[{"index":0,"status":["ok"]}]}'],
  ['a status with an exponent', '{"results":[{"index":0,"status":2e2}]}'],
  ['a status of no class', '{"results":[{"index":0,"status":200000}]}'],
  ['a status that is missing', '{"results":[{"index":0}]}'],
] as const;

it.each(damaged)('an answer with %s is unknown', async (_, body) => {
  expect(await outcomeFor(body)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_ANSWER' });
});

it.each(damaged)('an answer to a single request with %s is unknown', async (_, body) => {
  const sink = await startHttpSink(() => ({ headers: json, body }));
  const target = httpConnector.open(openOptions(httpConnector, { settings: { mode: 'single' }, connection: { baseUrl: sink.url } }));
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_ANSWER' });
  await target.close();
});

it('two content types of which one is JSON, none before an object, bytes that are no UTF-8, and half a body are no acknowledgement', async () => {
  const cut = '{"results":[{"index":0,';
  const outcomes = await Promise.all([
    outcomeFor(cut, { 'content-type': ['text/plain', 'application/json'] }),
    outcomeFor(cut, { 'content-type': 'text/plain, application/json' }),
    outcomeFor(cut, { 'content-type': 'text/json' }),
    outcomeFor(cut, {}),
    outcomeFor({ kind: 'whole', bytes: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) }),
    outcomeFor(''),
    outcomeFor({ kind: 'broken', bytes: Buffer.from('taken') }, { 'content-type': 'text/plain' }),
    outcomeFor({ kind: 'cut', bytes: Buffer.from('taken') }, { 'content-type': 'text/plain' }),
    outcomeFor(cut, { 'content-type': 'text/html' }),
    outcomeFor(`${' '.repeat(100)}${cut}`, { 'content-type': 'text/html' }),
    outcomeFor('[{"index":0,', {}),
    outcomeFor('taken', { 'content-type': 'text/plain', 'content-encoding': 'gzip' }),
    outcomeFor('taken', { 'content-type': 'text/plain' }, 207),
    outcomeFor('{"responses":[{"status":422}]}', json, 207),
    outcomeFor('', {}, 207),
  ]);
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(outcomes.map(() => 'unknown'));
});

it('no body, a body of another type, and an object without results are acknowledged by the status alone', async () => {
  const outcomes = await Promise.all([
    outcomeFor('', { ...json, 'content-length': '0' }),
    outcomeFor('', json, 204),
    outcomeFor('', {}),
    outcomeFor('taken', { 'content-type': 'text/plain' }),
    outcomeFor('taken', { 'content-type': 'text/plain', 'content-encoding': 'identity' }),
    outcomeFor('[INFO] taken', { 'content-type': 'text/plain' }),
    outcomeFor('{"results":[]}', json, 207),
    outcomeFor('{"id":7}'),
    outcomeFor('{"results":[]}'),
    outcomeFor('{"results":[{"index":1,"status":"duplicate"}]}'),
  ]);
  expect(outcomes).toEqual(outcomes.map(() => ({ kind: 'acked' })));
});

it('results are read whatever the type of the body says', async () => {
  const body = '{"results":[{"index":1,"status":422}]}';
  const message = 'the target answered for the record with status 422';
  const types = ['text/html; charset=UTF-8', 'text/plain', 'application/octet-stream', 'application/x-ndjson', undefined];
  const outcomes = await Promise.all(types.map((type) => outcomeFor(body, type === undefined ? {} : { 'content-type': type })));
  expect(outcomes).toEqual(
    types.map(() => ({ kind: 'acked', perRecord: [{ index: 1, status: 'refused', code: 'E_TARGET_RECORD', message }] })),
  );
});

it('a code of the product is none of a target', async () => {
  const codes = ['E_TARGET_FORBIDDEN', 'E_LIMIT', 'ACCOUNT_CLOSED', 'account 4711'];
  const read = await Promise.all(
    codes.map(async (code) => {
      const outcome = await outcomeFor(JSON.stringify({ results: [{ index: 0, status: 'retry', code }] }));
      return outcome.kind === 'acked' && outcome.perRecord?.[0]?.code;
    }),
  );
  expect(read).toEqual(['E_TARGET_RECORD', 'E_LIMIT', 'ACCOUNT_CLOSED', 'E_TARGET_RECORD']);
});

it('damaged JSON with two content types is no acknowledgement when it comes over a connection, whatever the mode', async () => {
  const sink = await startHttpSink(() => ({
    headers: [
      ['content-type', 'text/plain'],
      ['content-type', 'application/json'],
    ].flat(),
    body: '{"re',
  }));
  for (const mode of ['batch', 'single']) {
    const target = httpConnector.open(openOptions(httpConnector, { settings: { mode }, connection: { baseUrl: sink.url } }));
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_ANSWER' });
    await target.close();
  }
  expect(sink.requests.map(({ headers }) => headers['accept-encoding'])).toEqual(['identity', 'identity']);
});

it('statuses of records mean what statuses of answers mean, but for those of credentials', async () => {
  const kinds = await Promise.all(
    [408, 425, 429, 501, 503, 500, 502, 504, 400, 401, 403, 422].map(async (status) => {
      const outcome = await outcomeFor(`{"results":[{"index":1,"status":${status}}]}`);
      return outcome.kind === 'acked' && outcome.perRecord?.map(({ index, status: of }) => `${index} ${of}`).join();
    }),
  );
  expect(kinds).toEqual([...Array(5).fill('1 retry'), ...Array(3).fill('1 unknown'), ...Array(4).fill('1 refused')]);
});

const part = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(0, 1, 2, -1, 0.5, 200, 201, 299, 300, 422, 503, 999, 'ok', 'acked', 'created', 'OK', 'retry'),
  },
  fc.constantFrom<unknown>(...keys, null, true, [], {}, '', ['ok']),
  fc.jsonValue(),
);
const status = fc.constantFrom<unknown>(200, 201, 422, 503, 504, 'ok', 'duplicate', 'refused', 'retry');
const result = fc.oneof(
  { weight: 5, arbitrary: fc.record({ index: fc.nat(1), status }) },
  { weight: 3, arbitrary: fc.record({ key: fc.constantFrom(...keys), status }) },
  { weight: 3, arbitrary: fc.record({ index: part, key: part, status: part, code: part }, { requiredKeys: ['status'] }) },
  part,
);
const bodyText = fc
  .oneof(
    { weight: 5, arbitrary: fc.record({ results: fc.oneof({ weight: 6, arbitrary: fc.array(result, { maxLength: 3 }) }, part) }) },
    fc.jsonValue(),
  )
  .map((value) => JSON.stringify(value));
const damage = fc.tuple(bodyText, fc.nat(), fc.constantFrom('', '', 'cut', 'twice', 'behind')).map(([text, at, how]) => {
  if (how === 'cut') return text.slice(0, at % (text.length + 1));
  if (how === 'behind') return `${text}${'}],x'[at % 4]}`;
  return how === 'twice' ? text.replace(/^\{/, '{"results":[],') : text;
});

/** Which of the two records the documentation lets this text acknowledge. */
function accountedFor(text: string): readonly number[] {
  const both = [0, 1];
  if (text === '') return both;
  if ((text.match(/"results":/g)?.length ?? 0) > 1) return [];
  let value: { results?: unknown };
  try {
    value = JSON.parse(text) as { results?: unknown };
  } catch {
    return [];
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  if (!Object.hasOwn(value, 'results')) return both;
  if (!Array.isArray(value.results)) return [];
  const results = (value.results as { index?: unknown; key?: unknown; status?: unknown }[]).map((one) => {
    if (typeof one !== 'object' || one === null) return null;
    const names = [
      ...('index' in one ? [both.find((index) => index === one.index) ?? -1] : []),
      ...('key' in one ? [keys.indexOf(one.key as string)] : []),
    ];
    const isNamed = names.length > 0 && names.every((name) => name === names[0] && name >= 0);
    const taken = isTaken(one.status);
    return isNamed && taken !== null ? { record: names[0]!, isTaken: taken } : null;
  });
  if (results.some((one) => one === null) || new Set(results.map((one) => one!.record)).size < results.length) return [];
  return both.filter((record) => results.every((one) => one!.record !== record || one!.isTaken));
}

/** Null: no status that the documentation knows. */
function isTaken(status: unknown): boolean | null {
  if (typeof status === 'number') {
    return Number.isInteger(status) && status >= 200 && status < 600 && (status < 300 || status >= 400) ? status < 300 : null;
  }
  if (['ok', 'acked', 'accepted', 'created', 'duplicate'].some((word) => word === status)) return true;
  return ['refused', 'rejected', 'failed', 'invalid', 'retry'].some((word) => word === status) ? false : null;
}

it('of random and damaged answers, exactly the records are acknowledged that the answer accounts for', async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(damage, async (text) => {
      const headers = { ...json, 'content-length': String(Buffer.byteLength(text)) };
      const outcome = await outcomeFor(text, headers);
      const others = outcome.kind === 'acked' ? (outcome.perRecord ?? []).map(({ index }) => index) : [0, 1];
      const acknowledged = [0, 1].filter((index) => !others.includes(index));
      seen.set(acknowledged.join(), (seen.get(acknowledged.join()) ?? 0) + 1);
      expect(acknowledged).toEqual(accountedFor(text));
    }),
    { numRuns: 5_000 },
  );
  expect(Math.min(...['', '0', '1', '0,1'].map((which) => seen.get(which) ?? 0))).toBeGreaterThan(20);
});

it('of single requests with random and damaged answers, a record is acknowledged only when its answer accounts for it', async () => {
  const sink = await startHttpSink();
  const target = httpConnector.open(openOptions(httpConnector, { settings: { mode: 'single' }, connection: { baseUrl: sink.url } }));
  await fc.assert(
    fc.asyncProperty(damage, async (text) => {
      sink.answer(() => ({ headers: json, body: text }));
      const outcome = await target.deliver(outgoing(['a']), signal);
      // One record: what names the second of two names none.
      if (outcome.kind === 'acked' && outcome.perRecord === undefined) expect(accountedFor(text)).toContain(0);
    }),
    { numRuns: 300 },
  );
  await target.close();
});
