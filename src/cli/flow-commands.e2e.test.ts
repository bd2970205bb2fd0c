import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { achFile } from '../pipeline/formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../pipeline/formats/nacha/sample-batches.fixture.ts';

const root = new URL('../../', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'headgate-flow-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const eft = readFileSync(join(root, 'examples/eft.yaml'), 'utf8');

function headgate(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(join(root, 'bin/headgate'), argv, { cwd: root }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

/** As from a terminal: the text, and its end. */
function explainPasted(flow: string, text: string, record: string): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const argv = ['flow', 'explain', flow, '-', '--record', record, '--json'];
    const child = execFile(join(root, 'bin/headgate'), argv, { cwd: root }, (_, stdout, stderr) => resolve({ stdout, stderr }));
    child.stdin!.end(text);
  });
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('flow validate of sound documents prints their hashes and exits 0', async () => {
  const { code, stdout, stderr } = await headgate('flow', 'validate', 'examples');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^file\tvalid\tkind\tname\tversion\thash\n/);
  expect(stdout).toMatch(/examples\/eft\.yaml\ttrue\tFlowDefinition\teft-credit-inbound\t1\.0\.0\tsha256:[0-9a-f]{64}\n/);
});

test('flow validate names file, line, column and what to do, and exits 2', async () => {
  const path = write('bad.yaml', eft.replace('record.amount >= 0', 'record.amont >= 0'));
  const { code, stderr } = await headgate('flow', 'validate', path);
  expect(code).toBe(2);
  expect(stderr).toContain(`${path}:47:50: error E_EXPRESSION_NAME: record has no field amont; did you mean amount?\n  try: `);
});

test('flow validate --json prints one document, also of what is wrong', async () => {
  const path = write('worse.yaml', 'a: [');
  const { code, stdout } = await headgate('flow', 'validate', path, 'examples/cards.yaml', '--json');
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject([
    { file: path, valid: false, diagnostics: [{ code: 'E_YAML', line: 1 }] },
    { valid: true, name: 'card-settlements', diagnostics: [] },
  ]);
});

test.each([
  ['no file', [], /E_USAGE/],
  ['a file that is not there', ['no-such-file.yaml'], /no-such-file\.yaml/],
  ['an unknown option', ['--strict', 'examples'], /E_USAGE/],
])('flow validate with %s exits 2', async (_name, argv, says) => {
  const { code, stderr } = await headgate('flow', 'validate', ...argv);
  expect(code).toBe(2);
  expect(stderr).toMatch(says);
});

test('flow fmt --check says which files are not formatted, flow fmt formats them in place', async () => {
  const messy = write('messy.yaml', eft.replace('type: int, required: true', 'required: true,   type: int'));
  expect(await headgate('flow', 'fmt', '--check', messy)).toMatchObject({ code: 1, stdout: `file\tstate\n${messy}\tunformatted\n` });
  expect(readFileSync(messy, 'utf8')).not.toBe(eft);
  expect(await headgate('flow', 'fmt', messy)).toMatchObject({ code: 0, stdout: `file\tstate\n${messy}\tformatted\n` });
  expect(readFileSync(messy, 'utf8')).toBe(eft);
  expect(await headgate('flow', 'fmt', '--check', messy, 'examples')).toMatchObject({ code: 0 });
});

test('flow fmt of what is no YAML changes nothing and exits 2', async () => {
  const broken = write('broken.yaml', 'a: *b\n');
  const { code, stderr } = await headgate('flow', 'fmt', broken);
  expect(code).toBe(2);
  expect(stderr).toContain(`${broken}:1:`);
  expect(readFileSync(broken, 'utf8')).toBe('a: *b\n');
});

const payment = 'DPAY000000000000114747023351CABLZAJJ   000000000013778EUR20261108';

test('flow explain shows what each rule, filter, output field and route made of a pasted line', async () => {
  const { code, stdout } = await headgate('flow', 'explain', 'examples/eft.yaml', '--line', payment);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^record: valid → fx\n/);
  expect(stdout).toMatch(/ amount-not-negative +true +holds +record\.amount=137\.78 +record\.amount >= 0\n/);
  expect(stdout).toMatch(/ default +true +goes to fx\n/);
  expect(stdout).toMatch(/sent to fx\n {2}PAY0000000000001,14747023351,137\.78,EUR,/);
});

test('flow explain shows what rejects a record of a file, and what it did not come to', async () => {
  const header = 'H20261124BANKZA              ';
  const file = write('bad.txt', `${[header, payment, payment.replace('0000000013778', '00000000137A8')].join('\n')}\n`);
  const { code, stdout } = await headgate('flow', 'explain', 'examples/eft.yaml', file, '--record', '2', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    status: 'rejected',
    findings: [{ code: 'E_DECIMAL', field: 'amount' }],
    routes: [],
    steps: expect.arrayContaining([expect.objectContaining({ id: 'amount-not-negative', isReached: false })]),
  });
});

test('flow explain and flow test read files of a pack as the flow does', async () => {
  const flow = write(
    'ach.yaml',
    `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank-us, service: payments, name: ach, version: 1.0.0 }
spec:
  format: { type: nacha }
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: folder, path: ., name: "{file}-{number}.ndjson" } }
`,
  );
  const ach = achFile(sampleBatches.PPD);
  ach.set('entryDetail', 'checkDigit', 9, 1);
  const file = write('in.ach', ach.text());
  const { code, stdout } = await headgate('flow', 'explain', flow, file, '--record', '2', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ status: 'rejected', findings: [{ code: 'E_NACHA_FIELD', rule: 'check-digit' }] });
  const pasted = await headgate('flow', 'explain', flow, '--line', 'x');
  expect([pasted.code, pasted.stderr]).toEqual([2, expect.stringContaining('a line of nacha is no record by itself')]);
  const cut = write('cut.ach', ach.text().slice(0, 300));
  const message = await explainPasted(flow, ach.text(), '2');
  expect(JSON.parse(message.stdout)).toMatchObject({ status: 'rejected', findings: [{ rule: 'check-digit' }] });
  expect(JSON.parse((await explainPasted(flow, ach.text(), '1')).stdout)).toMatchObject({ status: 'valid', routes: ['out'] });
  expect((await explainPasted(flow, ach.text(), '4')).stderr).toContain('the text has 3 records');
  const beyond = await headgate('flow', 'explain', flow, cut, '--record', '9');
  expect([beyond.code, beyond.stderr]).toEqual([2, expect.stringMatching(/has 2 records, and the file as a whole is faulty: E_NACHA_/)]);
  const cases = write(
    'ach.flow.test.yaml',
    `apiVersion: headgate/v1
kind: FlowTest
metadata: { tenant: bank-us, name: ach }
spec:
  flow: ach.yaml
  cases: [{ id: one-wrong, file: in.ach, expect: { verdict: partial, read: 3, records: [{ status: valid }, { status: rejected, errors: [E_NACHA_FIELD] }, { status: valid }] } }]
`,
  );
  const tested = await headgate('flow', 'test', cases);
  expect([tested.code, tested.stderr]).toEqual([0, '']);
});

test('flow explain gives no value a line or a column of its own', async () => {
  const flow = write(
    'lines.yaml',
    `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank-us, service: payments, name: lines, version: 1.0.0 }
spec:
  format: { type: json-lines }
  schema: { record: { fields: { id: { type: string }, amount: { type: decimal, scale: 2 } } } }
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: folder, path: ., name: "{file}-{number}.csv", format: csv } }
`,
  );
  const { code, stdout } = await headgate(
    'flow',
    'explain',
    flow,
    '--line',
    JSON.stringify({ id: 'a\n\nsent to bank\n  all\tof it', amount: '1.00' }),
  );
  expect(code).toBe(0);
  const lines = stdout.split('\n');
  expect(lines.filter((line) => /^[a-z]/.test(line))).toEqual(['record: valid → out', 'fields', 'output', 'routes', 'sent to out']);
  expect(lines.find((line) => line.includes('all of it') && line.includes('string'))).toMatch(
    /^ {2}id +string +a {2}sent to bank {3}all of it$/,
  );
});

test.each([
  ['neither a line nor a record', [], /--line is missing/],
  ['a header row in place of a header record', ['--line', payment, '--header', 'x'], /no header record/],
  ['a file that has fewer records', ['examples/eft.yaml', '--record', '900'], /has [0-9]+ records/],
])('flow explain with %s exits 2', async (_name, argv, says) => {
  const { code, stderr } = await headgate('flow', 'explain', 'examples/eft.yaml', ...argv);
  expect(code).toBe(2);
  expect(stderr).toMatch(says);
});

test('flow test runs the cases beside a flow, and says what came out otherwise', async () => {
  expect(await headgate('flow', 'test', 'examples')).toMatchObject({ code: 0, stderr: '' });
  write('eft.yaml', eft);
  const example = readFileSync(join(root, 'examples/eft.flow.test.yaml'), 'utf8');
  const wrong = write('wrong.flow.test.yaml', example.replace('routes: [fx]', 'routes: [eft]'));
  const { code, stdout, stderr } = await headgate('flow', 'test', wrong);
  expect(code).toBe(1);
  expect(stdout).toContain('routes-by-currency-and-size\tfalse\n');
  expect(stderr).toMatch(/wrong\.flow\.test\.yaml: routes-by-currency-and-size: record 1 routes: expected eft, not fx\n/);
  const broken = write('broken.flow.test.yaml', example.replace('flow: eft.yaml', 'flow: none.yaml'));
  expect(await headgate('flow', 'test', broken)).toMatchObject({ code: 2, stderr: expect.stringContaining('none.yaml') });
});

test('flow test says at which line a test names a file that is not there, and runs the others', async () => {
  const missing = `apiVersion: headgate/v1
kind: FlowTest
metadata: { tenant: bank-za, name: missing }
spec:
  flow: none.yaml
  cases:
    - { id: one, file: none.txt, expect: { verdict: accepted } }
    - id: two
      file: .
      expect: { verdict: accepted }
`;
  const file = write('missing.flow.test.yaml', missing);
  const { code, stdout, stderr } = await headgate('flow', 'test', file, 'examples/mainframe.flow.test.yaml');
  expect(code).toBe(2);
  expect(stderr.split('\n').filter((line) => line.includes('E_CONFIG_REFERENCE'))).toEqual([
    expect.stringMatching(/missing\.flow\.test\.yaml:5:9: error E_CONFIG_REFERENCE: none\.yaml cannot be read: there is no such file$/),
    expect.stringMatching(/missing\.flow\.test\.yaml:7:24: error E_CONFIG_REFERENCE: none\.txt cannot be read: there is no such file$/),
    expect.stringMatching(/missing\.flow\.test\.yaml:9:13: error E_CONFIG_REFERENCE: \. cannot be read: it is a folder$/),
  ]);
  expect(stdout).toMatch(/mainframe\.flow\.test\.yaml\t.*\ttrue\n/);
});
