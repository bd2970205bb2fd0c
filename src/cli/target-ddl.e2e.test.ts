import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'headgate-ddl-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function headgate(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(join(root, 'bin/headgate'), argv, { cwd: root }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

const flow = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank-za, service: payments, name: credits, version: 1.0.0 }
spec:
  sources:
    - { id: in, type: folder, connection: drop, path: in, match: "*.csv", ready: { stableFor: 1s } }
  format: { type: delimited, header: true }
  schema: { record: { key: [id], fields: { id: { type: string, required: true }, amount: { type: decimal, scale: 2, required: true } } } }
  routes: { mode: first, rules: [], default: { to: [ledger] } }
  targets:
    ledger: { type: postgres, connection: ledger, table: pay.credit, mode: upsert, keys: [id] }
    out: { type: file, connection: drop, path: out }
`;

test('target ddl prints the table of the target and its effects table', async () => {
  const path = join(folder, 'flow.yaml');
  writeFileSync(path, flow.replace('[ledger] }', '[ledger, out] }'));
  const { code, stdout, stderr } = await headgate('target', 'ddl', path, 'ledger');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(
    'create table if not exists "pay"."credit" (\n  "id" text not null,\n  "amount" numeric,\n  primary key ("id")\n);',
  );
  expect(stdout).toContain('create table if not exists "pay"."headgate_effects"');
  const none = await headgate('target', 'ddl', path, 'out');
  expect([none.code, none.stdout]).toEqual([2, '']);
  expect((await headgate('target', 'ddl', path, 'nope')).stderr).toMatch(/it has ledger, out/);
});
