import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

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
