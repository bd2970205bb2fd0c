import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { CommandLine } from './command.ts';
import { printOne, printRows } from './output.ts';

let [out, err] = ['', ''];
const { isTTY, columns } = process.stdout;

beforeEach(() => {
  [out, err] = ['', ''];
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
