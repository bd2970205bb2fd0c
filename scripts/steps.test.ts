import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { printSummary, runStep, type StepResult } from './steps.ts';

const step = (passed: number, failed: number, skipped = 0): StepResult => ({ name: 'x', passed, failed, skipped, seconds: 0, output: '' });

function lastLine(steps: readonly StepResult[]): [string, number] {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const exitCode = printSummary(steps);
  spy.mockRestore();
  return [written.join('').trimEnd().split('\n').at(-1)!, exitCode];
}

describe('the last line of a run', () => {
  it('is exactly the number of passed and failed tests', () => {
    expect(lastLine([step(10, 0), step(1, 0)])).toEqual(['11 passed, 0 failed', 0]);
    expect(lastLine([step(10, 2), step(0, 1)])).toEqual(['10 passed, 3 failed', 1]);
  });

  it('stays the last one when tests were skipped', () => {
    expect(lastLine([step(5, 0, 3)])).toEqual(['5 passed, 0 failed', 0]);
  });
});

describe('a step', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headgate-steps-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('counts as one passed when its command works, as one failed when it does not, with all it said', async () => {
    const script = join(folder, 'script.mjs');
    writeFileSync(script, "console.log('out'); console.error('err'); process.exitCode = Number(process.argv[2]);");
    expect(await runStep('good', process.execPath, [script, '0'])).toMatchObject({ passed: 1, failed: 0 });
    const bad = await runStep('bad', process.execPath, [script, '3']);
    expect(bad).toMatchObject({ passed: 0, failed: 1, output: expect.stringContaining('out') });
    expect(bad.output).toContain('err');
  });

  it('whose command does not exist has failed', async () => {
    expect(await runStep('absent', join(folder, 'nothing'), [])).toMatchObject({ failed: 1, output: expect.stringContaining('ENOENT') });
  });

  it('that is killed has failed', async () => {
    expect(await runStep('killed', process.execPath, ['-e', "process.kill(process.pid, 'SIGKILL')"])).toMatchObject({ failed: 1 });
  });
});
