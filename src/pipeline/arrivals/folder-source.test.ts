import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { holdFolder } from '../../platform/base/held-folder.ts';
import { listFolder, lookAt, takeAway } from './folder-source.ts';

/** Replaces the file as fast as it can, each time with another content, as a sender does who uses a name again and again. */
const sender = `
  const { renameSync, writeFileSync } = require('node:fs');
  const { workerData: { folder, beside } } = require('node:worker_threads');
  for (let count = 1; ; count++) {
    writeFileSync(beside, String(count));
    renameSync(beside, folder + '/a.csv');
  }`;

it('a file that took the name of another while that was marked is put back, or told where it lies', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'headgate-replaced-'));
  const folder = mkdtempSync(join(parent, 'in-'));
  const held = holdFolder(folder);
  const worker = new Worker(sender, { eval: true, workerData: { folder, beside: join(parent, 'next') } });
  onTestFinished(async () => {
    await worker.terminate();
    held.close();
    rmSync(parent, { recursive: true });
  });
  const outcomes = { taken: 0, gone: 0, replaced: 0, misplaced: 0 };
  for (let count = 0; outcomes.misplaced === 0 || outcomes.taken === 0; count++) {
    if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    const [found] = listFolder(held).filter(({ name }) => name === 'a.csv');
    const entry = found && lookAt(held, found);
    if (!entry) continue;
    const outcome = takeAway(held, { entry, arrivalId: 'id', to: { mark: '.taken' }, companions: [] });
    outcomes[outcome] += 1;
    const marked = join(folder, 'a.csv.taken');
    // What was not meant lies under the mark only where that is told.
    expect(existsSync(marked), outcome).toBe(outcome === 'taken' || outcome === 'misplaced');
    if (existsSync(marked)) expect(readFileSync(marked, 'utf8')).toMatch(/^[0-9]+$/);
    for (const name of readdirSync(folder)) if (name !== 'a.csv') rmSync(join(folder, name));
  }
});
