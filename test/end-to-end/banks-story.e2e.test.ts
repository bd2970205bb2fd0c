import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { BanksDocument } from '../../src/main/demo/banks-report.ts';

it('files of four formats of the banks, made by our writers, go through flows, two of them are answered, and all of it balances', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-story-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const entry = join(import.meta.dirname, '../../src/main/headgate.ts');
  const options = ['demo', '--story', 'banks', '--once', '--json', '--data-dir', folder];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, ...options]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => void (stdout += text));
  child.stderr.on('data', (text) => void (stderr += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect([code, stderr]).toEqual([0, expect.stringContaining('is answered')]);
  const story = JSON.parse(stdout) as BanksDocument;
  expect(story).toMatchObject({ balanced: true, failures: [] });
  const told = story.files.map(({ format, records, answer }) => [
    format,
    records.read,
    records.rejected,
    answer?.status,
    answer?.records.length,
  ]);
  expect(told).toEqual([
    ['nacha', 2_000, 21, null, 21],
    ['iso20022', 600, 6, 'PART', 6],
    ['bai2', 800, 0, undefined, undefined],
    ['swift-mt', 500, 0, undefined, undefined],
  ]);
  const [ach, transfers] = story.files;
  expect(ach!.answer!.amounts).toEqual(ach!.amounts.rejected);
  expect(readFileSync(transfers!.answer!.file, 'utf8').match(/<TxSts>RJCT<\/TxSts>/g)).toHaveLength(6);
});
