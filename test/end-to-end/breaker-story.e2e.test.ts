import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { StoryDocument } from '../../src/main/demo/story-report.ts';

it('two downstreams die under load: a backup takes over, the other is parked in order, both come back by themselves, and all of it balances', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-story-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const entry = join(import.meta.dirname, '../../src/main/headgate.ts');
  const options = ['demo', '--story', 'breaker', '--once', '--json', '--data-dir', folder];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, ...options]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => void (stdout += text));
  child.stderr.on('data', (text) => void (stderr += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect([code, stderr]).toEqual([0, expect.stringContaining('nothing is parked any more')]);
  const story = JSON.parse(stdout) as StoryDocument;
  expect(story).toMatchObject({ balanced: true, orderKept: true, failures: [] });
  const steps = story.steps.map(({ what }) => what);
  const order = [
    'die',
    'takes over',
    'is parked in order',
    'come back',
    'takes its own records again',
    'nothing is parked any more',
    'are closed',
  ];
  const places = order.map((word) => steps.findIndex((what) => what.includes(word)));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
  expect(Object.keys(story.openedAfterSeconds)).toEqual(['payments', 'ledger']);
  for (const seconds of Object.values(story.openedAfterSeconds)) {
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(5);
  }
  const [payments, ledger] = story.targets;
  expect(payments).toMatchObject({ target: 'payments', routed: story.records, delivered: story.records, held: story.records });
  expect(payments!.via['payments-2']).toBeGreaterThan(0);
  expect(ledger).toMatchObject({ target: 'ledger', routed: story.records, delivered: story.records, held: story.records, via: {} });
  expect(story.targets.map(({ unlabelledDuplicates }) => unlabelledDuplicates)).toEqual([0, 0]);
  expect(story.parkedMost).toBeGreaterThan(0);
});
