import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { CommandLine } from './command.ts';
import { printOne, printRows } from './output.ts';

let [out, err] = ['', ''];
const { isTTY, columns } = process.stdout;

beforeEach(() => {
  [out, err] = ['', ''];
  vi.stubEnv('NO_COLOR', '1');
  vi.spyOn(process.stdout, 'write').mockImplementation(((text: string, done?: () => void) => {
    out += text;
    done?.();
    return true;
  }) as never);
  vi.spyOn(process.stderr, 'write').mockImplementation(((text: string) => {
    err += text;
    return true;
  }) as never);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  Object.assign(process.stdout, { isTTY, columns });
});

const line = (options: CommandLine['options'] = {}): CommandLine => ({ positionals: [], options });
const onTerminal = (width: number) => Object.assign(process.stdout, { isTTY: true, columns: width });

const rows = [
  { jobId: 'a', state: 'open', reason: null, records: { read: 1, valid: 1 }, targets: { ledger: { held: 0 } } },
  { jobId: 'b', state: 'open', late: true, records: { read: 2, valid: 2 }, targets: {} },
];
const shape = { columns: ['jobId', 'state'] };

it.each([
  ['id', 'there is no "id"; there are jobId, state, reason, records, targets, late'],
  ['jobId,records.raed', 'there is no "records.raed"; records has read, valid'],
  ['', 'there is no ""; there are jobId, '],
])('a field that is in no row is refused with those that are: %s', async (fields, says) => {
  for (const options of [{}, { json: true }, { output: 'csv' }])
    await expect(printRows(line({ fields, ...options }), rows, shape)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining(says),
    });
  expect(out).toBe('');
});

it('a field that some rows lack, that is null, or whose name is of the flow is none to refuse', async () => {
  await printRows(line({ fields: 'jobId,late,reason,reason.code,targets.ledger.held,targets.other' }), rows, shape);
  expect(out).toBe('jobId\tlate\treason\treason.code\ttargets.ledger.held\ttargets.other\na\t\t\t\t0\t\nb\ttrue\t\t\t\t\n');
});

it('of an empty list a field is refused where all that it can have are known', async () => {
  await printRows(line({ fields: 'id' }), [], shape);
  expect(out).toBe('id\n');
  await expect(printRows(line({ fields: 'id' }), [], { ...shape, fields: ['jobId', 'state'] })).rejects.toMatchObject({
    message: '--fields: there is no "id"; there are jobId, state',
  });
});

it('of one thing a field that it lacks is refused, but what was done is printed all the same', async () => {
  await expect(printOne(line({ fields: 'sate' }), rows[0]!)).rejects.toMatchObject({ code: 'E_USAGE' });
  await printOne(line({ fields: 'jobId,sate' }), rows[0]!, { isDone: true });
  expect([out, err]).toEqual(['jobId\ta\nsate\t\n', expect.stringMatching(/^warning: --fields: there is no "sate"; there are jobId, /)]);
});

const batch = {
  batchId: 'b1',
  records: { read: 2 },
  keys: ['k1', 'k2'],
  warnings: [],
  attemptHistory: [
    { attempt: 1, outcome: 'failed', answer: { status: 503 }, message: null },
    { attempt: 2, outcome: 'unknown', answer: { status: null }, message: 'the\nreply \u001b[2Jwas lost' },
  ],
  state: 'held',
};

it('on a terminal a list of things is an indented table below its name', async () => {
  onTerminal(80);
  await printOne(line(), batch);
  expect(out).toBe(`batchId       b1
records.read  2
keys          k1, k2
warnings      none
attemptHistory
  attempt  outcome  answer.status  message
  ───────  ───────  ─────────────  ──────────────────────
        1  failed             503
        2  unknown                 the reply \ufffd[2Jwas lost
state         held
`);
});

it('where the table would be wider than the terminal its things are below each other', async () => {
  onTerminal(40);
  await printOne(line(), { ...batch, attemptHistory: batch.attemptHistory.slice(0, 1).map((each) => ({ ...each, tries: [{ at: 1 }] })) });
  expect(out).toContain(`attemptHistory
  - attempt        1
    outcome        failed
    answer.status  503
    message
    tries
      at
      ──
       1
state         held
`);
});

it('on a terminal a cell of a table has no JSON', async () => {
  onTerminal(80);
  await printRows(line(), [{ name: 'a', scopes: ['x', 'y'], by: { ZAR: '1.00' } }], { columns: ['name', 'scopes', 'by'] });
  expect(out).toBe('name  scopes  by\n────  ──────  ────────\na     x, y    ZAR=1.00\n');
});

it('elsewhere, and where a document is asked for, nested values are as they were', async () => {
  await printOne(line(), batch);
  expect(out).toContain('keys\t["k1","k2"]\n');
  expect(out).toContain('\nattemptHistory\t[{"attempt":1,');
  onTerminal(80);
  out = '';
  await printOne(line({ json: true }), batch);
  expect(JSON.parse(out)).toEqual(batch);
});

const at = (agoMs: number) => new Date(Date.now() - agoMs).toISOString();
const colourful = () => {
  for (const name of ['NO_COLOR', 'CI']) vi.stubEnv(name, '');
  vi.stubEnv('TERM', 'xterm');
};

it('on a terminal states have colours, ids are faint, and a table says how long ago', async () => {
  onTerminal(80);
  colourful();
  const jobs = [
    { jobId: 'j1', state: 'completed', createdAt: at(3 * 60_000 + 500) },
    { jobId: 'j22', state: 'held', createdAt: at(-7_205_000) },
    { jobId: 'j3', state: 'failed', createdAt: '2020-02-03T04:05:06.000Z' },
    { jobId: 'j4', state: 'running', createdAt: null },
  ];
  await printRows(line(), jobs, { columns: ['jobId', 'state', 'createdAt'] });
  expect(out.split('\n')).toEqual([
    'jobId  state      createdAt',
    '─────  ─────────  ──────────',
    '\u001b[2mj1\u001b[22m     \u001b[32mcompleted\u001b[39m  3 min ago',
    '\u001b[2mj22\u001b[22m    \u001b[33mheld\u001b[39m       in 2 h',
    '\u001b[2mj3\u001b[22m     \u001b[31mfailed\u001b[39m     2020-02-03',
    '\u001b[2mj4\u001b[22m     running',
    '',
  ]);
});

it('on a terminal one thing has colours too, and its times as they are; a name that is no state has none', async () => {
  onTerminal(80);
  colourful();
  await printOne(line(), { createdAt: '2026-01-02T03:04:05.000Z', state: 'held', name: 'held', tries: [{ outcome: 'refused' }] });
  expect(out).toBe(
    'createdAt  2026-01-02T03:04:05.000Z\nstate      \u001b[33mheld\u001b[39m\nname       held\ntries\n  outcome\n  ───────\n  \u001b[31mrefused\u001b[39m\n',
  );
});

it.each([
  ['NO_COLOR', '1'],
  ['CI', 'true'],
  ['TERM', 'dumb'],
])('where %s is %s there is no colour', async (name, value) => {
  onTerminal(80);
  colourful();
  vi.stubEnv(name, value);
  await printRows(line(), [{ state: 'held', changedAt: at(0) }], { columns: ['state', 'changedAt'] });
  expect(out).toBe('state  changedAt\n─────  ─────────\nheld   now\n');
});

it('elsewhere, and in a document, there is neither colour nor how long ago', async () => {
  colourful();
  const job = { jobId: 'j1', state: 'held', createdAt: '2026-01-02T03:04:05.000Z' };
  await printRows(line(), [job], { columns: ['jobId', 'state', 'createdAt'] });
  expect(out).toBe('jobId\tstate\tcreatedAt\nj1\theld\t2026-01-02T03:04:05.000Z\n');
  onTerminal(80);
  out = '';
  await printRows(line({ json: true }), [job], { columns: [] });
  expect(JSON.parse(out)).toEqual([job]);
});
