import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, testFlow } from '../../test/support/running-server.ts';
import type { SourceLease } from '../pipeline/arrivals/source-lease.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { createLogger } from '../platform/telemetry/logger.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import { withWork } from '../platform/telemetry/work-context.ts';
import { createSourceWatch } from './source-watch.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

function logInMemory() {
  const text: string[] = [];
  return {
    logger: createLogger({ level: 'info', destination: { write: (line) => void text.push(line) } }),
    text: () => text.join(''),
    lines: (): Line[] => text.map((line) => JSON.parse(line) as Line),
  };
}

const lease: SourceLease = { tenantId: 't1', flowId: 'f1', sourceId: 'drop', fence: 1, lateMs: 1_500, isHinted: false, isListing: true };
const flow = { flowId: 'f1', flowName: 'eft', plan: { flow: { tenant: 'bank' } } } as never;
const names = { tenant: 'bank', flow: 'eft', source: 'drop' };
const none = { accepted: 0, unpacked: 0, duplicate: 0, held: 0, quarantined: 0 };
const refusal = { kind: 'refused', code: 'E_QUOTA_STORED', limit: 'stored', reason: 'full', retryAfterMs: 1 } as const;

function watched() {
  const log = logInMemory();
  const metrics = createMetrics();
  const watch = createSourceWatch({ metrics, logger: log.logger, clock: { nowMs: () => 1_700_000_000_000, monotonicMs: () => 0 } });
  const told = () => log.lines().map(({ level, message, code }) => [level, message, code]);
  const ended = { isFound: true, verdicts: none, dueInMs: 1 };
  return { log, watch, told, ended, rendered: async () => (await metrics.render()).body };
}

it('a source that fails at every poll is logged when it begins and when it ends, and counted each time', async () => {
  const { watch, told, log, ended, rendered } = watched();
  const failure = () => new HeadgateError('E_SOURCE', 'the folder is not there');
  for (let poll = 0; poll < 5; poll++) {
    watch.onFound(lease, flow);
    watch.onError(failure(), lease);
  }
  for (let poll = 0; poll < 3; poll++) {
    watch.onFound(lease, flow);
    watch.onPolled(lease, ended);
  }
  watch.onError(failure(), lease);
  expect(told()).toEqual([
    ['error', 'a source cannot be polled; it is tried again', 'E_SOURCE'],
    ['info', 'a source can be polled again', 'E_SOURCE'],
    ['error', 'a source cannot be polled; it is tried again', 'E_SOURCE'],
  ]);
  expect(log.lines()[0]).toMatchObject(names);
  const body = await rendered();
  expect(body).toContain('headgate_source_polls_total{tenant="bank",flow="eft",source="drop",outcome="failed"} 6');
  expect(body).toContain('headgate_source_polls_total{tenant="bank",flow="eft",source="drop",outcome="ok"} 3');
  expect(body).toContain('headgate_source_last_poll_timestamp_seconds{tenant="bank",flow="eft",source="drop"} 1700000000');
  expect(body).toContain('headgate_source_poll_lag_seconds{tenant="bank",flow="eft",source="drop"} 1.5');
});

it('a source whose poll fails before its flow was read is told of under the name of its tenant', async () => {
  const { watch, log, rendered } = watched();
  withWork({ tenant: 'bank' }, () => watch.onError(new HeadgateError('E_DATABASE_DOWN', 'away'), lease));
  expect(log.lines()).toMatchObject([{ tenant: 'bank', flow: 'f1', source: 'drop' }]);
  expect(await rendered()).toContain('headgate_source_polls_total{tenant="bank",flow="f1",source="drop",outcome="failed"} 1');
});

it('a source that waits for room and files that cannot be read are told once each, and each again when it is over', async () => {
  const { watch, told, ended, rendered } = watched();
  const poll = (...during: readonly (() => void)[]) => {
    watch.onFound(lease, flow);
    for (const act of during) act();
    watch.onPolled(lease, ended);
  };
  const refuse = () => watch.onRefused(lease, refusal);
  const fail = () => watch.onUnreadable(lease, new HeadgateError('E_SOURCE', 'secret-name.csv'));
  poll(refuse);
  poll(refuse, fail, fail);
  poll(refuse, fail);
  poll(fail);
  poll();
  poll();
  expect(told()).toEqual([
    ['warn', 'a source waits: a limit is full', 'E_QUOTA_STORED'],
    ['warn', 'files of a source cannot be read; they are tried again', 'E_SOURCE'],
    ['info', 'a source takes files again', 'E_QUOTA_STORED'],
    ['info', 'all files of a source can be read again', 'E_SOURCE'],
  ]);
  const body = await rendered();
  expect(body).toContain('headgate_admission_refused_total{tenant="bank",limit="stored"} 3');
  expect(body).toContain('headgate_source_unreadable_total{tenant="bank",flow="eft",source="drop",code="E_SOURCE"} 4');
});

it('files that are left for their names are told when a listing finds the first and when one finds none, whatever is polled between', async () => {
  const { watch, told, ended, rendered } = watched();
  const poll = (passedOver: number | null) => {
    watch.onFound(lease, flow);
    if (passedOver !== null) watch.onPassedOver(lease, passedOver);
    watch.onPolled(lease, ended);
  };
  for (const passedOver of [0, 2, 2, null, 1, 0, 0, null]) poll(passedOver);
  expect(told()).toEqual([
    ['warn', 'files of a source are left where they are: their names cannot be kept', 'E_NAME'],
    ['info', 'no file of a source is left for its name any more', 'E_NAME'],
  ]);
  expect(await rendered()).toContain('headgate_source_unreadable_total{tenant="bank",flow="eft",source="drop",code="E_NAME"} 5');
});

it('a file that went along in place of an accepted one is told each time, by the arrival of that', async () => {
  const { watch, log, rendered } = watched();
  watch.onFound(lease, flow);
  watch.onMisplaced(lease, 'a1');
  expect(log.lines()).toMatchObject([{ level: 'warn', ...names, arrivalId: 'a1', code: 'E_SOURCE_REPLACED' }]);
  expect(await rendered()).toContain('headgate_source_unreadable_total{tenant="bank",flow="eft",source="drop",code="E_SOURCE_REPLACED"} 1');
});

it('a failure before the flow was read is told by ids, and a failure of the poller itself at each time', () => {
  const { watch, log } = watched();
  watch.onError(new HeadgateError('E_DATABASE_UNREACHABLE', 'away'), lease);
  watch.onError(new Error('fault'));
  watch.onError(new Error('fault'));
  expect(log.lines()).toMatchObject([
    { flow: 'f1', source: 'drop', code: 'E_DATABASE_UNREACHABLE' },
    { message: 'the source poller failed; it goes on' },
    { message: 'the source poller failed; it goes on' },
  ]);
});

let database: TestDatabase;
let server: RunningTestServer;
const log = logInMemory();

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 3 });
  server = await startTestServer(database, {}, log.logger);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

it('a served source tells of a folder that is missing, of polls and of what it refused, and never of names or content', async () => {
  const bank = await server.tenant('bank');
  const source = '{ id: drop, type: folder, connection: out, path: in, match: "*.csv", ready: { stableFor: 0s }, poll: 100ms }';
  await bank.apply(...testFlow({ root: server.out }).map((text) => text.replace('{ id: upload, type: http }', source)));
  const metric = async (line: string) => (await server.request('/metrics')).body.includes(line);
  const until = (line: string) => vi.waitUntil(() => metric(line), { timeout: 60_000, interval: 50 });
  const labels = 'tenant="bank",flow="payments",source="drop"';
  await until(`headgate_source_polls_total{${labels},outcome="failed"} 1`);

  const folder = join(server.out, 'in');
  mkdirSync(folder);
  writeFileSync(join(folder, 'plenty of spaces .csv'), 'id,account,amount\nP1,6200001234,1.00\n');
  writeFileSync(join(folder, 'CON.csv'), 'id,account,amount\nP2,6200001234,2.00\n');
  await until('headgate_files_refused_total{tenant="bank",outcome="quarantined",code="E_NAME"} 1');
  await until(`headgate_source_last_poll_timestamp_seconds{${labels}} 1`);
  const about = log.lines().filter((line) => line['source'] === 'drop');
  expect(about.map(({ message, code }) => [message, code])).toEqual([
    ['a source cannot be polled; it is tried again', 'E_SOURCE'],
    ['a source can be polled again', 'E_SOURCE'],
    ['a source gave files', undefined],
  ]);
  expect(log.text()).not.toMatch(/plenty|CON\.csv|6200001234/);
});
